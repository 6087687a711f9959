"""Payments of an order of which a part became another one.

Only books of ours can be divided: a provider's payment stays one, and belongs to one order, to
which its refunds and disputes come.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.failpoints import failpoint
from apps.core.ids import uuid7
from apps.core.locks import locked
from apps.orders import services as orders
from apps.orders.models import Order
from apps.payments.gateways import gateway_of
from apps.payments.gateways.base import GatewayError
from apps.payments.models import Payment, PaymentEntry, Refund, StoredValue
from apps.payments.selectors import ALIVE, UNDECIDED, due, missing, payments_of, refundable, sums_of

_STORED = tuple(StoredValue.Kind.values)
# How much of a payment, in minor units, goes to another order.
Part = tuple[Payment, int]


class PaymentIndivisible(Conflict):
    code = "payment_indivisible"
    message = _(
        "A provider holds this order's money as one payment, which belongs to one order."
        " Ship the order in parts instead."
    )


@transaction.atomic
def lock_payments(*, order: Order) -> None:
    """Take the locks that dividing needs, in a transaction that takes those of stock next."""
    payments = list(locked(Payment.objects.filter(order=order)))
    cards = [payment.method for payment in payments if payment.gateway in _STORED]
    list(locked(StoredValue.objects.filter(public_id__in=cards)))


def check_divisible(*, order: Order, amount: int) -> None:
    """Raises PaymentIndivisible unless `amount` (minor units) of what pays the order can pay
    another one."""
    payments = payments_of(order)
    _parts(payments, total=order.total, wanted=amount, owed=due(order, payments))


@transaction.atomic
def divide_payments(*, source: Order, target: Order) -> None:
    """Let `target`, which was a part of `source`, be paid by its part of the payments.

    Both have their own totals already. Nobody owes or is owed
    another amount than before: raises PaymentIndivisible where that can't be. What moves whole is
    the same row; else its ledger gives a part to another one.
    """
    rows = {row.pk: row for row in locked(Order.objects.filter(pk__in=(source.pk, target.pk)))}
    source, target = rows[source.pk], rows[target.pk]
    payments = list(locked(Payment.objects.filter(order=source)))
    total = source.total + target.total
    owed = max(0, missing(source, payments) + target.total)
    for payment, amount in _parts(payments, total=total, wanted=target.total, owed=owed):
        _give(payment, amount, target)
    failpoint("payments-divided")
    for order in (source, target):
        orders.record_payment(order=order, **sums_of(payments_of(order)))


def _parts(payments: Sequence[Payment], *, total: int, wanted: int, owed: int) -> list[Part]:
    """What of each payment goes, the last one first, and the cards, which paid first, last.

    What is owed is owed of both in proportion.
    """
    free = {payment.pk: _free(payment) for payment in payments}
    amount = wanted if not owed else (total - owed) * wanted // total
    parts = []
    for payment in reversed(payments):
        if part := min(amount, free[payment.pk]):
            parts.append((payment, part))
            amount -= part
    stays = any(
        payment.status in ALIVE and (payment, free[payment.pk]) not in parts for payment in payments
    )
    bare = (wanted and not parts) or (wanted < total and not stays)
    if amount or bare or any(payment.status in UNDECIDED for payment in payments):
        raise PaymentIndivisible()
    return parts


def _free(payment: Payment) -> int:
    """Minor units that another order may be paid by."""
    if payment.status not in ALIVE or gateway_of(payment).is_remote:
        return 0
    if payment.status == Payment.Status.AUTHORIZED:
        # Of what is captured in part, or being captured, nobody could say which order has it.
        is_begun = payment.captured_amount or payment.captures.filter(is_open=True).exists()
        return 0 if is_begun else payment.authorized_amount
    return refundable(payment)


def _give(payment: Payment, amount: int, target: Order) -> None:
    whole = amount == _free(payment) and not payment.refunds.exclude(status=Refund.Status.FAILED)
    audit.record("payment.divide", payment, {"amount": amount, "to": target.number})
    if whole:
        Payment.objects.filter(pk=payment.pk).update(order=target)
        return
    part = _part(payment, amount, target)
    sums = ("authorized_amount", "captured_amount")
    for name in ("amount", *sums):
        setattr(payment, name, getattr(payment, name) - getattr(part, name))
    payment.save(update_fields=["amount", *sums, "updated_at"])
    kinds = (PaymentEntry.Kind.AUTHORIZE, PaymentEntry.Kind.CAPTURE)
    for row, sign, other in ((payment, -1, target), (part, 1, payment.order)):
        PaymentEntry.objects.bulk_create(
            PaymentEntry(
                payment=row,
                kind=kind,
                amount=sign * getattr(part, name),
                reason=str(_("Order %s.")) % other.number,
                actor=current_actor().label,
            )
            for name, kind in zip(sums, kinds, strict=True)
            if getattr(part, name)
        )


def _part(payment: Payment, amount: int, target: Order) -> Payment:
    public_id = uuid7()
    try:
        provider_id = gateway_of(payment).divide(
            payment.provider_id or "", amount=amount, key=str(public_id)
        )
    except GatewayError as error:
        raise PaymentIndivisible() from error
    is_captured = payment.status == Payment.Status.CAPTURED
    part = Payment.objects.create(
        public_id=public_id,
        order=target,
        gateway=payment.gateway,
        account=payment.account,
        provider_id=provider_id,
        method=payment.method,
        currency=payment.currency,
        amount=amount,
        authorized_amount=amount,
        captured_amount=amount if is_captured else 0,
        status=payment.status,
        is_test=payment.is_test,
    )
    # Papers tell when it was paid.
    Payment.objects.filter(pk=part.pk).update(created_at=payment.created_at)
    return part
