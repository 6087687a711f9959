"""A cart as it stands now: its lines, the till's sum, and what keeps it from being ordered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.checkout.models import Cart, CartLine
from apps.checkout.selectors.tenders import pays_less, tenders_of
from apps.core.addresses import InvalidAddress, clean_address
from apps.core.emails import email_key
from apps.core.errors import NotFound
from apps.core.invariants import invariant
from apps.customers.models import Customer
from apps.customers.selectors import group_id_of
from apps.inventory.selectors import availability
from apps.orders.models import Order
from apps.orders.selectors import has_ordered
from apps.payments.selectors import Tender
from apps.pricing import services as pricing
from apps.products.models import OptionValue, Product
from apps.products.selectors import nearest_quantity, quantity_problem
from apps.stores.models import Store

# Reasons why a promotion will not apply, whatever the shopper puts into the cart.
LOST = ("ended", "used_up", "used_up_by_customer", "not_first_order")
# Codes that a shopper mends by filling something in; the others say that the shop changed.
INCOMPLETE = (
    "empty",
    "missing_email",
    "missing_address",
    "missing_shipping_method",
    "below_minimum",
    "above_maximum",
    "wrong_step",
)
_QUANTITIES = {
    "below_minimum": _("At least %(allowed)s pieces."),
    "above_maximum": _("At most %(allowed)s pieces."),
    "wrong_step": _("Only in certain steps: %(allowed)s, for example."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps the cart from being ordered. `data` are further JSON members."""

    code: str
    message: Any
    line_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with its price now. `unit_price` is None when the variant isn't sold any more."""

    line: CartLine
    unit_price: int | None
    # Before a promotion that lists show, and as lists show it (see `till.QuoteLine`).
    list_price: int | None
    shelf_price: int | None
    line_total: int
    available: int | None

    @property
    def sellable(self) -> bool:
        return self.unit_price is not None


@dataclass(frozen=True, slots=True)
class CartView:
    cart: Cart
    lines: list[LineView]
    situation: pricing.Situation
    quotation: pricing.Quotation
    problems: list[Problem]
    tenders: list[Tender]

    @property
    def due(self) -> int:
        """Minor units that gift cards and store credit leave to pay."""
        return self.quote.total - sum(tender.amount for tender in self.tenders)

    @property
    def quote(self) -> Any:
        return self.quotation.quote


def carts_for_reading() -> QuerySet[Cart]:
    """Carts with what pricing them needs."""
    return Cart.objects.select_related("store__tax_settings", "customer__group")


def source_of(cart: Cart) -> str:
    """How the order of this cart is keyed: one cart, one order."""
    return f"cart:{cart.public_id}"


def order_of(cart: Cart) -> Order | None:
    """The order that stands for this cart."""
    return Order.objects.select_related("store").filter(source=source_of(cart)).first()


def cart_for_shopper(*, cart_id: str, customer_id: int | None) -> Cart:
    """A guest's cart by its unguessable id; a customer's only for that customer.

    Raises NotFound.
    """
    cart = carts_for_reading().filter(public_id=cart_id[:40], is_draft=False).first()
    if cart is None or cart.status == Cart.Status.MERGED:
        raise NotFound()
    if cart.customer_id is not None and cart.customer_id != customer_id:
        raise NotFound()
    return cart


def pieces_in(cart: Cart) -> int:
    """How many pieces a cart holds."""
    return cart.lines.aggregate(pieces=Coalesce(Sum("quantity"), 0))["pieces"]


def open_cart_of(customer: Customer, store: Store) -> Cart | None:
    """The open cart that a customer touched last."""
    mine = carts_for_reading().filter(
        customer=customer, store=store, status=Cart.Status.OPEN, is_draft=False
    )
    return mine.order_by("-updated_at", "-pk").first()


def _lines(cart: Cart) -> QuerySet[CartLine]:
    values = OptionValue.objects.select_related("option")
    return cart.lines.select_related("variant__product").prefetch_related(
        Prefetch("variant__option_values", queryset=values)
    )


def _address_of(cart: Cart) -> dict[str, str]:
    """Where it goes, with the VAT number, which may stand in the billing address alone."""
    address = dict(cart.shipping_address or {})
    if number := vat_number_of(cart):
        address["vat_number"] = number
    return address


def vat_number_of(cart: Cart) -> str:
    """The VAT number that the shopper gave; or ""."""
    for address in (cart.shipping_address, cart.billing_address):
        if address and address.get("vat_number"):
            return str(address["vat_number"])
    return ""


def situation_of(cart: Cart, *, at: datetime) -> pricing.Situation:
    """Where, when and for whom a cart is priced."""
    customer = cart.customer
    group = customer.group if customer else None
    return pricing.Situation(
        store=cart.store,
        currency=cart.currency,
        at=at,
        address=_address_of(cart),
        group_id=group.pk if group else None,
        group=group.code if group else "",
        customer_id=cart.customer_id,
        customer_key=email_key(cart.email),
        codes=tuple(cart.codes),
        is_first_order=lambda: (
            not has_ordered(email_key=email_key(cart.email), customer_id=cart.customer_id)
        ),
    )


