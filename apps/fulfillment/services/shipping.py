"""Shipments on their way: the pieces leave the shelf, the order moves on, the customer hears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.core import audit
from apps.core.events import publish
from apps.core.locks import locked
from apps.fulfillment import states
from apps.fulfillment.events import (
    FulfillmentDelivered,
    FulfillmentFailed,
    FulfillmentReturned,
    FulfillmentShipped,
    LabelUnwanted,
)
from apps.fulfillment.models import Fulfillment, FulfillmentLine, Parcel, ShippingLabel
from apps.fulfillment.selectors import in_parcel_of
from apps.fulfillment.services.moving import let_find, lock_orders, locked_together, move, same
from apps.fulfillment.services.planning import plan, plan_whole
from apps.fulfillment.services.together import leave_parcel
from apps.inventory import services as inventory
from apps.inventory.models import Hold, Location, StockLevel
from apps.orders import services as orders
from apps.orders import states as order_states
from apps.orders.models import Order

_Label = ShippingLabel.Status
_NEWS = {
    states.DELIVERED: FulfillmentDelivered,
    states.FAILED: FulfillmentFailed,
    states.RETURNED: FulfillmentReturned,
}
_KINDS = {states.FAILED: "delivery_failed", states.RETURNED: "returned_to_sender"}


@transaction.atomic
def fulfill(
    *,
    order: Order,
    quantities: Mapping[str, int] | None = None,
    location: Location | None = None,
    carrier: str = "",
    tracking_number: str = "",
    tracking_url: str = "",
) -> Fulfillment:
    """Ship an order, or the given pieces of it (by the line's public id), at once.

    Takes the committed stock off the shelf, at `location` or wherever it is promised. Raises as
    `plan` does, and InsufficientStock for a backorder that hasn't arrived.
    """
    shipment = plan(order=order, quantities=quantities, location=location)
    return ship(
        shipment=shipment,
        carrier=carrier,
        tracking_number=tracking_number,
        tracking_url=tracking_url,
    )


@transaction.atomic
def ship_whole(*, order: Order) -> list[Fulfillment]:
    """Ship what is planned of an order, with its labels, and all that is left; what left.

    Raises as `plan_whole` and `ship` do, and NothingToShip.
    """
    waiting = Fulfillment.objects.filter(order=order, status__in=states.WAITING).order_by("pk")
    # All at once: a parcel may have pieces of an older order, too.
    lock_orders({order.pk, *(o.order_id for each in waiting for o in in_parcel_of(each.pk))})
    plan_whole(order=order)
    shipped = [ship(shipment=shipment) for shipment in waiting.all()]
    if not shipped:
        raise orders.NothingToShip()
    return shipped


@transaction.atomic
def ship(
    *,
    shipment: Fulfillment,
    carrier: str = "",
    tracking_number: str = "",
    tracking_url: str = "",
) -> Fulfillment:
    """A planned shipment leaves, with all in its parcel. Carrier and tracking stay as the label
    says, if not given.

    Raises ShipmentRefused if it isn't waiting (any more), TransitionRefused for an order that
    isn't confirmed, OrderOnHold, InsufficientStock for a backorder that hasn't arrived.
    """
    given = {
        "carrier": carrier,
        "tracking_number": tracking_number,
        "tracking_url": tracking_url,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value}
    changes["shipped_at"] = timezone.now()
    together = locked_together(shipment)
    if len(together) > 1:
        _lock_shelves(together)
    for each in together:
        _ship_one(each, changes)
    # The carrier may have told of its parcels before we did.
    return follow_parcels(shipment=shipment)


def _lock_shelves(together: list[Fulfillment]) -> None:
    """Holds before stock levels, of all orders: each ships for itself afterwards."""
    holds = Hold.objects.filter(reference__in=[each.order.reference for each in together])
    levels = {hold.level_id for hold in locked(holds)}
    list(locked(StockLevel.objects.filter(pk__in=levels)))


def _ship_one(shipment: Fulfillment, changes: Mapping[str, Any]) -> None:
    order = shipment.order
    shipment = move(shipment=shipment, event="ship", **changes)
    lines = list(FulfillmentLine.objects.filter(fulfillment=shipment).select_related("order_line"))
    orders.record_shipment(
        order=order,
        quantities={line.order_line_id: line.quantity for line in lines},
        message=f"{shipment.carrier} {shipment.tracking_number}".strip(),
    )
    _take_late_stock(order)
    by_variant: dict[int, int] = {}
    for line in lines:
        if variant_id := line.order_line.variant_id:
            by_variant[variant_id] = by_variant.get(variant_id, 0) + line.quantity
    inventory.ship(
        reference=order.reference,
        quantities=by_variant,
        key=shipment.reference,
        location_id=shipment.location_id,
    )
    audit.record("fulfillment.ship", shipment, {"order": order.number})
    publish(FulfillmentShipped(fulfillment_id=str(shipment.public_id), order_number=order.number))


def _take_late_stock(order: Order) -> None:
    """An order that was paid when its stock had gone takes it now that it is here."""
    lines = order.lines.filter(variant__isnull=False).values_list("variant_id", "quantity")
    inventory.commit_again(
        reference=order.reference,
        store_id=order.store_id,
        wants=[inventory.Want(variant_id, quantity) for variant_id, quantity in lines],
        destination=order.shipping_address,
    )


@transaction.atomic
def cancel_shipment(*, shipment: Fulfillment) -> Fulfillment:
    """Give up a shipment that hasn't left: its pieces are free for another, its labels go back.

    What shared its parcel is packed anew, without a label. Raises ShipmentRefused.
    """
    together = locked_together(shipment)
    leave_parcel(shipment=shipment, together=together)
    shipment = move(shipment=shipment, event="cancel")
    give_labels_back(shipment)
    audit.record("fulfillment.cancel", shipment)
    return shipment


def cancel_waiting(*, order_id: str) -> None:
    """An order was cancelled: nothing of it is to leave. Repeating changes nothing."""
    waiting = Fulfillment.objects.filter(
        order__public_id=order_id, status__in=states.WAITING
    ).order_by("pk")
    for shipment in waiting:
        cancel_shipment(shipment=shipment)


def give_labels_back(shipment: Fulfillment) -> int:
    """Have the shipment's bought labels given back to their carriers, after the commit."""
    bought = ShippingLabel.objects.filter(parcel__fulfillment=shipment, status=_Label.BOUGHT)
    labels = list(bought.order_by("pk"))
    for label in labels:
        if ShippingLabel.objects.filter(pk=label.pk, status=_Label.BOUGHT).update(
            status=_Label.VOIDING, claimed_until=None, updated_at=timezone.now()
        ):
            publish(LabelUnwanted(label_id=str(label.public_id)))
    return len(labels)


@transaction.atomic
def set_tracking(
    *, shipment: Fulfillment, carrier: str, tracking_number: str, tracking_url: str
) -> Fulfillment:
    """Name the carrier and its number, or correct them, for all in the parcel."""
    together = locked_together(shipment)
    for each in together:
        before = each.tracking_number
        each.carrier, each.tracking_number = carrier, tracking_number
        each.tracking_url = tracking_url
        each.save(update_fields=["carrier", "tracking_number", "tracking_url", "updated_at"])
        let_find(each)
        audit.record("fulfillment.tracking", each, {"tracking_number": [before, tracking_number]})
    return same(shipment, together)


@transaction.atomic
def mark(*, shipment: Fulfillment, event: str) -> Fulfillment:
    """Staff say what became of a shipment: deliver, fail or return. Repeating changes nothing.

    It became of all in the parcel. Raises ShipmentRefused for what hasn't left, or has come to
    another end.
    """
    together = locked_together(shipment)
    ends = {"deliver": states.DELIVERED, "fail": states.FAILED, "return": states.RETURNED}
    if together[0].status == ends[event]:
        return same(shipment, together)
    return same(shipment, [_settle(each, event) for each in together])


def mark_delivered(*, shipment: Fulfillment) -> Fulfillment:
    """A shipment arrived; with the last one the order is delivered. Repeating changes nothing."""
    return mark(shipment=shipment, event="deliver")


@transaction.atomic
def follow_parcels(*, shipment: Fulfillment) -> Fulfillment:
    """Move a shipment that has left, and all it shares them with, to where its parcels are."""
    together = locked_together(shipment)
    seen = set(Parcel.objects.filter(fulfillment=together[0]).values_list("status", flat=True))
    event = _event_of(seen)
    if event is None or states.target(together[0].status, event) is None:
        return same(shipment, together)
    return same(shipment, [_settle(each, event) for each in together])


def _event_of(seen: set[str]) -> str | None:
    """What parcels in these states mean to their shipment."""
    if seen == {Parcel.Status.DELIVERED}:
        return "deliver"
    if Parcel.Status.RETURNED in seen and seen <= {
        Parcel.Status.RETURNED,
        Parcel.Status.DELIVERED,
    }:
        return "return"
    return "fail" if Parcel.Status.FAILED in seen else None


def _settle(shipment: Fulfillment, event: str) -> Fulfillment:
    order = shipment.order
    changes = {"delivered_at": timezone.now()} if event == "deliver" else {}
    shipment = move(shipment=shipment, event=event, **changes)
    if event == "deliver":
        _end(order)
    else:
        orders.record_event(
            order=order,
            kind=_KINDS[shipment.status],
            message=f"{shipment.carrier} {shipment.tracking_number}".strip(),
            is_public=True,
        )
    audit.record(f"fulfillment.{event}", shipment)
    news = _NEWS[shipment.status]
    publish(news(fulfillment_id=str(shipment.public_id), order_number=order.number))
    return shipment


def _end(order: Order) -> None:
    """With the last of its shipments the order is delivered."""
    others = order.fulfillments.exclude(status__in=(states.DELIVERED, states.CANCELLED))
    if order.status == order_states.SHIPPED and not others.exists():
        orders.record_delivery(order=order)


@transaction.atomic
def follow_edit(*, order_id: str) -> None:
    """What hadn't left was taken out of an order: perhaps all the rest has arrived. Repeatable."""
    order = locked(Order.objects.filter(public_id=order_id)).get()
    if order.fulfillments.filter(status=states.DELIVERED).exists():
        _end(order)
