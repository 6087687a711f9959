from celery import shared_task

from apps.fulfillment import services


@shared_task(ignore_result=True)
def reconcile_labels() -> int:
    """Ask carriers about labels whose answer was lost."""
    return services.reconcile_labels()


@shared_task(ignore_result=True)
def run_print_jobs() -> int:
    """Make the papers that were asked for."""
    return services.run_print_jobs()


@shared_task(ignore_result=True)
def track_parcels() -> int:
    """Ask carriers about parcels under way."""
    return services.ask_due()
