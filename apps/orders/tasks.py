from celery import shared_task

from apps.orders import services
from apps.orders.services import automation, bulk, export_runs


@shared_task(ignore_result=True)
def cancel_expired() -> int:
    """Cancel orders that weren't paid within 30 minutes."""
    return services.cancel_expired()


@shared_task(ignore_result=True)
def expire_approvals() -> int:
    """Close what was asked for and nobody answered."""
    return services.expire_approvals()


@shared_task(ignore_result=True)
def apply_rules() -> int:
    """Let the rules do what is due; the number of orders changed."""
    return sum(automation.apply_rules().values())


@shared_task(ignore_result=True)
def run_bulk() -> int:
    """A turn at the oldest bulk change that waits."""
    return bulk.run_bulk()


@shared_task(ignore_result=True)
def run_exports() -> int:
    """Queue the exports whose period is over, and write the oldest one that waits."""
    export_runs.schedule_exports()
    return export_runs.run_exports()


@shared_task(ignore_result=True)
def prune_exports() -> int:
    """Delete the files of exports that have had their time, and choices that came to nothing."""
    return export_runs.prune_exports() + bulk.prune_drafts()
