"""Filling a cart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import EllipsisType
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from apps.checkout.events import VATNumberGiven
from apps.checkout.models import Cart, CartLine
from apps.checkout.selectors.carts import CartView, situation_of, vat_number_of, view_cart
from apps.core.addresses import clean_address
from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.events import publish
from apps.customers.models import Customer
from apps.customers.selectors import group_id_of
from apps.pricing.engines.till import parcel_of
from apps.pricing.services import Item, Offer, parts_of, quote_items, shipping_offers
from apps.products.models import Product, Variant
from apps.shipping.services import refresh_rates
from apps.stores.models import Store
from apps.stores.selectors import currency_for
from apps.taxes.selectors import split_vat_number
from apps.taxes.services import ask_engine

MAX_LINES = 200
MAX_QUANTITY = 1_000_000
ABANDONED_AFTER = timedelta(days=7)


class CartClosed(Conflict):
    code = "cart_closed"
    message = _("This cart was ordered already.")


class CartFull(DomainError):
    code = "cart_full"
    message = _("A cart holds at most %d different items of 1,000,000 pieces.") % MAX_LINES


class NotAGiftCard(DomainError):
    code = "not_a_gift_card"
    message = _("This item isn't a gift card.")


class UnknownSKU(DomainError):
    code = "unknown_sku"
    message = _("There is no such item here.")


@transaction.atomic
def create_cart(
    *,
    store: Store,
    currency: str | None = None,
    customer: Customer | None = None,
    lines: Iterable[tuple[str, int]] = (),
    source_key: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Cart:
    """A new cart with (SKU, quantity) lines; a customer's brings the customer's e-mail address.

    `changes` are those of `update_cart`. No price has been seen yet that could change. Raises
    UnknownCurrency, UnknownSKU, CartFull, InvalidAddress.
    """
    cart = Cart(
        store=store,
        currency=currency_for(store, currency),
        customer=customer,
        email=customer.email if customer else "",
        language=(translation.get_language() or "en")[:10],
        source_key=source_key,
    )
    _change(cart, changes or {})
    _add(cart, lines, have={}, seen=False)
    return cart


@transaction.atomic
def open_cart(
    *,
    store: Store,
    currency: str | None = None,
    customer: Customer | None = None,
    lines: Iterable[tuple[str, int]] = (),
) -> CartView:
    """A new cart as its shopper sees it: priced once, and these prices are the ones seen.

    Raises UnknownCurrency, UnknownSKU, CartFull.
    """
    view = view_cart(create_cart(store=store, currency=currency, customer=customer, lines=lines))
    note_seen_prices(view)
    return view


@transaction.atomic
def add_line(*, cart: Cart, sku: str, quantity: int) -> None:
    """Add pieces of a variant. Raises CartClosed, UnknownSKU, CartFull."""
    lock_open(cart)
    _add(cart, [(sku, quantity)], have=dict(cart.lines.values_list("variant_id", "quantity")))


@transaction.atomic
def change_line(
    *,
    cart: Cart,
    line_id: str,
    quantity: int | None = None,
    gift_card: Mapping[str, str] | EllipsisType | None = ...,
) -> None:
    """Set a line's quantity, or who gets its gift cards (None: the buyer).

    `gift_card` has a recipient_email and, if wanted, sender_name and message. Raises CartClosed,
    NotFound, NotAGiftCard.
    """
    lock_open(cart)
    line = cart.lines.select_related("variant__product").filter(public_id=line_id).first()
    if line is None:
        raise NotFound()
    if gift_card is not ...:
        if gift_card and not line.variant.product.is_gift_card:
            raise NotAGiftCard(field="gift_card")
        known = {"recipient_email": "", "sender_name": "", "message": ""}
        line.gift_card = {**known, **gift_card} if gift_card else {}
    if quantity is not None:
        line.quantity = quantity
        line.seen_price = _prices_now(cart, {line.variant: quantity}).get(line.variant_id)
    line.save(update_fields=["quantity", "seen_price", "gift_card", "updated_at"])


@transaction.atomic
def remove_line(*, cart: Cart, line_id: str) -> None:
    """Take a line out. Raises CartClosed, NotFound."""
    lock_open(cart)
    if not cart.lines.filter(public_id=line_id).delete()[0]:
        raise NotFound()


@transaction.atomic
def update_cart(*, cart: Cart, changes: Mapping[str, Any]) -> None:
    """Set email, addresses, shipping_method or note. Raises CartClosed, InvalidAddress.

    Addresses may still be incomplete, not wrong for their country.
    """
    lock_open(cart)
    _change(cart, changes)


def _change(cart: Cart, changes: Mapping[str, Any]) -> None:
    known = vat_number_of(cart)
    for name, value in changes.items():
        if name in ("shipping_address", "billing_address"):
            setattr(cart, name, clean_address(value, partial=True) if value else {})
        else:
            setattr(cart, name, value or "")
    cart.save()
    number = vat_number_of(cart)
    if number not in ("", known) and split_vat_number(number):
        publish(VATNumberGiven(store=cart.store.code, number=number))


@transaction.atomic
def change_currency(*, cart: Cart, currency: str) -> None:
    """Price the cart in another currency of its store; gift cards, which have one, are taken off.

    Raises CartClosed, UnknownCurrency.
    """
    lock_open(cart)
    cart.currency, cart.tenders = currency_for(cart.store, currency), []
    cart.save(update_fields=["currency", "tenders", "updated_at"])
    cart.lines.update(seen_price=None)


def offer_shipping(*, cart: Cart) -> list[Offer]:
    """The methods for the cart's address and goods, with their prices.

    Carriers and a tax engine are asked first, outside of any transaction; what they say is what
    quotes read later.
    """
    ask_tax_engine(cart=cart)
    view = view_cart(cart)
    situation, basket = view.situation, view.quotation.basket
    refresh_rates(
        store=situation.store,
        currency=situation.currency,
        address=situation.address,
        parcel=parcel_of(basket.lines),
        at=situation.at,
        parts=lambda: parts_of(situation=situation, items=view.quotation.items),
    )
    return shipping_offers(situation=situation, quotation=view.quotation)


def ask_tax_engine(*, cart: Cart) -> None:
    """Have the store's tax engine, if it has one, say the rates of the cart's address.

    Call it outside of a transaction: it waits for the network.
    """
    ask_engine(situation_of(cart, at=timezone.now()).tax_question)


@transaction.atomic
def delete_cart(*, cart: Cart) -> None:
    """Empty the shelf. Raises CartClosed."""
    lock_open(cart)
    cart.delete()


@transaction.atomic
def claim_cart(*, cart: Cart, customer: Customer) -> None:
    """A guest signed in: the cart becomes theirs, and takes in what their last one held.

    Raises CartClosed.
    """
    lock_open(cart)
    older = (
        Cart.objects.filter(
            customer=customer, store=cart.store, status=Cart.Status.OPEN, is_draft=False
        )
        .exclude(pk=cart.pk)
        .order_by("-updated_at", "-pk")
        .first()
    )
    if older is not None:
        have = set(cart.lines.values_list("variant_id", flat=True))
        for line in older.lines.exclude(variant_id__in=have)[: MAX_LINES - len(have)]:
            CartLine.objects.filter(pk=line.pk).update(cart=cart, seen_price=None)
        Cart.objects.filter(pk=older.pk).update(status=Cart.Status.MERGED)
    cart.customer = customer
    cart.email = cart.email or customer.email
    cart.save()


def reopen_cart(*, source: str) -> bool:
    """The order of a cart was cancelled before it was paid: the cart can be ordered again."""
    kind, _colon, public_id = source.partition(":")
    reopened = Cart.objects.filter(public_id=public_id, status=Cart.Status.ORDERED)
    return kind == "cart" and bool(
        reopened.update(status=Cart.Status.OPEN, updated_at=timezone.now())
    )


def cleanup_carts(*, now: datetime | None = None, limit: int = 5000) -> int:
    """Delete carts that nobody touched for seven days and that no order stands for."""
    stale = Cart.objects.filter(
        status__in=(Cart.Status.OPEN, Cart.Status.MERGED),
        is_draft=False,
        updated_at__lt=(now or timezone.now()) - ABANDONED_AFTER,
    ).order_by("pk")
    ids = list(stale.values_list("pk", flat=True)[:limit])
    CartLine.objects.filter(cart_id__in=ids).delete()
    return stale.filter(pk__in=ids).delete()[0]


def note_seen_prices(view: CartView) -> None:
    """From now on the prices of this view are the ones that the shopper saw."""
    changed = []
    for entry in view.lines:
        if entry.shelf_price is not None and entry.shelf_price != entry.line.seen_price:
            entry.line.seen_price = entry.shelf_price
            changed.append(entry.line)
    CartLine.objects.bulk_update(changed, ["seen_price"])


def lock_open(cart: Cart) -> None:
    """Lock the cart's row; whoever orders it at the same moment waits, or has won."""
    still_open = Cart.objects.filter(pk=cart.pk, status=Cart.Status.OPEN)
    if not still_open.update(updated_at=timezone.now()):
        raise CartClosed()


