"""Figures for Prometheus: requests as they happen, business figures read at scrape time."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from apps.core.models import OutboxMessage

REQUESTS = Counter("http_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "http_request_seconds",
    "Time to answer.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_gauges: dict[str, tuple[str, Callable[[], float]]] = {}


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    REQUESTS.labels(method, route, status).inc()
    SECONDS.labels(method, route).observe(seconds)


def gauge(name: str, description: str) -> Callable[[Callable[[], float]], Callable[[], float]]:
    """Register a figure that is read from the database whenever somebody scrapes."""

    def register(read: Callable[[], float]) -> Callable[[], float]:
        _gauges[name] = (description, read)
        return read

    return register


class BusinessCollector(Collector):
    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, (description, read) in _gauges.items():
            yield GaugeMetricFamily(name, description, value=read())


@gauge("outbox_pending", "Events waiting for delivery.")
def _pending() -> float:
    return OutboxMessage.objects.filter(status=OutboxMessage.Status.PENDING).count()


@gauge("outbox_oldest_seconds", "Age of the oldest undelivered event.")
def _oldest() -> float:
    pending = OutboxMessage.objects.filter(status=OutboxMessage.Status.PENDING)
    created = pending.order_by("created_at").values_list("created_at", flat=True).first()
    return (timezone.now() - created).total_seconds() if created else 0.0


@gauge("outbox_dead", "Events that were given up.")
def _dead() -> float:
    return OutboxMessage.objects.filter(status=OutboxMessage.Status.DEAD).count()


def metrics_view(request: HttpRequest) -> HttpResponse:
    """`/metrics`, for whoever holds `METRICS_TOKEN`; nobody when none is set."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = settings.METRICS_TOKEN
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise Http404
    registry = CollectorRegistry()
    registry.register(BusinessCollector())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        # Several workers: each writes its figures to this directory, any may answer for all.
        multiprocess.MultiProcessCollector(registry)
        body = generate_latest(registry)
    else:
        body = generate_latest(registry) + generate_latest(REGISTRY)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)
