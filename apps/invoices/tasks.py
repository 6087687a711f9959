"""Background work of invoices."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apps.invoices.services import forget_batches, issue_all_missing


@shared_task(ignore_result=True)
def issue_missing() -> int:
    """What no event brought: safe to run twice."""
    return issue_all_missing()


@shared_task(ignore_result=True)
def prune_batches() -> int:
    """Safe to run twice."""
    return forget_batches(now=timezone.now())
