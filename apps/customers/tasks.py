"""Celery tasks of customers."""

from __future__ import annotations

from celery import shared_task

from apps.customers.services import erasing, exporting, retention, segments


@shared_task(ignore_result=True)
def run_erasures() -> int:
    """Go on forgetting whoever asked for it, and what was kept for a term that is over."""
    return erasing.run_erasures() + erasing.empty_expired()


@shared_task(ignore_result=True)
def run_exports() -> int:
    """Write the copies of people's data that wait, and delete those that have had their time."""
    return exporting.run_exports() + exporting.prune_exports()


@shared_task(ignore_result=True)
def refresh_segments() -> int:
    """Find out anew who is in which segment."""
    return segments.refresh_segments()


@shared_task(ignore_result=True)
def apply_terms() -> int:
    """Delete or empty what has had its time, whoever's it was."""
    return retention.apply_terms()
