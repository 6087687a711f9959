"""Background work of imports."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apps.integrations.selectors import waiting_jobs
from apps.integrations.services import ImportBusy, run_job

# A turn must end before the task's time limit, and leave the queue to others.
TURN_SECONDS = 60.0


@shared_task(ignore_result=True)
def run_pending() -> int:
    """Work on the oldest import that waits, for a turn; the number of imports finished.

    Safe to run several times at once: a job is claimed. What isn't finished is queued again.
    """
    job = waiting_jobs(timezone.now()).select_related("store", "location", "created_by").first()
    if job is None:
        return 0
    try:
        return int(not run_job(job=job, max_seconds=TURN_SECONDS).is_waiting)
    except ImportBusy:
        return 0
