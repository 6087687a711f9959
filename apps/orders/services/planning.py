"""What an edit would make of an order: the till is asked again, on the terms of the sale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.addresses import clean_address
from apps.core.emails import email_key
from apps.customers.selectors import group_id_of
from apps.inventory.selectors import availability, committed_to
from apps.orders.models import Order, OrderEdit, OrderLine
from apps.orders.selectors import has_ordered, is_being_packed
from apps.orders.services.changes import (
    EDITABLE,
    MAX_LINES,
    AlreadyShipped,
    BeingPacked,
    InvalidChange,
    LineChange,
    NotEditable,
    OrderChanges,
    Plan,
    PlannedLine,
)
from apps.orders.services.sales import lines_of, place_of, sale_of, version_of
from apps.pricing import services as pricing
from apps.products.models import OptionValue, Product, Variant


def plan(*, order: Order, changes: OrderChanges) -> Plan:
    """Quote an order again with `changes`. Reads only; `order` comes with its store and customer.

    Prices, taxes and promotions are those of the day of the sale: a line keeps its price, a
    variant that is added costs what it cost then, a promotion that has ended since still counts.
    Shipping keeps its price until the method or the place becomes another one. Raises
    NotEditable, BeingPacked, InvalidChange, AlreadyShipped, ShippingUnavailable, InvalidAddress.
    """
    if changes == OrderChanges():
        raise InvalidChange("nothing_to_change", _("Nothing would change."))
    if order.status not in EDITABLE:
        raise NotEditable(extra={"order_status": order.status})
    if is_being_packed(order):
        raise BeingPacked()
    return _Planning(order, changes).plan()


class _Planning:
    """One plan in the making."""

    def __init__(self, order: Order, changes: OrderChanges) -> None:
        self.order, self.changes = order, changes
        self.lines = lines_of(order)
        now = sale_of(order, self.lines)
        earlier = order.edits.filter(status=OrderEdit.Status.CONFIRMED).order_by("-pk")
        # The newest terms first.
        self.sales = [now, *earlier.values_list("before", flat=True)]
        self.now = {row["id"]: row for row in now["lines"]}
        self.shipping_address = _changed(order.shipping_address, changes.shipping_address)
        self.billing_address = _changed(order.billing_address, changes.billing_address)
        self.place = place_of(self.shipping_address, self.billing_address)
        method = changes.shipping_method
        self.method = order.shipping_method if method is None else method

    def plan(self) -> Plan:
        wanted = dict(self._wanted())
        if not wanted:
            raise InvalidChange("empty_order", _("Nothing would be left; cancel the order."))
        kept = {key: line for key, (line, _item) in wanted.items() if line is not None}
        items = [item for _line, item in wanted.values()]
        gifts = tuple(self._gifts([i for i in items if i.key.startswith("gift:")]))
        goods = [item for item in items if not item.key.startswith("gift:")]
        quotation = pricing.quote_items(
            situation=self._situation(),
            items=goods,
            shipping_method=self.method,
            terms=self._terms(gifts),
        )
        if quotation.unpriced:
            raise InvalidChange("no_price", _("This item has no price here."))
        needs_method = quotation.quote.requires_shipping and not self.method
        if quotation.shipping_unavailable or needs_method:
            raise pricing.ShippingUnavailable()
        variants = {item.key: item.variant for item in items}
        lines = tuple(
            PlannedLine(kept.get(quoted.key), variants[quoted.key], quoted)
            for quoted in quotation.quote.lines
        )
        planned = Plan(
            order=self.order,
            version=version_of(self.order, self.lines),
            lines=lines,
            removed=tuple(line for line in self.lines if line not in kept.values()),
            quotation=quotation,
            shipping_address=self.shipping_address,
            billing_address=self.billing_address,
            problems=(),
        )
        return _with_problems(planned)

    def _wanted(self) -> Iterator[tuple[str, tuple[OrderLine | None, pricing.Item]]]:
        """Each line that is left, by its key in the quote."""
        by_line, added = self._asked()
        prices = {change.sku: change.unit_price for change in self.changes.lines if change.sku}
        for line in self.lines:
            change = by_line.get(str(line.public_id), LineChange())
            quantity = line.quantity if change.quantity is None else change.quantity
            if line.sku in added and not self._gift(line):
                quantity += added.pop(line.sku)
                if change.unit_price is None:
                    change = replace(change, unit_price=prices[line.sku])
            if quantity < line.fulfilled_quantity:
                raise AlreadyShipped(extra={"lines": [str(line.public_id)]})
            self._check(line, change, quantity)
            if quantity:
                key = self._gift(line) or str(line.public_id)
                yield key, (line, self._item(key, line, quantity, change.unit_price))
        variants = self._variants(list(added))
        for sku, quantity in added.items():
            agreed = _typed(prices[sku]) or self._agreed(sku=sku)
            yield f"new:{sku}", (None, pricing.Item(f"new:{sku}", variants[sku], quantity, agreed))

    def _asked(self) -> tuple[dict[str, LineChange], dict[str, int]]:
        """Changes by line, and pieces that are added by SKU. Raises InvalidChange."""
        by_line: dict[str, LineChange] = {}
        added: dict[str, int] = {}
        known = {str(line.public_id) for line in self.lines}
        for change in self.changes.lines:
            if change.sku:
                if change.sku in added or not change.quantity:
                    raise InvalidChange("invalid_line", _("Name each item once, with a quantity."))
                added[change.sku] = change.quantity
            elif change.line not in known or change.line in by_line:
                raise InvalidChange("unknown_line", _("This line isn't part of the order."))
            else:
                by_line[change.line] = change
        if len(known) + len(added) > MAX_LINES:
            raise InvalidChange("too_many_lines", _("An order has at most %d lines.") % MAX_LINES)
        return by_line, added

    def _gift(self, line: OrderLine) -> str:
        return str(self.now[str(line.public_id)]["gift"])

    def _check(self, line: OrderLine, change: LineChange, quantity: int) -> None:
        changed = quantity != line.quantity or change.unit_price is not None
        if not changed:
            return
        if line.variant is None:
            raise InvalidChange("unknown_sku", _("This item isn't in the catalogue any more."))
        if line.variant.product.is_gift_card and self.order.captured_amount:
            raise InvalidChange("gift_card_issued", _("Gift cards that are paid stay as they are."))
        other_price = change.unit_price not in (None, line.unit_price)
        if line.returned_quantity and other_price:
            raise InvalidChange("returned", _("Pieces of this line came back at its price."))
        if self._gift(line) and (quantity > line.quantity or change.unit_price is not None):
            raise InvalidChange("gift", _("A free gift can only be taken out."))

    def _item(
        self, key: str, line: OrderLine, quantity: int, unit_price: int | None
    ) -> pricing.Item:
        if line.variant is None:
            raise InvalidChange("unknown_sku", _("This item isn't in the catalogue any more."))
        agreed = _typed(unit_price) or self._agreed(line=line)
        return pricing.Item(key, line.variant, quantity, agreed)

    def _agreed(
        self, *, line: OrderLine | None = None, sku: str = ""
    ) -> pricing.AgreedPrice | None:
        """The price that a line has, or that a variant had in this order before.

        For another place than the one it was agreed for, it is made of its shelf price anew.
        """
        name, value = ("id", str(line.public_id)) if line else ("sku", sku)
        found = [
            (sale["place"], row)
            for sale in self.sales
            for row in sale["lines"]
            if row[name] == value and (line or not row["gift"])
        ]
        if not found:
            return None
        row = found[0][1]
        here = (
            other
            for place, other in found
            if place == self.place and other["shelf_price"] == row["shelf_price"]
        )
        settled = next(here, None)
        return pricing.AgreedPrice(
            shelf_price=row["shelf_price"],
            list_price=(settled or row)["list_price"],
            promotion=row["promotion"],
            unit_price=settled["unit_price"] if settled else None,
        )

    def _variants(self, skus: list[str]) -> dict[str, Variant]:
        if not skus:
            return {}
        group = group_id_of(self.order.customer)
        on_sale = Product.objects.published(self.order.store_id, timezone.now(), group_id=group)
        found = Variant.objects.filter(
            sku__in=skus, is_active=True, product__in=on_sale.values("pk")
        )
        values = OptionValue.objects.select_related("option")
        found = found.select_related("product").prefetch_related(
            Prefetch("option_values", queryset=values)
        )
        variants = {variant.sku: variant for variant in found}
        if unknown := sorted(set(skus) - set(variants)):
            raise InvalidChange("unknown_sku", _("There is no such item here."), unknown=unknown)
        return variants

    def _gifts(self, items: Sequence[pricing.Item]) -> Iterator[pricing.GivenGift]:
        given = {
            row["code"]: row for row in self.order.quote["discounts"] if row["target"] == "gift"
        }
        for item in items:
            code = item.key.removeprefix("gift:")
            yield pricing.GivenGift(item, code, given[code]["coupon"], given[code]["name"])

    def _terms(self, gifts: tuple[pricing.GivenGift, ...]) -> pricing.Terms:
        here = (
            sale
            for sale in self.sales
            if sale["shipping_price"] is not None
            and (sale["place"], sale["shipping_method"]) == (self.place, self.method)
        )
        sale = next(here, None) or {"shipping_name": "", "shipping_price": None}
        return pricing.Terms(
            reference=self.order.reference,
            shipping_name=sale["shipping_name"],
            shipping_price=sale["shipping_price"],
            gifts=gifts,
        )

    def _situation(self) -> pricing.Situation:
        order = self.order
        group = order.customer.group if order.customer else None
        number = self.place[-1]
        return pricing.Situation(
            store=order.store,
            currency=order.currency,
            at=order.created_at,
            address={**self.shipping_address, **({"vat_number": number} if number else {})},
            group_id=group.pk if group else None,
            group=group.code if group else "",
            customer_id=order.customer_id,
            customer_key=email_key(order.email),
            codes=_codes(order.quote),
            is_first_order=lambda: (
                not has_ordered(
                    email_key=order.email_key,
                    customer_id=order.customer_id,
                    before=order.split_from_id or order.pk,
                )
            ),
        )


def _changed(known: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict(known) if wanted is None else clean_address(wanted)


def _typed(unit_price: int | None) -> pricing.AgreedPrice | None:
    if unit_price is None:
        return None
    return pricing.AgreedPrice(unit_price, unit_price, unit_price=unit_price)


def _codes(quote: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes that the shopper typed, whether they gave something or not."""
    asked = [s["facts"]["coupon"] for s in quote.get("trace", ()) if s["step"] == "promotion"]
    used = [row["coupon"] for row in quote["discounts"]]
    return tuple(dict.fromkeys(code for code in (*used, *asked) if code))


def _with_problems(planned: Plan) -> Plan:
    mine = committed_to(planned.order.reference)
    variants = {p.variant.pk: p.variant for p in planned.lines if p.variant is not None}
    more = {
        pk: pieces - mine.get(pk, 0)
        for pk, pieces in planned.wanted.items()
        if variants[pk].track_inventory and pieces > mine.get(pk, 0)
    }
    free = availability(store_id=planned.order.store_id, variant_ids=more) if more else {}
    short = tuple(
        {"code": "out_of_stock", "sku": variants[pk].sku, "available": free[pk]}
        for pk, pieces in more.items()
        if pieces > free[pk]
    )
    return replace(planned, problems=short)