def view_cart(cart: Cart, *, at: datetime | None = None, explain: bool = False) -> CartView:
    """The cart, priced and checked at a moment. Reads only, in a constant number of queries."""
    at = at or timezone.now()
    lines = list(_lines(cart))
    situation = situation_of(cart, at=at)
    on_sale = _on_sale(cart, lines, at)
    items = [
        pricing.Item(str(line.public_id), line.variant, line.quantity, _agreed(line))
        for line in lines
        if line.variant.product_id in on_sale and line.variant.is_active
    ]
    quotation = pricing.quote_items(
        situation=situation, items=items, shipping_method=cart.shipping_method, explain=explain
    )
    free = availability(
        store_id=cart.store_id,
        variant_ids=[line.variant_id for line in lines if line.variant.track_inventory],
    )
    quoted = {line.key: line for line in quotation.quote.lines}
    views = []
    for line in lines:
        priced = quoted.get(str(line.public_id))
        views.append(
            LineView(
                line=line,
                unit_price=priced.unit_price if priced else None,
                line_total=priced.subtotal - priced.discount if priced else 0,
                available=free.get(line.variant_id),
                shelf_price=priced.shelf_price if priced else None,
                list_price=priced.list_price if priced else None,
            )
        )
    problems = [*_line_problems(views), *_cart_problems(cart, quotation, bool(views))]
    tenders = tenders_of(cart, total=quotation.quote.total, at=at)
    if pays_less(cart, tenders, quotation.quote.total):
        problems.append(Problem("gift_card_changed", _("What a gift card pays has changed.")))
    return CartView(cart, views, situation, quotation, problems, tenders)


def _agreed(line: CartLine) -> pricing.AgreedPrice | None:
    price = line.agreed_price
    return None if price is None else pricing.AgreedPrice(price, price, unit_price=price)


def _on_sale(cart: Cart, lines: list[CartLine], at: datetime) -> set[int]:
    products = {line.variant.product_id for line in lines}
    published = Product.objects.published(cart.store_id, at, group_id=group_id_of(cart.customer))
    return set(published.filter(pk__in=products).values_list("pk", flat=True))


def _line_problems(views: list[LineView]) -> Iterator[Problem]:
    for view in views:
        line_id, sku = str(view.line.public_id), view.line.variant.sku
        if not view.sellable:
            yield Problem("unavailable", _("This item is no longer sold."), line_id, {"sku": sku})
            continue
        variant, quantity = view.line.variant, view.line.quantity
        if wrong := quantity_problem(variant, quantity):
            allowed = nearest_quantity(variant, quantity)
            message = _QUANTITIES[wrong] % {"allowed": allowed}
            yield Problem(wrong, message, line_id, {"sku": sku, "allowed": allowed})
        if view.available is not None and view.available < view.line.quantity:
            message = _("Only %(left)s left.") % {"left": view.available}
            yield Problem(
                "out_of_stock", message, line_id, {"sku": sku, "available": view.available}
            )
        is_agreed = view.line.agreed_price is not None
        if not is_agreed and view.line.seen_price not in (None, view.shelf_price):
            yield Problem("price_changed", _("The price has changed."), line_id, {"sku": sku})


def _cart_problems(cart: Cart, quotation: pricing.Quotation, has_lines: bool) -> Iterator[Problem]:
    if not has_lines:
        yield Problem("empty", _("The cart is empty."))
    if not cart.email:
        yield Problem("missing_email", _("An e-mail address is needed."))
    needs_shipping = quotation.quote.requires_shipping
    address = cart.shipping_address or (not needs_shipping and cart.billing_address) or {}
    try:
        clean_address(address)
    except InvalidAddress as error:
        yield Problem(
            "missing_address", _("A complete address is needed."), None, {"fields": error.problems}
        )
    for code in lost_codes(cart, quotation):
        message = _("The code %(code)s can't be used any more.") % {"code": code}
        yield Problem("code_unusable", message, None, {"discount_code": code})
    if quotation.shipping_unavailable:
        yield Problem("shipping_unavailable", _("The shipping method doesn't serve this address."))
    elif needs_shipping and not cart.shipping_method:
        yield Problem("missing_shipping_method", _("Choose how it is shipped."))


def lost_codes(cart: Cart, quotation: pricing.Quotation) -> list[str]:
    """Typed codes that no change of this cart will make work: ended, used up, withdrawn."""
    verdicts = {v["coupon"]: v["reason"] for v in quotation.verdicts if v["coupon"]}
    return [
        code for code in cart.codes if code in quotation.unknown_codes or verdicts.get(code) in LOST
    ]


@invariant("a cart that is ordered has its order, and none has two")
def _ordered_carts() -> Iterator[str]:
    sources = set(Order.objects.filter(source__startswith="cart:").values_list("source", flat=True))
    for public_id in Cart.objects.filter(status=Cart.Status.ORDERED).values_list(
        "public_id", flat=True
    ):
        if f"cart:{public_id}" not in sources:
            yield f"cart {public_id} is ordered, but no order says so"
