"""Background work of promotions."""

from __future__ import annotations

from celery import shared_task

from apps.promotions.models import Promotion
from apps.promotions.services import finish_batch


@shared_task(ignore_result=True)
def make_codes(
    promotion_id: int, batch: str, count: int, prefix: str = "", length: int = 10
) -> int:
    """Make what is missing of a batch; the number of codes there are.

    Safe to run twice, and after a crash: every thousand codes are kept, and what is there counts.
    """
    promotion = Promotion.objects.filter(pk=promotion_id).first()
    if promotion is None:
        return 0
    for _codes in finish_batch(
        promotion=promotion, batch=batch, count=count, prefix=prefix, length=length
    ):
        pass
    return promotion.coupons.filter(batch=batch).count()
