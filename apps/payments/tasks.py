from celery import shared_task

from apps.payments import services


@shared_task(ignore_result=True)
def reconcile() -> int:
    """Ask the gateways about undecided payments and refunds."""
    return services.reconcile()


@shared_task(ignore_result=True)
def process_events() -> int:
    """Process webhooks that couldn't be processed at once."""
    return services.process_due()


@shared_task(ignore_result=True)
def expire_gift_cards() -> int:
    """Write off what is left on expired gift cards."""
    return services.expire_due()
