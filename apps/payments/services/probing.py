"""Whether the gateways answer, looked at beforehand: nobody waits for it, nothing depends on it."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache

from apps.core import http
from apps.core.health import register_report
from apps.core.providers import provider
from apps.payments.gateways.base import Gateway

# Longer than the time between two looks; older is not known.
KEPT_SECONDS = 180
_KEY = "health:gateways"
_MAX_BYTES = 64 * 1024


def probe_gateways() -> dict[str, Any]:
    """Ask each configured gateway's address, without keys, and keep for the health page how long
    it took. Any answer will do."""
    found = {f"gateway:{each.code}": _probe(each.address) for each in _configured()}
    cache.set(_KEY, found, KEPT_SECONDS)
    return found


def gateway_health() -> dict[str, Any]:
    """What was seen last of each configured gateway; "unknown" if that is too long ago."""
    seen = cache.get(_KEY) or {}
    names = [f"gateway:{each.code}" for each in _configured()]
    return {name: seen.get(name, {"status": "unknown"}) for name in names}


def _configured() -> list[Gateway]:
    found: list[Gateway] = [provider(path) for path in settings.PAYMENT_GATEWAYS.values()]
    return [each for each in found if each.is_remote and each.is_configured and each.address]


def _probe(address: str) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        http.send("GET", address, max_bytes=_MAX_BYTES, headers={"Accept": "*/*"}, inside=True)
    except http.FetchError:
        status = "error"
    else:
        status = "ok"
    return {"status": status, "ms": round((time.perf_counter() - started) * 1000, 1)}


register_report(gateway_health)
