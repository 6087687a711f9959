"""A placed order becomes two: goods, stock and money in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from apps.core.locks import locked
from apps.orders import services as orders
from apps.orders.models import Order
from apps.payments import services as payments


@transaction.atomic
def split_order(*, order: Order, pieces: Mapping[str, int]) -> Order:
    """Move so many unshipped pieces of lines, by the lines' public ids, to a new order; that one.

    No price changes, nobody owes or is owed another amount than before. Raises what
    `orders.split_off` raises, and PaymentIndivisible where a provider holds the money.
    """
    list(locked(Order.objects.filter(pk=order.pk)))
    # Their locks come before those of stock and numbers.
    payments.lock_payments(order=order)
    new = orders.split_off(order=order, pieces=pieces)
    payments.divide_payments(source=order, target=new)
    new.refresh_from_db()
    return new


def preview_order_split(*, order: Order, pieces: Mapping[str, int]) -> orders.Split:
    """What both would come to. Raises what `split_order` raises."""
    split = orders.preview_split(order=order, pieces=pieces)
    payments.check_divisible(order=order, amount=split.new_total)
    return split
