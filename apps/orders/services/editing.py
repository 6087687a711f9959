"""Changing an order after the sale: drafted, looked at, then written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.failpoints import failpoint
from apps.core.locks import locked
from apps.inventory import services as inventory
from apps.orders.events import OrderEdited
from apps.orders.models import Approval, Order, OrderEdit, OrderEvent
from apps.orders.services.approving import (
    ApprovalNeeded,
    ApprovalVerb,
    ask,
    check_limit,
    register_approval_verb,
)
from apps.orders.services.changes import InvalidChange, LineChange, OrderChanges, Plan
from apps.orders.services.lifecycle import transition
from apps.orders.services.placing import LineDraft, line_row
from apps.orders.services.planning import plan
from apps.orders.services.reports import fulfillment_status, restate_payment
from apps.orders.services.sales import lines_of, sale_of
from apps.promotions import services as promotions
from apps.taxes.selectors import TaxQuestion
from apps.taxes.services import ask_engine

_LOWER_PRICES = "lower_prices"
_ADDRESSES = ("shipping_address", "billing_address")
_MONEY = ("quantity", "unit_price", "subtotal", "discount", "tax", "total")


class OrderChanged(Conflict):
    """The order, or what it would cost, isn't what was looked at."""

    code = "order_changed"
    message = _("The order has changed meanwhile; look at it again.")


class EditClosed(Conflict):
    code = "edit_closed"
    message = _("This edit was confirmed or discarded already.")


class LineInUse(Conflict):
    code = "line_in_use"
    message = _("Something else refers to this line; it can't be taken out.")


def preview_edit(*, order: Order, changes: OrderChanges) -> Plan:
    """What `changes` would make of an order now; writes nothing. Raises what `plan` raises.

    A tax engine is asked about a new address first, so don't call it in a transaction.
    """
    _ask_taxes(order, changes)
    return plan(order=_fresh(order), changes=changes)


@transaction.atomic
def draft_edit(*, order: Order, changes: OrderChanges, reason: str = "") -> OrderEdit:
    """Write down what shall be changed, with what it comes to now. Raises what `plan` raises."""
    fresh = _fresh(order)
    planned = plan(order=fresh, changes=changes)
    return OrderEdit.objects.create(
        order=order,
        changes=changes.as_json(),
        reason=reason,
        version=planned.version,
        total_before=planned.order.total,
        total_after=planned.total,
        lowered=_lowered(fresh, changes, planned),
        author=current_actor().label,
    )


@transaction.atomic
def discard_edit(*, edit: OrderEdit) -> None:
    """Leave the order as it is. Raises EditClosed."""
    drafts = OrderEdit.objects.filter(pk=edit.pk, status=OrderEdit.Status.DRAFT)
    if not drafts.update(status=OrderEdit.Status.DISCARDED, updated_at=timezone.now()):
        raise EditClosed()


@transaction.atomic
def confirm_edit(*, edit: OrderEdit, is_approved: bool = False) -> Order:
    """Make the order what the edit says: lines, totals, stock, promotions' uses, all at once.

    Raises OrderChanged when the order moved on since the draft, or would cost something else
    than the draft showed; EditClosed, LineInUse, InsufficientStock, PromotionUsedUp, and what
    `plan` raises; ApprovalNeeded for prices lowered by more than staff may alone, unless it
    `is_approved`. The money is settled by those who hear of OrderEdited.
    """
    order = locked(Order.objects.filter(pk=edit.order_id)).get()
    edit = locked(OrderEdit.objects.filter(pk=edit.pk)).get()
    if edit.status != OrderEdit.Status.DRAFT:
        raise EditClosed()
    planned = plan(order=_fresh(order), changes=OrderChanges.from_json(edit.changes))
    if (planned.version, planned.total) != (edit.version, edit.total_after):
        raise OrderChanged(extra={"version": planned.version})
    if not is_approved:
        check_limit(order=order, amount=edit.lowered, given=partial(_lowered_since, order))
    order = planned.order
    before = _sale(order)
    moved = [name for name in _ADDRESSES if getattr(planned, name) != getattr(order, name)]
    _write(planned)
    failpoint("order-edited")
    edit.status, edit.confirmed_at = OrderEdit.Status.CONFIRMED, timezone.now()
    edit.before = before
    edit.save(update_fields=["status", "confirmed_at", "before", "updated_at"])
    _tell(order, edit, {**differences(before, _sale(order)), **dict.fromkeys(moved, True)})
    return order


