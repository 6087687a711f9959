"""Attempt counters that are atomic and fail closed: for log-in, look-ups and codes.

They are counted in Redis, where there is one, else in the database, and there too while Redis
doesn't answer. docs/limits.md lists every limit.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.core.context import current_actor
from apps.core.errors import RateLimited
from apps.core.models import RateCounter

logger = logging.getLogger(__name__)
NETWORK, ACCOUNT, ALL = "network", "account", "all"
# A silent Redis costs its time-out; not at every attempt.
TIMEOUT, PAUSE = 0.25, 30.0
_quiet_until = 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts in a window of `seconds`, counted apart for each of what `by` names.

    `most` is a number, or the setting that holds it.
    """

    scope: str
    by: str
    most: int | str
    seconds: int

    @property
    def number(self) -> int:
        return self.most if isinstance(self.most, int) else getattr(settings, self.most)

    def hit(self, who: str = "") -> None:
        """Count one attempt of `who`; raises RateLimited beyond the limit.

        Only a hash of `who` (an e-mail address, an IP address) is stored. In the database a
        rollback forgets the attempt: count outside of the transaction that may fail.
        """
        self._refuse_above(self.number, _count(self._key(who), self.seconds))

    def check(self, who: str = "") -> None:
        """Raises RateLimited if `who` has used up the limit; counts nothing.

        For what only failures count of: `hit` them. Those under way at once may all pass.
        """
        self._refuse_above(self.number - 1, _counted(self._key(who), self.seconds))

    def _key(self, who: str) -> str:
        return hashlib.sha256(f"{self.scope}\x00{self.by}\x00{who}".encode()).hexdigest()

    def _refuse_above(self, most: int, hits: int) -> None:
        if hits > most:
            left = self.seconds - int(time.time()) % self.seconds
            raise RateLimited(extra={"retry_after": left, "policy": self})


def hit_caller(*limits: Limit) -> None:
    """Count one attempt of the caller by each limit, by network, account or all; the account's
    only of who is signed in. Raises RateLimited; what it stands behind isn't counted then.
    """
    for limit in limits:
        who = {NETWORK: caller(), ACCOUNT: str(current_actor().user_id or ""), ALL: ALL}[limit.by]
        if who:
            limit.hit(who)


def caller() -> str:
    """The caller's network: the IP address; for IPv6 its /64, which one person has all of."""
    ip = current_actor().ip
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def prune() -> int:
    """Delete counters whose window is over; the number deleted. Redis forgets by itself."""
    return RateCounter.objects.filter(expires_at__lt=timezone.now()).delete()[0]


def _count(key: str, seconds: int) -> int:
    """This attempt's number in its window."""
    window = int(time.time()) // seconds
    if redis := _redis():
        try:
            name = f"limit:{key}:{window}"
            together = redis.pipeline()
            together.incr(name)
            together.expire(name, seconds)
            return together.execute()[0]
        except RedisError:
            _do_without()
    return _count_in_database(key, window, seconds)


def _counted(key: str, seconds: int) -> int:
    window = int(time.time()) // seconds
    if redis := _redis():
        try:
            return int(redis.get(f"limit:{key}:{window}") or 0)
        except RedisError:
            _do_without()
    row = RateCounter.objects.filter(key=key, window=window)
    return row.values_list("hits", flat=True).first() or 0


def _count_in_database(key: str, window: int, seconds: int) -> int:
    row = RateCounter.objects.filter(key=key, window=window)
    expires_at = datetime.fromtimestamp((window + 1) * seconds, UTC)
    while True:
        # In one transaction: the row stays locked until its number is read.
        with transaction.atomic(savepoint=False):
            if row.update(hits=F("hits") + 1):
                return row.values_list("hits", flat=True).get()
        RateCounter.objects.bulk_create(
            [RateCounter(key=key, window=window, expires_at=expires_at)], ignore_conflicts=True
        )


def _redis() -> Redis | None:
    """None where there is none, or while it is left alone."""
    if not settings.REDIS_URL or time.monotonic() < _quiet_until:
        return None
    return _client(settings.REDIS_URL)


@lru_cache(maxsize=1)
def _client(url: str) -> Redis:
    # The cache's own tries again, and takes a silence for an answer.
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


def _do_without() -> None:
    global _quiet_until  # noqa: PLW0603 (of the process)
    _quiet_until = time.monotonic() + PAUSE
    logger.warning("no Redis: limits are counted in the database", exc_info=True)
