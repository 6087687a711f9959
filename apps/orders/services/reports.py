"""What upper rooms report about an order: money that moved, parcels that left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.locks import locked
from apps.orders import states
from apps.orders.events import OrderFundsChanged, OrderPaid, PiecesShipped
from apps.orders.models import Order, OrderEvent, OrderLine
from apps.orders.services.lifecycle import TransitionRefused, confirm, transition

_Paid = Order.PaymentStatus
_Fulfilled = Order.FulfillmentStatus


class NothingToShip(Conflict):
    code = "nothing_to_ship"
    message = _("More pieces than are left to ship.")


class OrderOnHold(Conflict):
    code = "order_on_hold"
    message = _("The order is held; somebody has to release it first.")


def payment_status(
    *, total: int, authorized: int, captured: int, refunded: int, lost: int = 0
) -> str:
    """The payment axis, derived from the sums over an order's payments (minor units).

    `lost` is what of `refunded` has to be paid again.
    """
    is_covered = captured - lost >= total
    # Not while the rest may still be captured.
    if refunded and refunded >= captured and (is_covered or authorized <= captured):
        return _Paid.REFUNDED
    if is_covered:
        return _Paid.PARTIALLY_REFUNDED if refunded else _Paid.PAID
    if captured:
        return _Paid.PARTIALLY_PAID
    return _Paid.AUTHORIZED if authorized else _Paid.UNPAID


@transaction.atomic(savepoint=False)
def record_payment(
    *, order: Order, authorized: int, captured: int, refunded: int, settled: int = 0
) -> Order:
    """Set the sums over the order's payments; confirms a pending order that is covered.

    `order` is as read under its lock, in the same transaction. Amounts are minor units;
    `authorized` includes what was captured, not what was let go; `settled` is what of `refunded`
    went back because the order came to less. Whatever went back before the order was confirmed
    has to be paid again.
    """
    before = order.payment_status
    moved = (order.captured_amount, order.refunded_amount) != (captured, refunded)
    lost = order.lost(refunded=refunded, settled=settled)
    status = payment_status(
        total=order.total, authorized=authorized, captured=captured, refunded=refunded, lost=lost
    )
    paid = {
        "authorized_amount": authorized,
        "captured_amount": captured,
        "refunded_amount": refunded,
        "settled_amount": settled,
        "payment_status": status,
    }
    if order.status == states.PENDING and authorized - lost >= order.total:
        order = confirm(order=order, **paid)
    else:
        for name, value in paid.items():
            setattr(order, name, value)
        order.save(update_fields=[*paid, "updated_at"])
    if status in Order.COVERED and before not in Order.COVERED:
        publish(OrderPaid(order_id=str(order.public_id), number=order.number))
    elif moved:
        publish(OrderFundsChanged(order_id=str(order.public_id), number=order.number))
    return order


def restate_payment(*, order: Order) -> None:
    """Set the payment axis of an order whose total is another one now; its sums are as they were.

    `order` is as read under its lock; the caller saves it. Where something went back, whoever
    holds the money knows what for, and tells it by `record_payment`.
    """
    if order.refunded_amount:
        return
    before = order.payment_status
    order.payment_status = payment_status(
        total=order.total,
        authorized=order.authorized_amount,
        captured=order.captured_amount,
        refunded=0,
    )
    if order.payment_status == _Paid.PAID != before:
        publish(OrderPaid(order_id=str(order.public_id), number=order.number))


def record_event(
    *,
    order: Order,
    kind: str,
    message: str = "",
    data: Mapping[str, Any] | None = None,
    is_public: bool = False,
) -> None:
    """Write on the timeline what happened in an upper room."""
    OrderEvent.objects.create(
        order=order,
        kind=kind,
        message=message,
        data=dict(data or {}),
        is_public=is_public,
        actor=current_actor().label,
    )


def fulfillment_status(order: Order) -> str:
    """The fulfillment axis, by the order's lines."""
    sums = order.lines.aggregate(ordered=Sum("quantity"), shipped=Sum("fulfilled_quantity"))
    if not sums["shipped"]:
        return _Fulfilled.UNFULFILLED
    whole = sums["ordered"] == sums["shipped"]
    return _Fulfilled.FULFILLED if whole else _Fulfilled.PARTIALLY_FULFILLED


@transaction.atomic
def record_shipment(*, order: Order, quantities: Mapping[int, int], message: str = "") -> Order:
    """Pieces left, by line primary key. Raises NothingToShip beyond what was ordered,
    TransitionRefused, OrderOnHold."""
    current = locked(Order.objects.filter(pk=order.pk)).get()
    if current.status not in (states.CONFIRMED, states.PROCESSING):
        raise TransitionRefused(extra={"order_status": current.status})
    if current.on_hold:
        raise OrderOnHold()
    for pk, quantity in sorted(quantities.items()):
        shipped = OrderLine.objects.filter(
            pk=pk, order=order, fulfilled_quantity__lte=F("quantity") - quantity
        ).update(fulfilled_quantity=F("fulfilled_quantity") + quantity)
        if not shipped:
            raise NothingToShip()
    publish(PiecesShipped(order_id=str(order.public_id), number=order.number))
    status = fulfillment_status(order)
    whole = status == _Fulfilled.FULFILLED
    Order.objects.filter(pk=order.pk).update(fulfillment_status=status, updated_at=timezone.now())
    if whole:
        return transition(order=order, event="ship", message=message)
    if current.status == states.CONFIRMED:
        transition(order=order, event="process", is_public=False)
    record_event(order=order, kind="partly_shipped", message=message, is_public=True)
    order.refresh_from_db()
    return order


@transaction.atomic
def record_delivery(*, order: Order) -> Order:
    """All of it arrived."""
    return transition(order=order, event="deliver", delivered_at=timezone.now())
