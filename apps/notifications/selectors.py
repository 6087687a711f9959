"""Reads on notifications."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import TypedDict

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.core.metrics import gauge
from apps.core.scopes import scoped
from apps.notifications.models import Notification


class DayFigures(TypedDict):
    date: date
    kind: str
    status: str
    count: int


def figures_per_day(*, days: int) -> list[DayFigures]:
    """How many messages of each kind and status were made on each of the last `days` (UTC)."""
    since = timezone.now() - timedelta(days=days)
    rows = (
        scoped(Notification.objects.filter(created_at__gte=since))
        .values("kind", "status", date=TruncDate("created_at", tzinfo=UTC))
        .annotate(count=Count("pk"))
        .order_by("-date", "kind", "status")
    )
    return [
        DayFigures(date=r["date"], kind=r["kind"], status=r["status"], count=r["count"])
        for r in rows
    ]


@gauge("notifications_unsent", "Messages that wait or were given up.")
def notifications_unsent() -> float:
    return Notification.objects.filter(
        status__in=(Notification.Status.PENDING, Notification.Status.FAILED)
    ).count()
