"""Background work of the taxes."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.stores.models import Store
from apps.taxes import services

logger = logging.getLogger(__name__)


@shared_task(ignore_result=True)
def check_vat_number(number: str, store_id: int | None = None) -> None:
    """Ask VIES for the number of an address; what can't be a number is left alone."""
    store = Store.objects.filter(pk=store_id).first() if store_id is not None else None
    try:
        services.check_vat_number(number=number, store=store)
    except services.InvalidVATNumber:
        logger.info("not a VAT number")