def _add(
    cart: Cart, wanted: Iterable[tuple[str, int]], *, have: Mapping[int, int], seen: bool = True
) -> None:
    """Add pieces by SKU to what the cart holds (`have`: quantities by variant id)."""
    total: dict[str, int] = {}
    for sku, quantity in wanted:
        total[sku] = total.get(sku, 0) + quantity
    if not total:
        return
    variants = _variants(cart, list(total))
    if unknown := sorted(set(total) - set(variants)):
        raise UnknownSKU(field="sku", extra={"unknown": unknown[:20]})
    by_variant = {variants[sku].pk: quantity for sku, quantity in total.items()}
    summed = {pk: quantity + have.get(pk, 0) for pk, quantity in by_variant.items()}
    if len(have.keys() | summed.keys()) > MAX_LINES or max(summed.values()) > MAX_QUANTITY:
        raise CartFull()
    pieces = {variants[sku]: summed[variants[sku].pk] for sku in total}
    prices = _prices_now(cart, pieces) if seen else {}
    for pk, quantity in by_variant.items():
        if pk in have:
            cart.lines.filter(variant_id=pk).update(
                quantity=F("quantity") + quantity, seen_price=prices.get(pk)
            )
    CartLine.objects.bulk_create(
        CartLine(cart=cart, variant_id=pk, quantity=quantity, seen_price=prices.get(pk))
        for pk, quantity in by_variant.items()
        if pk not in have
    )


def _variants(cart: Cart, skus: list[str]) -> dict[str, Variant]:
    on_sale = Product.objects.published(
        cart.store_id, timezone.now(), group_id=group_id_of(cart.customer)
    )
    found = Variant.objects.filter(sku__in=skus, is_active=True, product__in=on_sale.values("pk"))
    return {variant.sku: variant for variant in found.select_related("product")}


def _prices_now(cart: Cart, wanted: Mapping[Variant, int]) -> dict[int, int]:
    """What the shop's lists show now for so many pieces, by variant id."""
    items = [Item(str(variant.pk), variant, quantity) for variant, quantity in wanted.items()]
    quoted = quote_items(situation=situation_of(cart, at=timezone.now()), items=items).quote
    return {int(line.key): line.shelf_price for line in quoted.lines if not line.is_gift}
