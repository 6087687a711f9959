"""One order becomes two, to the last unit: nothing is priced again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.failpoints import failpoint
from apps.core.ids import uuid7
from apps.core.locks import locked
from apps.inventory import services as inventory
from apps.orders.events import OrderSplit
from apps.orders.models import Order, OrderEdit, OrderEvent, OrderLine
from apps.orders.selectors import is_being_packed
from apps.orders.services.changes import (
    EDITABLE,
    AlreadyShipped,
    BeingPacked,
    InvalidChange,
    OrderChanges,
)
from apps.orders.services.dividing import divided_quote
from apps.orders.services.lifecycle import transition
from apps.orders.services.reports import fulfillment_status
from apps.orders.services.sales import lines_of, sale_of, version_of
from apps.orders.services.search import index_order
from apps.promotions import services as promotions
from apps.stores.services import next_number

_SUMS = ("subtotal", "discount", "shipping", "tax", "total")
_MONEY = ("quantity", "subtotal", "discount", "tax", "total")
# What both orders say alike. The day of the sale stays the day of the sale: what was in force
# then counts for both, and what was reported for it stays the sum of them.
_ALIKE = (
    *("store_id", "customer_id", "email", "email_key", "currency", "tax_included", "language"),
    *("status", "payment_status", "confirmed_at", "on_hold", "assignee_id", "metadata"),
    *("shipping_address", "billing_address", "shipping_method", "shipping_method_name"),
    *("tax_scheme", "tax_country", "tax_note", "exchange_rates", "customer_note"),
)


class NotSplittable(Conflict):
    """`extra["reason"]` is stable: state."""

    code = "order_not_splittable"
    message = _("Only confirmed orders that haven't shipped whole can be split.")


@dataclass(frozen=True, slots=True)
class Split:
    """What a split would make: minor units of the order's currency."""

    total: int
    new_total: int


def preview_split(*, order: Order, pieces: Mapping[str, int]) -> Split:
    """What two orders would come to if so many `pieces` of lines, by their public ids, went.

    Raises what `split_off` raises.
    """
    rest, part = _Splitting(order, pieces).quotes
    return Split(rest["total"], part["total"])


@transaction.atomic
def split_off(*, order: Order, pieces: Mapping[str, int]) -> Order:
    """Move so many unshipped pieces of lines, by their public ids, to a new order; that one.

    Every amount of both adds up to what it was: lines, discounts, each tax; the shipping price
    stays with `order`, and what the pieces had used of promotions, and the stock promised to them,
    goes along. Whoever holds the money divides it in the same transaction. Takes the number's lock
    until the commit, as `create_order` does. Raises NotSplittable, BeingPacked, AlreadyShipped,
    InvalidChange.
    """
    order = locked(Order.objects.filter(pk=order.pk)).get()
    return _Splitting(order, pieces).write()


