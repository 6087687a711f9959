"""Paying an order, or a part of it, from gift cards, store credit, and what a return gives back."""

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
from apps.payments.gateways.stored_value import ledger
from apps.payments.models import Payment, StoredValue, StoredValueEntry
from apps.payments.selectors import Tender
from apps.payments.services.applying import apply_state
from apps.payments.services.starting import OrderNotPayable, begin, drive, start_at_gateway

_Kind = StoredValueEntry.Kind
# The method of payments that wait for pieces to come back.
ON_ACCOUNT = "exchange"


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


@transaction.atomic
def pay_by_exchange(*, order: Order, amount: int, reference: str) -> Order:
    """Pay `amount` minor units of `order` by what `reference`, a return, gives back.

    A credit is made and spent in this transaction, so that nobody else can have it; once for each
    reference (IntegrityError). Raises OrderNotPayable (cancelled).
    """
    order = locked(Order.objects.filter(pk=order.pk)).get()
    if order.status == states.CANCELLED:
        raise OrderNotPayable()
    credit = StoredValue.objects.create(
        kind=StoredValue.Kind.EXCHANGE,
        store=order.store,
        currency=order.currency,
        initial_amount=amount,
        reference=reference,
    )
    _move(credit, ledger.Posting(_Kind.ISSUE, amount, f"issue:{credit.public_id}"))
    _charge(order, Tender(credit.public_id, credit.kind, "", amount, amount))
    order.refresh_from_db()
    return order


@transaction.atomic
def take_exchange_credit(*, reference: str, amount: int, key: str) -> bool:
    """Take off the credit of `reference` what came back onto it, to give it elsewhere; False if
    `key` has taken it before. Raises GiftCardChanged when less is there."""
    credit = locked(StoredValue.objects.filter(reference=reference)).get()
    if StoredValueEntry.objects.filter(key=key).exists():
        return False
    _move(credit, ledger.Posting(_Kind.ADJUST, -amount, key, reason=reference))
    return True


def _move(credit: StoredValue, posting: ledger.Posting) -> None:
    if ledger.post(rows=StoredValue.objects.filter(pk=credit.pk), posting=posting) is None:
        raise GiftCardChanged()


def accept_on_account(*, order: Order) -> Order:
    """Confirm an order before it is paid: pieces that are to come back will pay it.

    Belongs into the transaction that writes the order: nobody else is asked. `end_account` when
    they have come, or won't. Raises UnknownGateway where the store takes no manual payments.
    """
    drive(begin(order=order, gateway_code="manual", method=ON_ACCOUNT, amount=order.total))
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