@transaction.atomic
def confirm_or_ask(*, edit: OrderEdit) -> OrderEdit:
    """The same, or ask for the approval it needs: then the edit is a draft yet."""
    try:
        with transaction.atomic():
            confirm_edit(edit=edit)
    except ApprovalNeeded:
        row = locked(OrderEdit.objects.filter(pk=edit.pk)).get()
        if row.approval_id is None:
            row.approval = ask(
                order=row.order,
                verb=_LOWER_PRICES,
                arguments={"edit": str(row.public_id)},
                amount=row.lowered,
                reason=row.reason,
            )
            row.save(update_fields=["approval", "updated_at"])
    edit.refresh_from_db()
    return edit


def edit_order(
    *,
    order: Order,
    changes: OrderChanges,
    reason: str = "",
    version: str = "",
    expected_total: int | None = None,
) -> OrderEdit:
    """Draft and confirm in one go; the confirmed edit, or a draft that waits for its `approval`.

    With a `version` or an `expected_total` (minor units) from a preview, raises OrderChanged when
    they aren't those of the order any more. Raises what `confirm_edit` raises.
    """
    _ask_taxes(order, changes)
    with transaction.atomic():
        locked(Order.objects.filter(pk=order.pk)).get()
        edit = draft_edit(order=order, changes=changes, reason=reason)
        other_total = expected_total not in (None, edit.total_after)
        if other_total or version not in ("", edit.version):
            raise OrderChanged(extra={"version": edit.version})
        return confirm_or_ask(edit=edit)


def cancelling(order: Order, quantities: Mapping[str, int]) -> OrderChanges:
    """The changes that take so many pieces out of lines, by the lines' public ids.

    Raises InvalidChange for more pieces than there are.
    """
    lines = {str(line.public_id): line for line in order.lines.all()}
    changes = []
    for key, pieces in quantities.items():
        if key not in lines:
            raise InvalidChange("unknown_line", _("This line isn't part of the order."))
        if not 0 < pieces <= lines[key].quantity:
            raise InvalidChange("too_many_pieces", _("There are fewer pieces in this line."))
        changes.append(LineChange(line=key, quantity=lines[key].quantity - pieces))
    return OrderChanges(lines=changes)


def cancel_lines(*, order: Order, quantities: Mapping[str, int], reason: str = "") -> OrderEdit:
    """Take pieces that haven't shipped out of an order, by the lines' public ids.

    Their stock is free again; the rest of the order is an edit's. Raises what `edit_order` raises.
    """
    with transaction.atomic():
        current = locked(Order.objects.filter(pk=order.pk)).get()
        return edit_order(order=current, changes=cancelling(current, quantities), reason=reason)


def _fresh(order: Order) -> Order:
    """The order as it stands, with what pricing it again needs."""
    related = ("store__tax_settings", "customer__group")
    return Order.objects.select_related(*related).get(pk=order.pk)


def _lowered(order: Order, changes: OrderChanges, planned: Plan) -> int:
    """How much more, in minor units, the same changes come to at the prices of the sale."""
    if not changes.sets_price:
        return 0
    lines = [replace(line, unit_price=None) for line in changes.lines]
    try:
        usual = plan(order=order, changes=replace(changes, lines=lines)).total
    except InvalidChange:
        # An item without a price: there is nothing to compare it with but the order.
        usual = planned.total + order.total
    return max(0, usual - planned.total)


def _lowered_since(order: Order, since: datetime) -> int:
    """Minor units by which staff lowered an order's prices without anybody's approval."""
    edits = order.edits.filter(confirmed_at__gte=since)
    # One that was asked for may have been confirmed alone in the end.
    alone = edits.exclude(approval__status=Approval.Status.DONE)
    return int(alone.aggregate(n=Sum("lowered"))["n"] or 0)


def _approved_edit(approval: Approval) -> OrderEdit:
    return OrderEdit.objects.get(public_id=approval.arguments["edit"])


def _drop(approval: Approval) -> None:
    # Somebody may have discarded it.
    with suppress(EditClosed):
        discard_edit(edit=_approved_edit(approval))


