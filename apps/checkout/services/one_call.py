"""A whole checkout in one call: a cart is filled, and ordered at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from apps.checkout.models import Cart
from apps.checkout.selectors import cart_json, view_cart
from apps.checkout.selectors.carts import carts_for_reading
from apps.checkout.services.carts import create_cart, note_seen_prices
from apps.checkout.services.codes import add_code
from apps.checkout.services.drafts import agree_price
from apps.checkout.services.placing import PaymentChoice, Placed, place_order
from apps.core.errors import Conflict
from apps.core.money import Money
from apps.customers.models import Customer
from apps.promotions import services as promotions
from apps.stores.models import Store


@dataclass(frozen=True, slots=True)
class Wish:
    """A whole checkout in one call."""

    lines: Sequence[tuple[str, int]]
    email: str
    shipping_address: Mapping[str, Any]
    billing_address: Mapping[str, Any] | None = None
    shipping_method: str = ""
    note: str = ""
    currency: str | None = None
    discounts: Sequence[str] = ()
    # By SKU, a price that staff agreed on, and why.
    prices: Mapping[str, tuple[Money, str]] = field(default_factory=dict)


def preview_wish(*, store: Store, wish: Wish, customer: Customer | None) -> dict[str, Any]:
    """The cart document of what `order_in_one_call` would order; writes nothing."""
    with transaction.atomic():
        cart = fill(store=store, wish=wish, customer=customer)
        codes = [promotions.normalised_code(code) for code in wish.discounts]
        Cart.objects.filter(pk=cart.pk).update(codes=list(dict.fromkeys(codes)))
        document = cart_json(view_cart(carts_for_reading().get(pk=cart.pk)))
        transaction.set_rollback(True)
    return document


def order_in_one_call(
    *,
    store: Store,
    wish: Wish,
    payment: PaymentChoice | None,
    customer: Customer | None = None,
    expected_total: Money | None = None,
    key: str | None = None,
) -> tuple[Cart, Placed]:
    """Cart, address, method and order in one call. With a `key`, a retry finds its own cart.

    Raises what the single steps raise; `error.cart` of a refusal is the cart to go on with.
    """
    cart = key and carts_for_reading().filter(source_key=key).first()
    if not cart:
        cart = fill(store=store, wish=wish, customer=customer, key=key)
    try:
        if cart.status == Cart.Status.OPEN:
            # Outside of a transaction, so that guesses are counted; a retry adds what is missing.
            for code in wish.discounts:
                add_code(cart=cart, code=code)
        return cart, place_order(cart=cart, payment=payment, expected_total=expected_total)
    except Conflict as error:
        # It comes with the fresh cart.
        note_seen_prices(view_cart(cart))
        error.extra.setdefault("cart_id", cart.public_id)
        raise


@transaction.atomic
def fill(*, store: Store, wish: Wish, customer: Customer | None, key: str | None = None) -> Cart:
    """A cart with all that is wished for but its discount codes. Raises as `create_cart` does."""
    cart = create_cart(
        store=store,
        currency=wish.currency,
        customer=customer,
        lines=wish.lines,
        source_key=key,
        changes={
            "email": wish.email,
            "shipping_address": wish.shipping_address,
            "billing_address": wish.billing_address or {},
            "shipping_method": wish.shipping_method,
            "note": wish.note,
        },
    )
    for line in cart.lines.filter(variant__sku__in=wish.prices).select_related("variant"):
        price, reason = wish.prices[line.variant.sku]
        agree_price(cart=cart, line_id=str(line.public_id), price=price, reason=reason)
    return cart
