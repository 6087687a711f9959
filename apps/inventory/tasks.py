from celery import shared_task

from apps.inventory import services


@shared_task(ignore_result=True)
def release_expired_holds() -> int:
    """Give back the stock of holds whose 30 minutes are over."""
    return services.release_expired()


@shared_task(ignore_result=True)
def alert_low_stock() -> int:
    """Mail each store's staff address which levels have become low."""
    return len(services.alert_low_stock())
