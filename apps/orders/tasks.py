from celery import shared_task

from apps.orders import services


@shared_task(ignore_result=True)
def cancel_expired() -> int:
    """Cancel orders that weren't paid within 30 minutes."""
    return services.cancel_expired()


@shared_task(ignore_result=True)
def complete_delivered() -> int:
    """Complete orders 14 days after their delivery."""
    return services.complete_delivered()
