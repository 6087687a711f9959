"""Gift cards and store credit on a cart. They are charged when the order is written."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.checkout.models import Cart
from apps.checkout.selectors.tenders import tenders_of
from apps.checkout.services.carts import lock_open
from apps.core.errors import Conflict, DomainError, NotFound
from apps.payments import services as payments
from apps.payments.selectors import Tender, store_credit_of

MAX_TENDERS = 10


class TooManyGiftCards(DomainError):
    code = "too_many_gift_cards"
    message = _("A cart takes at most %d gift cards.") % MAX_TENDERS


class NoStoreCredit(Conflict):
    code = "no_store_credit"
    message = _("There is no store credit in this currency.")


def add_gift_card(*, cart: Cart, code: str) -> None:
    """Pay a part of the cart by the gift card of a code.

    Counts the attempt, so it must not run in a transaction. Raises CartClosed, TooManyGiftCards,
    RateLimited, and what stands against the card: InvalidGiftCard, WrongCurrency,
    GiftCardExpired, GiftCardEmpty.
    """
    card = payments.look_up(code=code, currency=cart.currency)
    _add(cart, card.id, card.balance)


@transaction.atomic
def remove_gift_card(*, cart: Cart, last4: str) -> None:
    """Take off the card whose code ends so. Raises CartClosed, NotFound."""
    lock_open(cart)
    cards = [tender for tender in _now(cart) if tender.last4 and tender.last4 == last4.upper()]
    if not cards:
        raise NotFound()
    _remove(cart, cards[0].id)


def use_store_credit(*, cart: Cart) -> None:
    """Pay what gift cards leave by the store credit of the cart's customer.

    Raises CartClosed, NoStoreCredit.
    """
    accounts = store_credit_of(cart.customer) if cart.customer else []
    account = next((a for a in accounts if a.currency == cart.currency and a.balance), None)
    if account is None:
        raise NoStoreCredit()
    _add(cart, account.public_id, account.balance)


@transaction.atomic
def leave_store_credit(*, cart: Cart) -> None:
    """Take the store credit off. Raises CartClosed, NotFound."""
    lock_open(cart)
    credit = [tender for tender in _now(cart) if not tender.last4]
    if not credit:
        raise NotFound()
    _remove(cart, credit[0].id)


@transaction.atomic
def note_seen_tenders(*, cart: Cart) -> None:
    """The refusal shows what they pay now, so from now on that is what was seen."""
    lock_open(cart)
    balances = {str(t.id): 0 if t.problem else t.balance for t in _now(cart)}
    _save(cart, [{**e, "seen": balances.get(e["id"], 0)} for e in cart.tenders])


@transaction.atomic
def _add(cart: Cart, public_id: UUID, balance: int) -> None:
    lock_open(cart)
    cart.refresh_from_db(fields=["tenders"])
    others = [entry for entry in cart.tenders if entry["id"] != str(public_id)]
    if len(others) >= MAX_TENDERS:
        raise TooManyGiftCards(field="code")
    _save(cart, [*others, {"id": str(public_id), "seen": balance}])


def _remove(cart: Cart, public_id: UUID) -> None:
    _save(cart, [entry for entry in cart.tenders if entry["id"] != str(public_id)])


def _now(cart: Cart) -> list[Tender]:
    """As they are, whatever the cart costs."""
    cart.refresh_from_db(fields=["tenders"])
    return tenders_of(cart, total=0, at=timezone.now())


def _save(cart: Cart, tenders: list[dict[str, Any]]) -> None:
    cart.tenders = tenders
    cart.save(update_fields=["tenders", "updated_at"])