class _Splitting:
    """One split in the making."""

    def __init__(self, order: Order, pieces: Mapping[str, int]) -> None:
        self.order = order
        self.lines = lines_of(order)
        self.pieces = _checked(order, self.lines, pieces)
        # Ids of the new order and of the lines that will be two.
        self.public_id = uuid7()
        self.new_ids = {
            index: uuid7() for index, n in self.pieces.items() if n < self.lines[index].quantity
        }
        self.quotes = self._quotes()

    def _quotes(self) -> tuple[dict[str, Any], dict[str, Any]]:
        weight = sum(self.lines[index].weight * n for index, n in self.pieces.items())
        keys = {index: str(public_id) for index, public_id in self.new_ids.items()}
        rest, part = divided_quote(self.order.quote, self.pieces, keys, weight)
        left = [line for i, line in enumerate(self.lines) if self.pieces.get(i) != line.quantity]
        rest["requires_shipping"] = _is_sent(left)
        part["requires_shipping"] = _is_sent(self.lines[index] for index in self.pieces)
        return rest, part

    def write(self) -> Order:
        order = self.order
        edit = self._note_before()
        new = Order(public_id=self.public_id, split_from=order, **_like(order))
        rest, part = self.quotes
        taken: dict[str, int] = {}
        for row in part["discounts"]:
            taken[row["code"]] = taken.get(row["code"], 0) + row["amount"]
        promotions.share(reference=order.reference, to=new.reference, amounts=taken)
        self._pass_stock(new)
        new.number = f"{order.store.order_prefix}{next_number(store=order.store, kind='order')}"
        _set_sums(new, part)
        new.save()
        # The day of the sale, not of the split.
        Order.objects.filter(pk=new.pk).update(created_at=order.created_at)
        new.tags.set(order.tags.all())
        failpoint("order-split")
        self._write_lines(new)
        _set_sums(order, rest)
        order.fulfillment_status = fulfillment_status(order)
        order.save()
        edit.total_after = order.total
        edit.save(update_fields=["total_after", "updated_at"])
        self._tell(new)
        if order.fulfillment_status == Order.FulfillmentStatus.FULFILLED:
            # What hadn't shipped is the new order's.
            transition(order=order, event="ship")
        new.refresh_from_db()
        return new

    def _note_before(self) -> OrderEdit:
        """The terms of the order until now; later edits keep to them."""
        order = self.order
        return OrderEdit.objects.create(
            order=order,
            status=OrderEdit.Status.CONFIRMED,
            changes=OrderChanges().as_json(),
            reason=str(_("Split.")),
            version=version_of(order, self.lines),
            total_before=order.total,
            total_after=order.total,
            before=sale_of(order, self.lines),
            author=current_actor().label,
            confirmed_at=timezone.now(),
        )

    def _pass_stock(self, new: Order) -> None:
        wanted: dict[int, int] = {}
        for index, n in self.pieces.items():
            variant_id = self.lines[index].variant_id
            if variant_id is not None:
                wanted[variant_id] = wanted.get(variant_id, 0) + n
        inventory.pass_on(
            reference=self.order.reference,
            to=new.reference,
            store_id=new.store_id,
            pieces=wanted,
        )

    def _write_lines(self, new: Order) -> None:
        whole = [self.lines[i].pk for i in self.pieces if i not in self.new_ids]
        # The same rows: gift cards and reviews know them.
        OrderLine.objects.filter(pk__in=whole).update(order=new, updated_at=timezone.now())
        parts = {row["key"]: row for row in self.quotes[1]["lines"]}
        for index, public_id in self.new_ids.items():
            line = self.lines[index]
            part = {name: parts[str(public_id)][name] for name in _MONEY}
            copied = {
                field.attname: getattr(line, field.attname)
                for field in OrderLine._meta.concrete_fields
                if not field.primary_key
            }
            fresh = {"public_id": public_id, "fulfilled_quantity": 0, "returned_quantity": 0}
            OrderLine.objects.create(**{**copied, **fresh, **part, "order_id": new.pk})
            for name in _MONEY:
                setattr(line, name, getattr(line, name) - part[name])
            line.save(update_fields=[*_MONEY, "updated_at"])

    def _tell(self, new: Order) -> None:
        order = self.order
        actor = current_actor().label
        OrderEvent.objects.create(
            order=new,
            kind="created",
            message=str(_("Split off order %s.")) % order.number,
            to_status=new.status,
            data={"number": order.number},
            is_public=True,
            actor=actor,
        )
        moved = [{"sku": self.lines[index].sku, "quantity": n} for index, n in self.pieces.items()]
        OrderEvent.objects.create(
            order=order,
            kind="split",
            message=str(_("Some pieces are order %s now.")) % new.number,
            data={"number": new.number, "total": new.total, "lines": moved},
            is_public=True,
            actor=actor,
        )
        audit.record("order.split", order, {"to": new.number, "lines": moved})
        index_order(order=order)
        index_order(order=new)
        publish(
            OrderSplit(
                order_id=str(order.public_id),
                number=order.number,
                new_id=str(new.public_id),
                new_number=new.number,
            )
        )


def _checked(order: Order, lines: Sequence[OrderLine], pieces: Mapping[str, int]) -> dict[int, int]:
    """The pieces by the line's index. Raises what stands against it."""
    if order.status not in EDITABLE:
        raise NotSplittable(extra={"reason": "state"})
    if is_being_packed(order):
        raise BeingPacked()
    if not pieces:
        raise InvalidChange("nothing_to_change", _("Nothing would change."))
    by_id = {str(line.public_id): index for index, line in enumerate(lines)}
    found: dict[int, int] = {}
    for key, n in pieces.items():
        if key not in by_id:
            raise InvalidChange("unknown_line", _("This line isn't part of the order."))
        _check_line(order, lines[by_id[key]], n, order.quote["lines"][by_id[key]]["is_gift"])
        found[by_id[key]] = n
    if all(found.get(index) == line.quantity for index, line in enumerate(lines)):
        raise InvalidChange("empty_order", _("Nothing would be left of the order."))
    return dict(sorted(found.items()))


def _check_line(order: Order, line: OrderLine, pieces: int, is_gift: bool) -> None:
    if not 0 < pieces <= line.quantity:
        raise InvalidChange("too_many_pieces", _("There are fewer pieces in this line."))
    if pieces > line.quantity - line.fulfilled_quantity:
        raise AlreadyShipped(extra={"lines": [str(line.public_id)]})
    if is_gift and pieces < line.quantity:
        raise InvalidChange("gift", _("A free gift goes whole, or stays."))
    is_card = line.variant is not None and line.variant.product.is_gift_card
    if is_card and order.captured_amount:
        raise InvalidChange("gift_card_issued", _("Gift cards that are paid stay as they are."))


def _is_sent(lines: Iterable[OrderLine]) -> bool:
    return any(line.requires_shipping for line in lines)


def _like(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in _ALIKE}


def _set_sums(order: Order, quote: dict[str, Any]) -> None:
    for name in _SUMS:
        setattr(order, name, quote[name])
    order.quote = quote
