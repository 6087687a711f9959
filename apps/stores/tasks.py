"""Background work of the stores."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from apps.core.http import FetchError
from apps.stores import services

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def fetch_rates() -> int:
    """Fetch the day's exchange rates once they are out; run by beat. The number of new ones.

    Without an answer the last known rates stay in force, and the next run asks again.
    """
    try:
        done = services.fetch_due_rates(now=timezone.now())
    except (FetchError, services.InvalidRates) as error:
        logger.warning("exchange rates not fetched: %s", error)
        return 0
    return done.created + done.updated if done else 0
