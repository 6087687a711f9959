"""Discount codes on a cart."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.checkout.models import Cart
from apps.checkout.selectors.carts import LOST, view_cart
from apps.checkout.services.carts import lock_open
from apps.checkout.services.tenders import add_gift_card
from apps.core.errors import DomainError, NotFound
from apps.core.ratelimit import ACCOUNT, ALL, NETWORK, Limit, hit_caller
from apps.payments.models import InvalidGiftCard
from apps.promotions.services import normalised_code

MAX_CODES = 20
# Codes are short enough to be guessed: so many an hour, right ones too.
GUESSES = (
    Limit("code", by=NETWORK, most=30, seconds=3600),
    Limit("code", by=ACCOUNT, most=30, seconds=3600),
    Limit("code", by=ALL, most=10_000, seconds=3600),
)


class UnknownCode(DomainError):
    code = "unknown_code"
    message = _("There is no such code.")


class CodeEnded(DomainError):
    code = "coupon_expired"
    message = _("This code can't be used any more.")


class CodeUsedUp(DomainError):
    code = "coupon_used_up"
    message = _("This code has been used as often as it may be.")


class TooManyCodes(DomainError):
    code = "too_many_codes"
    message = _("A cart takes at most %d codes.") % MAX_CODES


_REFUSALS = {
    "ended": CodeEnded,
    "not_first_order": CodeEnded,
    "used_up": CodeUsedUp,
    "used_up_by_customer": CodeUsedUp,
}


def add_code(*, cart: Cart, code: str) -> None:
    """Put what a shopper typed on a cart: a discount code, or else a gift card's.

    Raises what `add_gift_card` raises of a gift card, and UnknownCode when it is neither.
    """
    try:
        _add_discount(cart, code)
    except UnknownCode:
        cart.refresh_from_db(fields=["codes"])
        try:
            add_gift_card(cart=cart, code=code)
        except InvalidGiftCard as error:
            raise UnknownCode(field="code") from error


def _add_discount(cart: Cart, code: str) -> None:
    """One whose conditions aren't met yet waits there for them.

    Raises CartClosed, UnknownCode, CodeEnded, CodeUsedUp, TooManyCodes, and RateLimited for who
    tries too many.
    """
    wanted = normalised_code(code)
    if wanted in cart.codes:
        return
    # Outside of the transaction: what is rolled back would not be counted.
    hit_caller(*GUESSES)
    with transaction.atomic():
        lock_open(cart)
        cart.refresh_from_db(fields=["codes"])
        if wanted in cart.codes:
            return
        if len(cart.codes) >= MAX_CODES:
            raise TooManyCodes(field="code")
        cart.codes = [*cart.codes, wanted]
        _refuse_lost(cart, wanted)
        cart.save(update_fields=["codes", "updated_at"])


def _refuse_lost(cart: Cart, code: str) -> None:
    quotation = view_cart(cart, at=timezone.now()).quotation
    if code in quotation.unknown_codes:
        raise UnknownCode(field="code")
    for verdict in quotation.verdicts:
        if verdict["coupon"] == code and verdict["reason"] in LOST:
            raise _REFUSALS[verdict["reason"]](field="code")


@transaction.atomic
def remove_code(*, cart: Cart, code: str) -> None:
    """Take a code off a cart. Raises CartClosed, and NotFound when it isn't on it."""
    lock_open(cart)
    cart.refresh_from_db(fields=["codes"])
    unwanted = normalised_code(code)
    if unwanted not in cart.codes:
        raise NotFound()
    cart.codes = [kept for kept in cart.codes if kept != unwanted]
    cart.save(update_fields=["codes", "updated_at"])
