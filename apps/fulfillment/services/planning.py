"""Making shipments of an order: which pieces, from where, in which parcels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.locks import locked
from apps.fulfillment import states
from apps.fulfillment.models import Fulfillment, FulfillmentLine, Parcel
from apps.fulfillment.selectors import promised_at, set_aside
from apps.fulfillment.services.moving import ShipmentRefused, locked_together, same
from apps.inventory.models import Location
from apps.orders import services as orders
from apps.orders import states as order_states
from apps.orders.models import Order, OrderLine

# Parcels of one shipment.
MAX_PARCELS = 20


class UnknownLine(DomainError):
    code = "unknown_line"
    message = _("This line isn't part of the order.")


class NotPromisedThere(Conflict):
    """`extra["lines"]` names the SKUs of which too little is promised at the location."""

    code = "not_promised_there"
    message = _("These pieces aren't promised to the order at this location.")


@dataclass(frozen=True, slots=True)
class ParcelData:
    """Grams and millimetres; 0 where it isn't known."""

    weight: int = 0
    length: int = 0
    width: int = 0
    height: int = 0


@transaction.atomic
def plan(
    *,
    order: Order,
    quantities: Mapping[str, int] | None = None,
    location: Location | None = None,
    parcels: Sequence[ParcelData] = (),
) -> Fulfillment:
    """Set pieces of an order aside (by the line's public id; all that are left), as a shipment.

    Nothing leaves yet. At a location, pieces whose stock is tracked must be promised to the order
    there. Without `parcels` it is one, as heavy as its pieces. Raises UnknownLine, NothingToShip
    beyond what is left, NotPromisedThere, TransitionRefused for an order that isn't confirmed,
    OrderOnHold for one that is held.
    """
    order = _shippable(order)
    wanted = _wanted(list(order.lines.all()), quantities, set_aside(order))
    if location is not None:
        _check_promised(order, location, wanted)
    return _create(order, location, wanted, parcels)


@transaction.atomic
def plan_whole(*, order: Order) -> list[Fulfillment]:
    """Set all aside that is left, a shipment for each location where pieces are promised.

    What isn't counted goes with the largest one. Nothing left, no shipment. Raises
    TransitionRefused for an order that isn't confirmed, OrderOnHold for one that is held.
    """
    order = _shippable(order)
    aside = set_aside(order)
    rests = [
        (line, rest)
        for line in order.lines.all()
        if (rest := line.quantity - line.fulfilled_quantity - aside.get(line.pk, 0))
    ]
    places: dict[int | None, dict[OrderLine, int]] = {}
    promised = promised_at(order)
    for line, rest in rests:
        left = rest
        for (variant_id, location_id), pieces in promised.items():
            if variant_id == line.variant_id and (part := min(pieces, left)):
                places.setdefault(location_id, {})[line] = part
                promised[variant_id, location_id] -= part
                left -= part
        if left:
            places.setdefault(None, {})[line] = left
    return [
        _create(order, Location.objects.get(pk=pk) if pk else None, wanted, ())
        for pk, wanted in _joined(places).items()
    ]


def _shippable(order: Order) -> Order:
    """The order, locked."""
    order = locked(Order.objects.filter(pk=order.pk)).get()
    if order.status not in (order_states.CONFIRMED, order_states.PROCESSING):
        raise orders.TransitionRefused(extra={"order_status": order.status})
    if order.on_hold:
        raise orders.OrderOnHold()
    return order


def _joined(
    places: dict[int | None, dict[OrderLine, int]],
) -> dict[int | None, dict[OrderLine, int]]:
    """What isn't counted, with the shipment that has most pieces, if there is any."""
    if len(places) > 1 and (uncounted := places.pop(None, None)):
        most = max(places.values(), key=lambda wanted: sum(wanted.values()))
        for line, pieces in uncounted.items():
            most[line] = most.get(line, 0) + pieces
    return places


def _check_promised(order: Order, location: Location, wanted: Mapping[OrderLine, int]) -> None:
    by_variant: dict[int, int] = {}
    skus: dict[int, str] = {}
    for line, quantity in wanted.items():
        if line.variant_id and line.variant and line.variant.track_inventory:
            by_variant[line.variant_id] = by_variant.get(line.variant_id, 0) + quantity
            skus[line.variant_id] = line.sku
    promised = promised_at(order)
    short = [
        skus[variant_id]
        for variant_id, quantity in by_variant.items()
        if promised.get((variant_id, location.pk), 0) < quantity
    ]
    if short:
        raise NotPromisedThere(field="location", extra={"lines": sorted(short)})


def _create(
    order: Order,
    location: Location | None,
    wanted: Mapping[OrderLine, int],
    parcels: Sequence[ParcelData],
) -> Fulfillment:
    shipment = Fulfillment.objects.create(order=order, location=location)
    FulfillmentLine.objects.bulk_create(
        FulfillmentLine(fulfillment=shipment, order_line=line, quantity=quantity)
        for line, quantity in wanted.items()
    )
    weight = sum(line.weight * quantity for line, quantity in wanted.items())
    Parcel.objects.bulk_create(
        Parcel(
            fulfillment=shipment,
            position=position,
            weight=data.weight,
            length=data.length,
            width=data.width,
            height=data.height,
        )
        for position, data in enumerate(parcels or (ParcelData(weight),))
    )
    audit.record("fulfillment.plan", shipment, {"order": order.number})
    return shipment


def _wanted(
    lines: list[OrderLine], quantities: Mapping[str, int] | None, aside: Mapping[int, int]
) -> dict[OrderLine, int]:
    left = {line: line.quantity - line.fulfilled_quantity - aside.get(line.pk, 0) for line in lines}
    if quantities is None:
        wanted = {line: rest for line, rest in left.items() if rest}
    else:
        known = {str(line.public_id): line for line in lines}
        if unknown := [key for key in quantities if key not in known]:
            raise UnknownLine(field="lines", extra={"unknown": unknown})
        wanted = {known[key]: quantity for key, quantity in quantities.items()}
    if not wanted or any(quantity > left[line] for line, quantity in wanted.items()):
        raise orders.NothingToShip()
    return wanted


@transaction.atomic
def set_parcels(*, shipment: Fulfillment, parcels: Sequence[ParcelData]) -> Fulfillment:
    """Say anew in which parcels a planned shipment goes, with all it shares them with; labels
    must not have been bought. Raises ShipmentRefused."""
    together = locked_together(shipment)
    lead = together[0]
    old = lead.parcels.all()
    if lead.status != states.PLANNED or old.filter(labels__is_alive=True).exists():
        raise ShipmentRefused(extra={"shipment_status": lead.status})
    data = [
        {"weight": p.weight, "length": p.length, "width": p.width, "height": p.height}
        for p in parcels
    ]
    kept = {parcel.position: parcel for parcel in old}
    for position, values in enumerate(data):
        Parcel.objects.update_or_create(fulfillment=lead, position=position, defaults=values)
    # One with a label that was given back stays, so that what was paid is known.
    gone = [parcel.pk for position, parcel in kept.items() if position >= len(data)]
    Parcel.objects.filter(pk__in=gone, labels__isnull=True).delete()
    audit.record("fulfillment.parcels", lead, {"parcels": data})
    return same(shipment, together)
