"""Orders that staff make for somebody: a cart that no shopper finds, and prices they agree on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.checkout.models import Cart
from apps.checkout.services.carts import (
    CartClosed,
    add_line,
    change_line,
    create_cart,
    lock_open,
    remove_line,
)
from apps.core import audit
from apps.core.addresses import FIELDS
from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.money import Money
from apps.customers.models import Customer
from apps.stores.models import Store


class WrongPrice(DomainError):
    code = "wrong_price"
    message = _("A price in the cart's currency, not below zero, with a reason.")


class NotADraft(Conflict):
    code = "not_a_draft"
    message = _("This is a shopper's own cart.")


def require_draft(*, cart: Cart) -> None:
    """Raises NotADraft: what shoppers put into their carts is theirs to change."""
    if not cart.is_draft:
        raise NotADraft()


@transaction.atomic
def start_draft(
    *, store: Store, customer: Customer, lines: Mapping[str, int], currency: str | None = None
) -> Cart:
    """A draft for a customer, with pieces by SKU, that ships to the customer's default address.

    Raises UnknownCurrency, UnknownSKU, CartFull.
    """
    addresses: dict[str, Any] = {}
    for kind in ("shipping", "billing"):
        known = customer.addresses.filter(**{f"is_default_{kind}": True}).first()
        if known is not None:
            addresses[f"{kind}_address"] = {name: getattr(known, name) for name in FIELDS}
    cart = create_cart(
        store=store,
        currency=currency,
        customer=customer,
        lines=lines.items(),
        changes=addresses,
    )
    _make_draft(cart)
    if customer.language:
        cart.language = customer.language
        cart.save(update_fields=["language", "updated_at"])
    audit.record("cart.draft", cart, {"customer": str(customer.public_id)})
    return cart


@transaction.atomic
def agree_price(*, cart: Cart, line_id: str, price: Money | None, reason: str = "") -> None:
    """Sell a line at this price whatever the price list says; None: at the list's again.

    Makes the cart a draft. Promotions still apply to it. Raises CartClosed, NotFound, WrongPrice.
    """
    lock_open(cart)
    line = cart.lines.select_related("variant").filter(public_id=line_id).first()
    if line is None:
        raise NotFound()
    if price is not None and (price.currency != cart.currency or price.amount < 0 or not reason):
        raise WrongPrice(field="unit_price")
    before = line.agreed_price
    line.agreed_price = None if price is None else price.amount
    line.agreed_reason = reason
    line.save(update_fields=["agreed_price", "agreed_reason", "updated_at"])
    _make_draft(cart)
    changes = {"unit_price": [before, line.agreed_price], "reason": reason}
    audit.record("cart.price", cart, {"sku": line.variant.sku, **changes})


def _make_draft(cart: Cart) -> None:
    cart.is_draft = True
    cart.save(update_fields=["is_draft", "updated_at"])


@transaction.atomic
def agree_prices(*, cart: Cart, prices: Mapping[str, Money | None], reason: str) -> None:
    """Agree on the prices of several lines, by public id; those that stay aren't touched.

    Raises what `agree_price` raises.
    """
    known = {str(line.public_id): line.agreed_price for line in cart.lines.all()}
    for line_id, price in prices.items():
        if known.get(line_id) != (None if price is None else price.amount):
            agree_price(cart=cart, line_id=line_id, price=price, reason=reason)


@transaction.atomic
def set_draft_lines(*, cart: Cart, quantities: Mapping[str, int], added: Mapping[str, int]) -> None:
    """Set the quantities of lines by their public ids (0 takes one out), and add pieces by SKU.

    Raises CartClosed, NotFound, UnknownSKU, CartFull.
    """
    for line_id, quantity in quantities.items():
        if quantity:
            change_line(cart=cart, line_id=line_id, quantity=quantity)
        else:
            remove_line(cart=cart, line_id=line_id)
    for sku, quantity in added.items():
        add_line(cart=cart, sku=sku, quantity=quantity)


def discard_draft(*, cart: Cart) -> None:
    """Nothing comes of it: the draft is merged into nothing, and cleaned up as carts are.

    Raises CartClosed.
    """
    drafts = Cart.objects.filter(pk=cart.pk, is_draft=True, status=Cart.Status.OPEN)
    if not drafts.update(status=Cart.Status.MERGED, is_draft=False, updated_at=timezone.now()):
        raise CartClosed()
