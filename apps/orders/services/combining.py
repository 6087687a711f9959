"""Two orders of one customer become one, to the last unit: nothing is priced again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.locks import locked
from apps.inventory import services as inventory
from apps.orders.events import OrdersCombined
from apps.orders.models import Order, OrderEdit, OrderEvent
from apps.orders.selectors import is_being_packed
from apps.orders.services.changes import EDITABLE, MAX_LINES, OrderChanges
from apps.orders.services.lifecycle import transition
from apps.orders.services.sales import lines_of, sale_of, version_of
from apps.promotions import services as promotions

# What two orders must have in common.
_ALIKE = (
    *("store_id", "customer_id", "email_key", "currency", "shipping_address"),
    *("tax_included", "tax_scheme", "tax_country"),
)
_SUMS = ("subtotal", "discount", "shipping", "tax", "total")


class NotCombinable(Conflict):
    """`extra["reason"]` is stable: same_order, state, on_hold, being_packed, shipped,
    too_many_lines, gifts, or what differs ("customer_id", "shipping_address", …)."""

    code = "orders_not_combinable"
    message = _("These orders can't be combined.")


def check_combinable(*, order: Order, other: Order) -> None:
    """Raises NotCombinable."""
    reason = _obstacle(order, other)
    if reason:
        raise NotCombinable(extra={"reason": reason})


def is_combinable(*, order: Order, other: Order) -> bool:
    return not _obstacle(order, other)


def _obstacle(order: Order, other: Order) -> str:
    if order.pk == other.pk:
        return "same_order"
    if not {order.status, other.status} <= set(EDITABLE):
        return "state"
    if order.on_hold or other.on_hold:
        return "on_hold"
    if is_being_packed(order) or is_being_packed(other):
        return "being_packed"
    fresh = Order.FulfillmentStatus.UNFULFILLED
    if not order.fulfillment_status == other.fulfillment_status == fresh:
        return "shipped"
    for name in _ALIKE:
        if getattr(order, name) != getattr(other, name):
            return name
    if order.lines.count() + other.lines.count() > MAX_LINES:
        return "too_many_lines"
    gifts = [{x["key"] for x in o.quote["lines"] if x["is_gift"]} for o in (order, other)]
    return "gifts" if gifts[0] & gifts[1] else ""


@transaction.atomic
def absorb(*, order: Order, other: Order) -> Order:
    """Move the lines, stock and promotions of `other` into `order`; cancel what is left of it.

    Prices, discounts, taxes and both shipping prices are added up as they are. `other` keeps its
    sums on record, its customer isn't told of a cancellation. Whoever holds the money moves it in
    the same transaction. Raises NotCombinable, InsufficientStock.
    """
    rows = {row.pk: row for row in locked(Order.objects.filter(pk__in=(order.pk, other.pk)))}
    order, other = rows[order.pk], rows[other.pk]
    check_combinable(order=order, other=other)
    edit = _note_before(order, other)
    promotions.pass_on(reference=other.reference, to=order.reference)
    last = order.lines.aggregate(last=Max("position"))["last"]
    # The same rows: gift cards and reviews know them.
    other.lines.update(order=order, position=F("position") + last + 1, updated_at=timezone.now())
    _move_stock(order, other)
    _add_up(order, other)
    edit.total_after = order.total
    edit.save(update_fields=["total_after", "updated_at"])
    _tell(order, other)
    transition(
        order=other,
        event="cancel",
        message=str(_("Combined with order %s.")) % order.number,
        cancelled_at=timezone.now(),
    )
    return order


def _note_before(order: Order, other: Order) -> OrderEdit:
    """The terms of `order` until now; later edits keep to them."""
    lines = lines_of(order)
    return OrderEdit.objects.create(
        order=order,
        status=OrderEdit.Status.CONFIRMED,
        changes=OrderChanges().as_json(),
        reason=str(_("Combined with order %s.")) % other.number,
        version=version_of(order, lines),
        total_before=order.total,
        total_after=order.total,
        before=sale_of(order, lines),
        author=current_actor().label,
        confirmed_at=timezone.now(),
    )


def _move_stock(order: Order, other: Order) -> None:
    wanted: dict[int, int] = {}
    for variant_id, quantity in order.lines.values_list("variant_id", "quantity"):
        if variant_id is not None:
            wanted[variant_id] = wanted.get(variant_id, 0) + quantity
    # What is given back is locked until it is taken again.
    inventory.recommit(reference=other.reference, store_id=order.store_id, wanted={})
    inventory.recommit(reference=order.reference, store_id=order.store_id, wanted=wanted)


def _add_up(order: Order, other: Order) -> None:
    for name in _SUMS:
        setattr(order, name, getattr(order, name) + getattr(other, name))
    order.quote = combined_quote(order.quote, other.quote)
    if not order.shipping_method:
        order.shipping_method = other.shipping_method
        order.shipping_method_name = other.shipping_method_name
    known = [rate for rate in other.exchange_rates if rate not in order.exchange_rates]
    order.exchange_rates = [*order.exchange_rates, *known]
    notes = dict.fromkeys((order.customer_note, other.customer_note))
    order.customer_note = "\n".join(filter(None, notes))
    order.save()


def combined_quote(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """Two quotes as one, as JSON: every amount is the sum of theirs.

    The rules that each was made by go: none of them would make their sum.
    """
    return {
        **{name: value for name, value in one.items() if name != "promotions"},
        **{name: one[name] + two[name] for name in (*_SUMS, "weight")},
        "lines": [*one["lines"], *two["lines"]],
        "trace": [*one.get("trace", ()), *two.get("trace", ())],
        "discounts": _summed(
            (*one["discounts"], *two["discounts"]),
            ("code", "coupon", "target"),
            ("amount", "lines"),
        ),
        "taxes": _taxes(one["taxes"], two["taxes"]),
        "shipping_choice": _shipping(one["shipping_choice"], two["shipping_choice"]),
        "requires_shipping": one["requires_shipping"] or two["requires_shipping"],
        # No basket gives this quote.
        "hash": "",
    }


def _taxes(*parts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = [row for part in parts for row in part]
    return _summed(rows, ("name", "percent"), ("base", "amount"))


def _shipping(
    one: Mapping[str, Any] | None, two: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    if one is None or two is None:
        return one or two
    sums = ("price", "list_price", "discount", "tax")
    return {
        **one,
        **{name: one[name] + two[name] for name in sums},
        "taxes": _taxes(one["taxes"], two["taxes"]),
        "parcels": [*one["parcels"], *two["parcels"]],
    }


def _summed(
    rows: Iterable[Mapping[str, Any]], same: tuple[str, ...], added: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Rows that are the `same` as one, what is `added` (numbers or lists) put together."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in same)
        known = found.get(key)
        found[key] = (
            {**known, **{name: known[name] + row[name] for name in added}} if known else dict(row)
        )
    return list(found.values())


def _tell(order: Order, other: Order) -> None:
    OrderEvent.objects.create(
        order=order,
        kind="combined",
        message=str(_("Combined with order %s.")) % other.number,
        data={"number": other.number, "total": other.total},
        is_public=True,
        actor=current_actor().label,
    )
    audit.record("order.combine", order, {"with": other.number, "total": order.total})
    publish(
        OrdersCombined(
            order_id=str(order.public_id), number=order.number, other_number=other.number
        )
    )
