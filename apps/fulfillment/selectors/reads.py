"""Reads of shipments."""

from __future__ import annotations

from django.db.models import F, Prefetch, Q, QuerySet, Sum

from apps.fulfillment import states
from apps.fulfillment.models import (
    Fulfillment,
    FulfillmentLine,
    PickLine,
    PickList,
    ShippingLabel,
)
from apps.inventory.models import Hold
from apps.orders.models import Order


def set_aside(order: Order) -> dict[int, int]:
    """Pieces of each of an order's lines (by primary key) in shipments that wait."""
    rows = (
        FulfillmentLine.objects.filter(
            fulfillment__order=order, fulfillment__status__in=states.WAITING
        )
        .values_list("order_line_id")
        .annotate(pieces=Sum("quantity"))
    )
    return dict(rows)


def promised_at(order: Order) -> dict[tuple[int, int], int]:
    """Pieces by (variant, location) that are committed to an order and in no shipment yet."""
    promised: dict[tuple[int, int], int] = {}
    holds = Hold.objects.filter(reference=order.reference, state=Hold.State.COMMITTED)
    for variant, place, left in holds.order_by(
        "level__location__priority", "level__location_id"
    ).values_list("level__variant_id", "level__location_id", F("quantity") - F("shipped")):
        promised[variant, place] = left
    waiting = FulfillmentLine.objects.filter(
        fulfillment__order=order, fulfillment__status__in=states.WAITING
    ).values_list("order_line__variant_id", "fulfillment__location_id", "quantity")
    for variant, place, pieces in waiting:
        left = pieces
        # A shipment of no location takes from wherever it is.
        for key in [key for key in promised if key[0] == variant and place in (None, key[1])]:
            part = min(left, promised[key])
            promised[key] -= part
            left -= part
    return promised


def in_parcel_of(shipment: int) -> QuerySet[Fulfillment]:
    """The shipments that share the parcels of one (by primary key), that one too; the one that
    has them first."""
    lead = Fulfillment.objects.values_list("carried_by_id", flat=True).get(pk=shipment) or shipment
    return Fulfillment.objects.filter(Q(pk=lead) | Q(carried_by=lead)).order_by("pk")


def shipments_for_reading() -> QuerySet[Fulfillment]:
    """Shipments with all that a page or the API shows of them, in a fixed number of queries."""
    return Fulfillment.objects.select_related(
        "order__store", "location", "carried_by__order"
    ).prefetch_related(
        "lines__order_line",
        "parcels__events",
        living_labels(),
        "carries__order",
        "carried_by__parcels__events",
        living_labels("carried_by__"),
        "carried_by__carries__order",
    )


def shipments_for_papers() -> QuerySet[Fulfillment]:
    """Shipments with all that papers and carriers are told of them, and of what they carry."""
    lines = FulfillmentLine.objects.select_related("order_line__variant").order_by("pk")
    return Fulfillment.objects.select_related("order__store", "location").prefetch_related(
        Prefetch("lines", queryset=lines),
        "parcels",
        Prefetch("carries", queryset=Fulfillment.objects.select_related("order").order_by("pk")),
        Prefetch("carries__lines", queryset=lines),
    )


def pick_lines(pick_list: PickList) -> QuerySet[PickLine]:
    """The lines of a pick list as somebody walks: by SKU, then by box."""
    lines = PickLine.objects.filter(pick_list=pick_list)
    return lines.select_related("line__order_line", "line__fulfillment__order").order_by(
        "line__order_line__sku", "bin"
    )


def living_labels(whose: str = "") -> Prefetch:
    """Of each parcel (`.living`) the label that counts, without its document."""
    labels = ShippingLabel.objects.filter(is_alive=True).defer("document")
    return Prefetch(f"{whose}parcels__labels", queryset=labels, to_attr="living")
