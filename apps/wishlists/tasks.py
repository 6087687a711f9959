"""Background work for those who wait."""

from __future__ import annotations

from celery import shared_task

from apps.wishlists.services import alerts, telling


@shared_task(ignore_result=True)
def tell_due() -> int:
    """Tell what no event told of; run by beat."""
    return telling.tell_due()


@shared_task(ignore_result=True)
def prune_alerts() -> int:
    """Forget addresses that are no longer needed; run by beat."""
    return alerts.prune_alerts()
