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

logger = logging.getLogger(__name__)
WINDOW = 60
# A silent cache costs its time-out; not at every request.
PAUSE = 30.0


class Throttle(BaseThrottle):
    """`API_RATE_PER_MINUTE` requests a minute for each account or address; 0 is no limit."""

    remaining: int | None = None
    _quiet_until = 0.0

    def allow_request(self, request: Any, view: Any) -> bool:
        limit = settings.API_RATE_PER_MINUTE
        if not limit or time.monotonic() < Throttle._quiet_until:
            return True
        who = request.user.pk if request.user.is_authenticated else self.get_ident(request)
        key = f"throttle:{who}:{int(time.time()) // WINDOW}"
        hits = self._count(key)
        if hits is None:
            Throttle._quiet_until = time.monotonic() + PAUSE
            logger.warning("no cache, no throttle")
            return True
        self.remaining = max(0, limit - hits)
        request.throttle = self
        return hits <= limit

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
        return WINDOW - time.time() % WINDOW

    def add_headers(self, response: Any) -> None:
        """The RateLimit fields of the IETF draft (draft-ietf-httpapi-ratelimit-headers)."""
        response["RateLimit-Policy"] = f'"default";q={settings.API_RATE_PER_MINUTE};w={WINDOW}'
        response["RateLimit"] = f'"default";r={self.remaining};t={int(self.wait()) + 1}'
