"""The steps that all journeys of shipments share: which of them go together, locked, and on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.fulfillment import states
from apps.fulfillment.models import Fulfillment
from apps.fulfillment.selectors import in_parcel_of
from apps.orders import services as orders
from apps.orders.models import Order


class ParcelChanged(Conflict):
    """Another shipment came into the parcel, or left it, in this very moment."""

    code = "parcel_changed"
    message = _("What is in the parcel has just changed; look at it again.")


class ShipmentRefused(Conflict):
    """`extra["shipment_status"]` is the shipment's state."""

    code = "shipment_refused"
    message = _("The shipment can't do that in its present state.")


def locked_together(shipment: Fulfillment) -> list[Fulfillment]:
    """All shipments of a shipment's parcels as they are, their orders locked.

    The first is the one that has the parcels; a shipment of its own is alone. Raises
    ParcelChanged.
    """
    held = lock_orders(in_parcel_of(shipment.pk).values_list("order_id", flat=True))
    found = list(in_parcel_of(shipment.pk).select_related("order", "location", "carried_by"))
    if not held.issuperset(each.order_id for each in found):
        raise ParcelChanged()
    return found


def lock_orders(pks: Iterable[int]) -> set[int]:
    """Lock orders, in the order of their keys; those that are locked now."""
    return {order.pk for order in locked(Order.objects.filter(pk__in=set(pks)))}


def move(*, shipment: Fulfillment, event: str, **changes: Any) -> Fulfillment:
    """Apply `event` of the transition table, and set `changes` with it; the shipment as it is.

    Raises ShipmentRefused. Call it with the order's lock.
    """
    before = Fulfillment.objects.values_list("status", flat=True).get(pk=shipment.pk)
    target = states.target(before, event)
    # The update itself compares: whoever forgot the lock can't move it twice.
    moved = target and Fulfillment.objects.filter(pk=shipment.pk, status=before).update(
        status=target, updated_at=timezone.now(), **changes
    )
    if not moved:
        raise ShipmentRefused(extra={"shipment_status": before, "event": event})
    shipment = Fulfillment.objects.select_related("order", "location", "carried_by").get(
        pk=shipment.pk
    )
    if "tracking_number" in changes:
        let_find(shipment)
    return shipment


def same(shipment: Fulfillment, among: Iterable[Fulfillment]) -> Fulfillment:
    """A shipment as it is `among` those that share its parcel."""
    return next(each for each in among if each.pk == shipment.pk)


def let_find(shipment: Fulfillment) -> None:
    """Staff find the order by the number of each parcel."""
    parcels = shipment.lead.parcels.values_list("tracking_number", flat=True)
    orders.index_words(
        order=shipment.order,
        source=shipment.reference,
        texts=[shipment.tracking_number, *parcels],
    )
