"""What an order's papers must come to."""

from __future__ import annotations

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.orders.models import Order
from apps.payments.models import Refund
from apps.returns.models import Payout

_SUCCEEDED = Refund.objects.filter(
    payment__order=OuterRef("pk"), status=Refund.Status.SUCCEEDED
).order_by()
# What was set against a replacement, and comes back later, was given back all the time.
_CREDITED = Payout.objects.filter(
    Q(refund__isnull=True) | Q(is_credit=True) & ~Q(refund__status=Refund.Status.SUCCEEDED),
    request__order=OuterRef("pk"),
).order_by()


def with_gifts(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Orders with what `worth()` asks for, so that it asks nothing more."""
    return orders.annotate(
        settled=_sum(_SUCCEEDED.filter(is_settlement=True), "payment__order"),
        for_goods=_sum(_SUCCEEDED.filter(is_for_goods=True), "payment__order"),
        credited=_sum(_CREDITED, "request__order"),
    )


def _sum(rows: QuerySet, order: str) -> Coalesce:
    return Coalesce(Subquery(rows.values(order).annotate(n=Sum("amount")).values("n")), 0)


def worth(order: Order) -> int:
    """Minor units: invoices less credit notes.

    The order's total, less what was given back for returned goods (as store credit too) and as a
    favour; but nothing once it is cancelled. What was paid beyond the total was never invoiced, so
    giving that back takes nothing off.
    """
    if order.status == Order.Status.CANCELLED:
        return 0
    if not hasattr(order, "credited"):
        found = with_gifts(Order.objects.filter(pk=order.pk)).only("pk").get()
        settled, for_goods, credited = found.settled, found.for_goods, found.credited
    else:
        settled, for_goods, credited = order.settled, order.for_goods, order.credited
    others = order.refunded_amount - settled - for_goods
    overpaid = max(0, order.captured_amount - settled - order.total)
    return max(0, order.total - for_goods - credited - max(0, others - overpaid))
