"""What must hold about shipments, whatever happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from apps.core.invariants import invariant
from apps.fulfillment import states
from apps.fulfillment.models import Fulfillment, FulfillmentLine, Parcel, ShippingLabel
from apps.inventory.models import StockMovement
from apps.orders.models import OrderLine

# Shipments that the check of movements holds in memory at a time.
_AT_ONCE = 500


@invariant("what shipped is what the shipments say, and no more is set aside than was ordered")
def _shipped() -> Iterator[str]:
    def pieces(*found: str) -> Coalesce:
        of_these = Q(fulfillment_lines__fulfillment__status__in=found)
        return Coalesce(Sum("fulfillment_lines__quantity", filter=of_these), 0)

    lines = OrderLine.objects.annotate(
        shipped=pieces(*states.GONE), claimed=pieces(*states.GONE, *states.WAITING)
    )
    for line in lines.exclude(fulfilled_quantity=F("shipped"), claimed__lte=F("quantity")):
        yield (
            f"line {line.pk}: {line.fulfilled_quantity} fulfilled, {line.shipped} shipped, "
            f"{line.claimed} of {line.quantity} in shipments"
        )


@invariant("what left the shelf for a shipment is what is in it")
def _moved() -> Iterator[str]:
    last = 0
    while batch := list(
        Fulfillment.objects.filter(pk__gt=last)
        .order_by("pk")
        .only("pk", "public_id", "status", "location_id", "order__public_id")
        .select_related("order")[:_AT_ONCE]
    ):
        last = batch[-1].pk
        yield from _moved_wrongly(batch)


def _moved_wrongly(batch: list[Fulfillment]) -> Iterator[str]:
    said: Counter[tuple[str, int]] = Counter()
    lines = FulfillmentLine.objects.filter(fulfillment__in=batch).values_list(
        "fulfillment_id", "order_line__variant_id", "quantity"
    )
    by_pk = {shipment.pk: shipment for shipment in batch}
    for pk, variant_id, quantity in lines:
        if by_pk[pk].status in states.GONE:
            said[by_pk[pk].reference, variant_id] += quantity
    places = {shipment.reference: shipment.location_id for shipment in batch}
    moved: Counter[tuple[str, int]] = Counter()
    movements = StockMovement.objects.filter(
        reason=StockMovement.Reason.SHIP,
        reference__in={shipment.order.reference for shipment in batch},
    ).values_list("key", "level__variant_id", "level__location_id", "delta")
    for key, variant_id, location_id, delta in movements:
        reference = key.rpartition(":")[0]
        if reference not in places:
            continue
        moved[reference, variant_id] -= delta
        if places[reference] not in (None, location_id):
            yield f"{reference}: pieces of variant {variant_id} came from elsewhere"
    # What isn't counted has no movements.
    for (reference, variant_id), pieces in moved.items():
        if pieces != said[reference, variant_id]:
            yield (
                f"{reference}: {pieces} of variant {variant_id} moved, "
                f"{said[reference, variant_id]} in it"
            )


@invariant("a shipment with a label has one for each of its parcels")
def _labelled() -> Iterator[str]:
    bought = ShippingLabel.objects.filter(status=ShippingLabel.Status.BOUGHT).values("parcel")
    bare = Parcel.objects.filter(fulfillment__status=states.LABELLED).exclude(pk__in=bought)
    for parcel in bare.values_list("pk", flat=True):
        yield f"parcel {parcel}: no label"


@invariant("what shares a parcel is one parcel: one way, one place, one label")
def _together() -> Iterator[str]:
    carried = Fulfillment.objects.filter(carried_by__isnull=False)
    alike = {
        name: F(f"carried_by__{name}") for name in ("status", "tracking_number", "order__store")
    }
    here = Q(location=F("carried_by__location"))
    here |= Q(location__isnull=True, carried_by__location__isnull=True)
    as_one = carried.filter(
        here,
        carried_by__lt=F("pk"),
        carried_by__carried_by__isnull=True,
        parcels__isnull=True,
        **alike,
    )
    for pk, lead in carried.exclude(pk__in=as_one).values_list("pk", "carried_by"):
        yield f"shipment {pk} isn't as shipment {lead} that carries it"
    bare = Fulfillment.objects.filter(carries__isnull=False, parcels__isnull=True)
    for pk in bare.values_list("pk", flat=True).distinct():
        yield f"shipment {pk} has no parcel"
