"""Gift cards that are sold: issued once the order is paid, taken back when the sale is undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from apps.core.locks import locked
from apps.core.money import allocate
from apps.orders import services as orders
from apps.orders import states
from apps.orders.models import Order, OrderLine
from apps.payments.gateways.stored_value import ledger
from apps.payments.models import GiftCard, Refund, StoredValue, StoredValueEntry
from apps.payments.services.gift_cards import AlreadyIssued, GiftCardDraft, disable, issue_gift_card

_Kind = StoredValueEntry.Kind


def _reference(line: OrderLine, number: int) -> str:
    return f"order-line:{line.public_id}:{number}"


@transaction.atomic
def issue_sold_cards(*, order_id: str) -> int:
    """One gift card for each piece of an order's gift-card lines; the number newly issued.

    Each is worth what was paid for it, so that what is owed is never more than what came in, and
    goes to whom the line names, else to the order's e-mail address. Only for an order that is paid
    and stands; repeatable.
    """
    order = locked(Order.objects.filter(public_id=UUID(order_id))).get()
    if order.status == states.CANCELLED or order.payment_status not in Order.COVERED:
        return 0
    issued = 0
    for line in order.lines.filter(variant__product__is_gift_card=True):
        worth = allocate(line.subtotal - line.discount, [1] * line.quantity)
        for number, amount in enumerate(worth):
            issued += amount > 0 and _issue(order, line, number, amount)
    return issued


def _issue(order: Order, line: OrderLine, number: int, amount: int) -> bool:
    with suppress(AlreadyIssued):
        draft = GiftCardDraft(
            store=order.store,
            currency=order.currency,
            amount=amount,
            language=order.language,
            reference=_reference(line, number),
            **{"recipient_email": order.email, **line.gift_card},
        )
        card = issue_gift_card(draft=draft).card
        orders.record_event(order=order, kind="gift_card_issued", message=str(card))
        return True
    return False


@transaction.atomic
def withdraw_sold_cards(*, order_id: str) -> int:
    """Take back the cards of an order that was cancelled or refunded whole; how many.

    A card that nobody spent from is emptied and disabled. One that was spent from stays: what is
    left is for staff to decide, who find it on the order's timeline. Repeatable.
    """
    order = locked(Order.objects.filter(public_id=UUID(order_id))).get()
    refunded = order.payment_status == Order.PaymentStatus.REFUNDED
    if order.status != states.CANCELLED and not refunded:
        return 0
    withdrawn = 0
    for card in _sold(order):
        if _spent(card):
            if not order.timeline.filter(kind="gift_card_spent", message=str(card)).exists():
                orders.record_event(order=order, kind="gift_card_spent", message=str(card))
            continue
        if card.balance:
            posting = ledger.Posting(
                *(_Kind.ADJUST, -card.balance, f"withdraw:{card.public_id}"),
                reason=str(_("The sale of the card was undone.")),
            )
            ledger.post(rows=StoredValue.objects.filter(pk=card.pk), posting=posting)
        disable(stored_value=card, reason=order.number)
        withdrawn += 1
    return withdrawn


def withdraw_refunded(*, refund_id: str) -> int:
    """The same, for the order that a refund belongs to."""
    refund = Refund.objects.select_related("payment__order").get(public_id=UUID(refund_id))
    return withdraw_sold_cards(order_id=str(refund.payment.order.public_id))


def _sold(order: Order) -> Iterator[GiftCard]:
    """The order's cards that are active, locked."""
    references = Q(pk__in=[])
    for line in order.lines.all():
        references |= Q(reference__startswith=f"order-line:{line.public_id}:")
    cards = GiftCard.objects.filter(references, status=StoredValue.Status.ACTIVE)
    yield from locked(cards)


def _spent(card: GiftCard) -> int:
    moved = card.entries.filter(kind__in=(_Kind.REDEEM, _Kind.REFUND))
    return -(moved.aggregate(n=Sum("delta"))["n"] or 0)
