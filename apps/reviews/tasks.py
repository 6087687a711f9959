"""Background work of reviews."""

from __future__ import annotations

from celery import shared_task

from apps.reviews import services


@shared_task(ignore_result=True)
def process_photos() -> int:
    """Scan and re-encode what lies in quarantine; run by beat and by uploads."""
    return services.process_due()


@shared_task(ignore_result=True)
def prune_uploads() -> int:
    """Delete photos that no review names; run by beat."""
    return services.prune_uploads()


@shared_task(ignore_result=True)
def invite_buyers() -> int:
    """Ask for reviews of what has arrived; run by beat."""
    return services.invite_buyers()
