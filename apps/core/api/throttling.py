"""A general limit per caller. It fails open: a shop without its cache still sells.

What must fail closed (log-in, look-ups) counts with `apps.core.ratelimit` as well.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

from apps.core.ratelimit import caller

logger = logging.getLogger(__name__)
WINDOW = 60
# A silent cache costs its time-out; not at every request.
PAUSE = 30.0


class Throttle(BaseThrottle):
    """So many requests a minute for each caller; 0 is no limit."""

    limit = 0
    remaining: int | None = None
    _quiet_until = 0.0

    def pace(self, request: Any) -> tuple[str, int]:
        """Who is counted, and how many requests they have: `API_RATE_PER_MINUTE` for each account
        or address."""
        who = request.user.pk if request.user.is_authenticated else caller()
        return f"{who}", settings.API_RATE_PER_MINUTE

    def allow_request(self, request: Any, view: Any) -> bool:
        request.throttle = self
        who, self.limit = self.pace(request)
        if not self.limit or time.monotonic() < Throttle._quiet_until:
            return True
        hits = self._count(f"throttle:{who}:{int(time.time()) // WINDOW}")
        if hits is None:
            Throttle._quiet_until = time.monotonic() + PAUSE
            logger.warning("no cache, no throttle")
            return True
        self.remaining = max(0, self.limit - hits)
        return hits <= self.limit

    @staticmethod
    def _count(key: str) -> int | None:
        """This request's number in its window; None without a cache.

        Where django-redis ignores an error, it answers None.
        """
        try:
            added = cache.add(key, 1, WINDOW)
            return 1 if added else cache.incr(key) if added is False else None
        except ValueError:
            # The window ended between the two.
            return 1
        except Exception:
            return None

    def wait(self) -> float:
        return _left()

    def answered(self, status: int) -> None:
        """The request that was let through is answered."""

    def add_headers(self, response: Any) -> None:
        """The RateLimit fields of the IETF draft (draft-ietf-httpapi-ratelimit-headers)."""
        if self.remaining is not None:
            # Not `wait()`: a throttle with several limits waits for the one that refused.
            left = (self.remaining, int(_left()) + 1)
            add_policy(response, "default", (self.limit, WINDOW), left)


def _left() -> float:
    """Seconds to the end of the window."""
    return WINDOW - time.time() % WINDOW


def policy_fields(name: str, quota: tuple[int, int], left: tuple[int, int]) -> dict[str, str]:
    """A limit in the RateLimit fields, which are structured lists (RFC 9651): a number and its
    window in seconds, what is left of it and for how many seconds."""
    return {
        "RateLimit-Policy": f'"{name}";q={quota[0]};w={quota[1]}',
        "RateLimit": f'"{name}";r={left[0]};t={left[1]}',
    }


def add_policy(response: Any, name: str, quota: tuple[int, int], left: tuple[int, int]) -> None:
    """Tell one more limit than those that the answer tells already."""
    for header, item in policy_fields(name, quota, left).items():
        response[header] = f"{response[header]}, {item}" if header in response else item
