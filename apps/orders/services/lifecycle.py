"""Moving an order along its states. Every move is a conditional UPDATE with its timeline row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.locks import locked
from apps.inventory import services as inventory
from apps.orders import states
from apps.orders.events import OrderCancelled, OrderPlaced
from apps.orders.models import Order, OrderEvent
from apps.promotions import services as promotions


class TransitionRefused(Conflict):
    code = "transition_refused"
    message = _("The order can't do that in its present state.")


@transaction.atomic
def transition(
    *,
    order: Order,
    event: str,
    message: str = "",
    is_public: bool = True,
    **changes: Any,
) -> Order:
    """Apply `event` of the transition table, and set `changes` with it.

    Raises TransitionRefused, with the allowed events, when the order isn't where it may happen.
    Returns the order as it is now.
    """
    before = order.status
    target = _move(order, before, event, changes)
    if target is None:
        # Perhaps it moved since it was read.
        before = locked(Order.objects.filter(pk=order.pk)).get().status
        target = _move(order, before, event, changes)
    if target is None:
        allowed = states.allowed_events(before)
        raise TransitionRefused(extra={"order_status": before, "allowed": allowed})
    OrderEvent.objects.create(
        order=order,
        kind=event,
        message=message,
        from_status=before,
        to_status=target,
        is_public=is_public,
        actor=current_actor().label,
    )
    audit.record(f"order.{event}", order, {"status": [before, target]})
    return order


def _move(order: Order, before: str, event: str, changes: Mapping[str, Any]) -> str | None:
    """The status after `event`, written (with `changes`) if the order is still in `before`."""
    target = states.target(before, event)
    written = {**changes, "status": target, "updated_at": timezone.now()}
    if target is None or not Order.objects.filter(pk=order.pk, status=before).update(**written):
        return None
    for name, value in written.items():
        setattr(order, name, value)
    return target


@transaction.atomic(savepoint=False)
def confirm(*, order: Order, **changes: Any) -> Order:
    """The order is paid for, or accepted on account: its held stock becomes committed.

    `changes` are set with it. Stock that was given back meanwhile is taken again; what can't be
    is noted for staff, because a paid order is never lost.
    """
    changes |= {"confirmed_at": timezone.now(), "expires_at": None}
    order = transition(order=order, event="confirm", **changes)
    if not inventory.commit(reference=order.reference):
        _take_again(order)
    publish(OrderPlaced(order_id=str(order.public_id), number=order.number))
    return order


def _take_again(order: Order) -> None:
    """Stock for an order of which none is held: it was given back, or isn't tracked."""
    lines = order.lines.filter(variant__isnull=False).values_list("variant_id", "quantity")
    wants = [inventory.Want(variant_id, quantity) for variant_id, quantity in lines]
    try:
        inventory.commit_again(
            reference=order.reference,
            store_id=order.store_id,
            wants=wants,
            destination=order.shipping_address,
        )
    except inventory.InsufficientStock as shortage:
        OrderEvent.objects.create(
            order=order,
            kind="stock_short",
            message=str(shortage),
            data=shortage.extra,
            actor=current_actor().label,
        )


@transaction.atomic
def cancel(*, order: Order, reason: str = "") -> Order:
    """Cancel an order that hasn't shipped: its stock is free again, its money goes back.

    The source of an unpaid order is given back too, so that its cart can be ordered again.
    Raises TransitionRefused.
    """
    current = locked(Order.objects.filter(pk=order.pk)).get()
    if current.fulfillment_status != Order.FulfillmentStatus.UNFULFILLED:
        raise TransitionRefused(_("Parts of the order have shipped."))
    was_confirmed = current.status != states.PENDING
    source = current.source or ""
    changes: dict[str, Any] = {"cancelled_at": timezone.now(), "expires_at": None}
    if not was_confirmed:
        changes["source"] = None
    order = transition(order=order, event="cancel", message=reason, **changes)
    promotions.release(reference=order.reference)
    inventory.release(reference=order.reference)
    publish(
        OrderCancelled(
            order_id=str(order.public_id),
            number=order.number,
            source=source,
            was_confirmed=was_confirmed,
        )
    )
    return order


def cancel_by_customer(*, order: Order, reason: str = "") -> Order:
    """The customer's own cancel: until the order is being packed. Raises TransitionRefused."""
    if order.status not in (states.PENDING, states.CONFIRMED):
        raise TransitionRefused(extra={"order_status": order.status})
    return cancel(order=order, reason=reason)


def move_by_staff(*, order: Order, status: str, note: str = "") -> Order:
    """Bring an order to `status` by the one event that leads there and that people may cause.

    Raises TransitionRefused: shipping and payment have calls of their own.
    """
    event = next(
        (
            e
            for e in states.allowed_events(order.status)
            if e in states.BY_HAND and states.target(order.status, e) == status
        ),
        None,
    )
    if event is None:
        allowed = [e for e in states.allowed_events(order.status) if e in states.BY_HAND]
        raise TransitionRefused(extra={"order_status": order.status, "allowed": allowed})
    if event == "cancel":
        return cancel(order=order, reason=note)
    changes = {"delivered_at": timezone.now()} if event == "deliver" else {}
    return transition(order=order, event=event, message=note, **changes)


def cancel_expired(*, now: datetime | None = None, limit: int = 500) -> int:
    """Cancel unpaid orders whose time is over; the number cancelled."""
    expired = Order.objects.filter(
        status=states.PENDING, expires_at__lt=now or timezone.now()
    ).order_by("pk")[:limit]
    cancelled = 0
    for order in expired:
        try:
            cancel(order=order, reason=str(_("Not paid in time.")))
        except TransitionRefused:
            # Paid in this very moment.
            continue
        cancelled += 1
    return cancelled


@transaction.atomic
def keep_waiting(*, order: Order, until: datetime) -> None:
    """The bank takes its time: keep an unpaid order and its stock until then."""
    waiting = Order.objects.filter(pk=order.pk, status=states.PENDING)
    if waiting.update(expires_at=until, updated_at=timezone.now()):
        inventory.extend(reference=order.reference, expires_at=until)
