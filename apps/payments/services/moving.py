"""Payments of an order that became a part of another one."""

from __future__ import annotations

from django.db import transaction

from apps.core.locks import locked
from apps.orders import services as orders
from apps.orders.models import Order
from apps.payments.models import Payment
from apps.payments.selectors import sums_of


@transaction.atomic
def move_payments(*, source: Order, target: Order) -> None:
    """All payments of `source` pay `target` from now on, and both are told their sums.

    Each row moves whole, with its ledger, refunds and disputes: at its gateway nothing changes.
    Belongs into the transaction that makes one order of two.
    """
    rows = {row.pk: row for row in locked(Order.objects.filter(pk__in=(source.pk, target.pk)))}
    payments = list(locked(Payment.objects.filter(order__in=rows)))
    Payment.objects.filter(order=source.pk).update(order=target.pk)
    orders.record_payment(order=rows[target.pk], **sums_of(payments))
    orders.record_payment(order=rows[source.pk], **sums_of([]))
