"""Background work of webhooks: a task for each endpoint, so that none waits for another."""

from __future__ import annotations

from celery import shared_task

from apps.webhooks import services


@shared_task(ignore_result=True)
def deliver(endpoint_id: int) -> int:
    """Tell one endpoint what is due; the number of attempts. Safe to run twice at once."""
    return services.deliver(endpoint_id=endpoint_id)


@shared_task(ignore_result=True)
def sweep() -> int:
    """See to every endpoint for which something is due; run by beat."""
    due = services.due_endpoints()
    for pk in due:
        deliver.delay(pk)
    return len(due)


@shared_task(ignore_result=True)
def prune() -> int:
    """Forget old deliveries; run by beat."""
    return services.prune()
