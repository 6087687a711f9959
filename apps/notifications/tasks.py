"""Celery tasks of notifications."""

from __future__ import annotations

from celery import shared_task

from apps.notifications import services


@shared_task(ignore_result=True)
def send(notification_id: str) -> None:
    """Send one message."""
    services.send_notification(notification_id=notification_id)


@shared_task(ignore_result=True)
def send_due() -> int:
    """Send what is due: retries, and what no worker was told of."""
    return services.send_due()
