"""Settling: an order whose total changed is paid by what it costs now, not a minor unit more.

Too much was taken: it goes back, the last payment first, gift cards (which pay first) last. Too
little: the customer gets a link. What nobody needs any more is let go. All of it is decided from
sums under the order's lock, so that settling twice, or twenty times at once, does it once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from apps.core import audit
from apps.core.errors import DomainError
from apps.core.locks import locked
from apps.notifications.services import notify
from apps.orders import services as orders
from apps.orders import states
from apps.orders.models import Order, OrderEdit
from apps.orders.services.mails import change_context, money_text
from apps.payments.models import PayLink, Payment, Refund
from apps.payments.selectors import due, excess, payments_of, propose_refund, settled_of, sums_of
from apps.payments.services.operations import (
    GatewayRefused,
    finish_refund,
    settle_cancelled,
    void,
)
from apps.payments.services.pay_links import close_pay_link, create_pay_link, link_context
from apps.payments.services.tenders import ON_ACCOUNT

logger = logging.getLogger(__name__)
REASON = "requested_by_customer"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What was done: `refunds` as they are now, and the open link if something is owed."""

    refunds: tuple[Refund, ...] = ()
    pay_link: PayLink | None = None


def settle_edited(*, order_id: str) -> Settlement:
    """Settle an order that was edited or cancelled, or took in another."""
    return settle(order=Order.objects.get(public_id=UUID(order_id)))


def settle_unwanted(*, payment_id: str) -> Settlement:
    """Settle the order of a payment that took, or may take, what the order doesn't need."""
    payment = Payment.objects.select_related("order").get(public_id=UUID(payment_id))
    return settle(order=payment.order)


def settle_and_tell(*, order_id: str, edit_id: str) -> None:
    """Settle an order that was edited, and tell its customer once: what is another than before,
    what goes back, or the link by which to pay what is missing. Repeatable.

    Where the customer sees nothing of the edit there is no mail.
    """
    edit = OrderEdit.objects.select_related("order__store").get(public_id=UUID(edit_id))
    settlement = settle(order=Order.objects.get(public_id=UUID(order_id)), is_mailed=False)
    context = change_context(edit)
    if context is None:
        return
    order, link = edit.order, settlement.pay_link
    owed = due(order, payments_of(order)) if link else 0
    sums = {"refunded": _given_since(edit), "owed": owed}
    notify(
        kind="orders/changed",
        recipient=order.email,
        language=order.language,
        context={
            **context,
            **(link_context(link) if link else {}),
            **{
                name: money_text(amount, order.currency, order.language) if amount else ""
                for name, amount in sums.items()
            },
        },
        dedupe_key=f"order-changed:{edit_id}",
    )


def _given_since(edit: OrderEdit) -> int:
    """Minor units that settling gives back for an edit."""
    given = Refund.objects.filter(
        payment__order=edit.order, is_settlement=True, created_at__gte=edit.confirmed_at
    )
    return int(given.exclude(status=Refund.Status.FAILED).aggregate(n=Sum("amount"))["n"] or 0)


def settle(*, order: Order, is_mailed: bool = True) -> Settlement:
    """Bring what was paid for `order` to its total; repeatable, and safe at once.

    Refunds are written before any gateway is asked, each taken from what is left of its payment;
    one without an answer is finished by the reconciler. One that is refused is on the timeline,
    for staff. An order that was never confirmed is paid on its own page and gets no link. Not
    `is_mailed`: another mail tells of the link.
    """
    order = Order.objects.get(pk=order.pk)
    if order.status == states.CANCELLED:
        settle_cancelled(order_id=str(order.public_id))
        close_pay_link(order=order)
        return Settlement()
    refunds, unneeded = _decide(order)
    for refund in refunds:
        _finish(order, refund)
    for payment in unneeded:
        # Captured in this very moment, or the gateway can't be reached: the reconciler will see.
        with suppress(DomainError):
            void(payment=payment)
    order.refresh_from_db()
    if order.status == states.PENDING or not due(order, payments_of(order)):
        close_pay_link(order=order)
        return Settlement(tuple(refunds))
    return Settlement(tuple(refunds), create_pay_link(order=order, is_mailed=is_mailed))


def end_account(*, order: Order) -> Settlement:
    """Settle an order that was accepted on account (`accept_on_account`): what its payments don't
    cover now is asked for by a link. Repeatable."""
    waiting = Payment.objects.filter(order=order, gateway="manual", method=ON_ACCOUNT)
    if not waiting.exists():
        return Settlement()
    for payment in waiting.filter(status=Payment.Status.AUTHORIZED):
        void(payment=payment)
    return settle(order=order)


@transaction.atomic
def _decide(order: Order) -> tuple[list[Refund], list[Payment]]:
    """The refunds that are needed, written down, and the authorizations that aren't."""
    order = locked(Order.objects.filter(pk=order.pk)).get()
    payments = list(locked(Payment.objects.filter(order=order)))
    if payments:
        order = _record(order, payments)
    too_much = excess(order, payments)
    refunds = []
    for payment, amount in propose_refund(order, max(0, too_much)):
        refund = Refund.objects.create(
            payment=payment, amount=amount, reason=REASON, is_settlement=True
        )
        audit.record("payment.refund", payment, {"amount": amount, "reason": "settlement"})
        refunds.append(refund)
    if refunds:
        order = _record(order, payments)
    return refunds, _unneeded(payments, -too_much) if order.status != states.PENDING else []


def _record(order: Order, payments: Sequence[Payment]) -> Order:
    """Refunds under way settle as well."""
    return orders.record_payment(
        order=order, **{**sums_of(payments), "settled": settled_of(payments)}
    )


def _unneeded(payments: Sequence[Payment], needed: int) -> list[Payment]:
    """Authorizations of which nothing has to be captured; the first ones are captured first."""
    unneeded = []
    for payment in payments:
        if payment.status != Payment.Status.AUTHORIZED:
            continue
        if needed <= 0:
            unneeded.append(payment)
        needed -= payment.authorized_amount - payment.captured_amount
    return unneeded


def _finish(order: Order, refund: Refund) -> None:
    try:
        finish_refund(refund=refund)
    except GatewayRefused as error:
        logger.warning("refund refused: %s", error.code, extra={"refund": str(refund.public_id)})
        refund.refresh_from_db()
        orders.record_event(
            order=order,
            kind="refund_failed",
            message=refund.error_message,
            data={"refund": str(refund.public_id), "amount": refund.amount},
        )
