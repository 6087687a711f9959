from celery import shared_task

from apps.checkout import services


@shared_task(ignore_result=True)
def cleanup_carts() -> int:
    """Delete carts abandoned for seven days."""
    return services.cleanup_carts()
