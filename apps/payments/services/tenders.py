"""Paying an order, or a part of it, from gift cards and store credit."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.core.failpoints import failpoint
from apps.core.locks import locked
from apps.orders import states
from apps.orders.models import Order
from apps.payments.gateways.base import GatewayError
from apps.payments.models import Payment, StoredValue
from apps.payments.selectors import Tender
from apps.payments.services.applying import apply_state
from apps.payments.services.starting import OrderNotPayable, start_at_gateway


class GiftCardChanged(Conflict):
    """A card pays less than the shopper saw. In `extra["reason"]` why, a stable code."""

    code = "gift_card_changed"
    message = _("What a gift card pays has changed; please look at it again.")


def lock_tenders(*, tenders: Sequence[Tender]) -> None:
    """Take the balances' locks, in a transaction that takes stock's locks next."""
    list(locked(StoredValue.objects.filter(public_id__in=[tender.id for tender in tenders])))


@transaction.atomic
def apply_tenders(*, order: Order, tenders: Sequence[Tender]) -> Order:
    """Take each tender's amount from its balance, and book it as a captured payment of `order`.

    Belongs into the transaction that writes the order: either all of them pay, or nothing
    happened. A tender of zero is left out; the order is confirmed when they cover it. Repeating
    it for an order with tenders changes nothing. One with a problem is left out too: whether the
    shopper knows of it is the caller's business. Raises GiftCardChanged, OrderNotPayable.
    """
    order = locked(Order.objects.filter(pk=order.pk)).get()
    if order.status != states.PENDING:
        raise OrderNotPayable()
    paid = Payment.objects.filter(order=order, gateway__in={t.gateway for t in tenders})
    if paid.exists():
        return order
    for tender in tenders:
        if tender.amount:
            _charge(order, tender)
    order.refresh_from_db()
    return order


def _charge(order: Order, tender: Tender) -> None:
    payment = Payment.objects.create(
        order=order,
        gateway=tender.gateway,
        method=str(tender.id),
        currency=order.currency,
        amount=tender.amount,
    )
    try:
        state = start_at_gateway(payment)
    except GatewayError as error:
        raise GiftCardChanged(extra={"reason": error.code}) from error
    if not state.captured:
        raise GiftCardChanged(extra={"reason": state.error_code})
    failpoint("tender-charged")
    apply_state(payment=payment, state=state)
