"""Health: is the process alive, and can it sell?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse


def live(request: HttpRequest) -> JsonResponse:
    """The process answers; it asks nobody else."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Each dependency with its latency. Only the database can make the shop unready.

    Without cache or broker the shop still sells (slower, mails later): "degraded", not down.
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
    return JsonResponse(
        {"status": status, "checks": checks}, status=503 if status == "down" else 200
    )


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
