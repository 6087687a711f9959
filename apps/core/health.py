"""Health: is the process alive, and can it sell?"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse

_reports: list[Callable[[], dict[str, Any]]] = []


def register_report(report: Callable[[], dict[str, Any]]) -> None:
    """Show what a room says of others whom it needs: name → status and latency.

    It asks nobody over the network now, and whatever it says, the shop is as ready as before.
    """
    _reports.append(report)


def live(request: HttpRequest) -> JsonResponse:
    """The process answers; it asks nobody else."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Each dependency with its latency. Only the database can make the shop unready.

    Without cache or broker the shop still sells (slower, mails later): "degraded", not down.
    `reported` are others, as they were seen last.
    """
    checks = {"database": _timed(_database), "cache": _timed(_cache)}
    if settings.BACKGROUND == "celery":
        checks["broker"] = _timed(_broker)
    if checks["database"]["status"] != "ok":
        status = "down"
    elif all(check["status"] == "ok" for check in checks.values()):
        status = "ok"
    else:
        status = "degraded"
    answer = {"status": status, "checks": checks, "reported": _reported()}
    return JsonResponse(answer, status=503 if status == "down" else 200)


def _reported() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for report in _reports:
        # A cache that is down, which the checks tell.
        with suppress(Exception):
            found |= report()
    return found


def _timed(check: Callable[[], None]) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        check()
    except Exception as error:
        # The kind only: messages may carry addresses and names.
        return {"status": "error", "error": type(error).__name__, "ms": _ms(started)}
    return {"status": "ok", "ms": _ms(started)}


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def _cache() -> None:
    cache.set("health", "1", 5)
    if cache.get("health") != "1":
        raise ConnectionError("The cache doesn't keep what it is given.")


def _broker() -> None:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=1)
