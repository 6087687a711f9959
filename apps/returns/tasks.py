"""Background work of returns."""

from __future__ import annotations

from celery import shared_task

from apps.returns import services


@shared_task(ignore_result=True)
def process_photos() -> int:
    """Scan and re-encode what lies in quarantine; run by beat and by new returns."""
    return services.process_photos()


@shared_task(ignore_result=True)
def prune_photos() -> int:
    """Delete photos that nobody needs any more; run by beat."""
    return services.prune_photos()


@shared_task(ignore_result=True)
def reconcile_labels() -> int:
    """Ask carriers about return labels whose answer was lost."""
    return services.reconcile_labels()


@shared_task(ignore_result=True)
def track_returns() -> int:
    """Ask carriers about returns under way."""
    return services.ask_due_returns()
