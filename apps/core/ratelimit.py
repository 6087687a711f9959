"""Attempt counters that are atomic and fail closed: for log-in, look-ups and codes.

DRF's own throttles read, then write, a cache; under parallel load they let more through.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time
from datetime import UTC, datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.core.context import current_actor
from apps.core.errors import RateLimited
from apps.core.models import RateCounter


def check(scope: str, who: str, *, limit: int, seconds: int) -> None:
    """Raises RateLimited if `who` has used up `limit` in this window; counts nothing.

    For what only failures count of: `hit` them. Those under way at once may all pass.
    """
    now = int(time.time())
    window = now // seconds
    row = RateCounter.objects.filter(key=_key(scope, who), window=window)
    if (row.values_list("hits", flat=True).first() or 0) >= limit:
        raise RateLimited(extra={"retry_after": (window + 1) * seconds - now})


def hit(scope: str, who: str, *, limit: int, seconds: int) -> None:
    """Count one attempt of `who`; raises RateLimited beyond `limit` in a window of `seconds`.

    Only a hash of `who` (an e-mail address, an IP address) is stored.
    """
    key = _key(scope, who)
    now = int(time.time())
    window = now // seconds
    row = RateCounter.objects.filter(key=key, window=window)
    if not row.update(hits=F("hits") + 1):
        expires_at = datetime.fromtimestamp((window + 1) * seconds, UTC)
        try:
            with transaction.atomic():
                RateCounter.objects.create(key=key, window=window, hits=1, expires_at=expires_at)
        except IntegrityError:
            row.update(hits=F("hits") + 1)
    if row.values_list("hits", flat=True).get() > limit:
        raise RateLimited(extra={"retry_after": (window + 1) * seconds - now})


def _key(scope: str, who: str) -> str:
    return hashlib.sha256(f"{scope}\x00{who}".encode()).hexdigest()


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
    """Delete counters whose window is over; the number deleted."""
    return RateCounter.objects.filter(expires_at__lt=timezone.now()).delete()[0]
