"""Two placed orders become one: goods, stock and money in one transaction."""

from __future__ import annotations

from django.db import transaction

from apps.core.locks import locked
from apps.orders import services as orders
from apps.orders.models import Order
from apps.payments import services as payments


@transaction.atomic
def combine_orders(*, order: Order, other: Order) -> Order:
    """`order` takes in everything of `other`, with the payments; the other is cancelled.

    No money moves and no price changes. Raises NotCombinable, InsufficientStock.
    """
    list(locked(Order.objects.filter(pk__in=(order.pk, other.pk))))
    order = orders.absorb(order=order, other=other)
    payments.move_payments(source=other, target=order)
    order.refresh_from_db()
    return order
