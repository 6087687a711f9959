"""Background work of fraud."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apps.fraud.services import forget_old


@shared_task(ignore_result=True)
def forget_harmless() -> int:
    """Safe to run twice."""
    return forget_old(now=timezone.now())