register_approval_verb(
    ApprovalVerb(
        name=_LOWER_PRICES,
        label=_("Lower prices"),
        run=lambda approval: confirm_edit(edit=_approved_edit(approval), is_approved=True),
        drop=_drop,
    )
)


def _sale(order: Order) -> dict[str, Any]:
    return sale_of(order, lines_of(order))


def _ask_taxes(order: Order, changes: OrderChanges) -> None:
    if changes.shipping_address is not None:
        day = order.created_at.date()
        ask_engine(TaxQuestion(order.store, changes.shipping_address, day, order.customer_id))


def _write(planned: Plan) -> None:
    order = planned.order
    promotions.redeem_again(
        reference=order.reference,
        customer_key=order.email_key,
        uses=planned.quotation.uses,
    )
    inventory.recommit(reference=order.reference, store_id=order.store_id, wanted=planned.wanted)
    try:
        for line in planned.removed:
            line.delete()
    except ProtectedError as error:
        raise LineInUse() from error
    for position, entry in enumerate(planned.lines):
        if entry.line is None:
            draft = _draft(entry.variant)
            line_row(order, draft, position, entry.quoted).save()
            continue
        entry.line.position = position
        for name in _MONEY:
            setattr(entry.line, name, getattr(entry.quoted, name))
        entry.line.save(update_fields=["position", *_MONEY, "updated_at"])
    _write_order(planned)


def _draft(variant: Any) -> LineDraft:
    options = {o.option.name: o.value for o in variant.option_values.all()}
    return LineDraft(key="", variant=variant, name=variant.product.name, options=options)


def _write_order(planned: Plan) -> None:
    order, quotation = planned.order, planned.quotation
    quote, choice = quotation.quote, quotation.quote.shipping_choice
    for name in ("subtotal", "discount", "shipping", "tax", "total"):
        setattr(order, name, getattr(quote, name))
    order.quote = quote.as_json()
    order.shipping_address = planned.shipping_address
    order.billing_address = planned.billing_address
    if choice:
        order.shipping_method, order.shipping_method_name = choice.code, choice.name
    order.tax_scheme, order.tax_country = quotation.tax.scheme, quotation.tax.country
    order.tax_note = str(quotation.tax.note)[:300]
    known = {tuple(sorted(rate.items())): rate for rate in order.exchange_rates}
    known |= {tuple(sorted(rate.items())): rate for rate in quotation.exchange_rates}
    order.exchange_rates = list(known.values())
    order.fulfillment_status = fulfillment_status(order)
    restate_payment(order=order)
    order.save()
    if order.fulfillment_status == Order.FulfillmentStatus.FULFILLED:
        # What hadn't shipped was taken out.
        transition(order=order, event="ship")


def _tell(order: Order, edit: OrderEdit, changes: Mapping[str, Any]) -> None:
    OrderEvent.objects.create(
        order=order,
        kind="edited",
        message=edit.reason,
        data={"edit": str(edit.public_id), **changes},
        is_public=True,
        actor=current_actor().label,
    )
    audit.record("order.edit", order, {"edit": str(edit.public_id), **changes})
    publish(
        OrderEdited(
            order_id=str(order.public_id),
            number=order.number,
            delta=edit.delta,
            currency=order.currency,
            edit_id=str(edit.public_id),
        )
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What an edit changed, as JSON: [before, after] of the order, and of each line.

    `before` and `after` as `sale_of` tells them; amounts are minor units.
    """
    names = ("total", "shipping_method", "shipping_price", "place")
    changes: dict[str, Any] = {
        name: [before[name], after[name]] for name in names if before[name] != after[name]
    }
    was = {row["id"]: row for row in before["lines"]}
    now = {row["id"]: row for row in after["lines"]}
    lines = []
    for key in dict.fromkeys((*was, *now)):
        old, new = was.get(key), now.get(key)
        row = {
            name: [old and old[name], new and new[name]]
            for name in ("quantity", "unit_price")
            if old is None or new is None or old[name] != new[name]
        }
        if row:
            known = new or old or {}
            lines.append({"id": key, "sku": known["sku"], "name": known["name"], **row})
    if lines:
        changes["lines"] = lines
    return changes
