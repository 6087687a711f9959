from celery import shared_task

from apps.payments import services


@shared_task(ignore_result=True)
def reconcile() -> int:
    """Ask the gateways about undecided payments and refunds."""
    return services.reconcile()


@shared_task(ignore_result=True)
def compare_payments() -> int:
    """Hold payments against their gateways' books; each once a night."""
    return services.compare_due().asked


@shared_task(ignore_result=True)
def import_payouts() -> int:
    """Import what providers paid out; how many payouts are new or changed."""
    return services.import_payouts().written


@shared_task(ignore_result=True)
def close_pay_links() -> int:
    """Close links whose order owes nothing any more, or whose time is over."""
    return services.close_pay_links()


@shared_task(ignore_result=True)
def process_events() -> int:
    """Process webhooks that couldn't be processed at once."""
    return services.process_due()


@shared_task(ignore_result=True)
def expire_gift_cards() -> int:
    """Write off what is left on expired gift cards."""
    return services.expire_due()


@shared_task(ignore_result=True)
def probe_gateways() -> None:
    """Look whether the gateways answer, for the health page."""
    services.probe_gateways()
