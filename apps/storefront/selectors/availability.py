"""How soon a shopper has a product: what lies where, and when it arrives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.core.money import to_minor
from apps.inventory.models import StockLevel
from apps.inventory.selectors import locations_of
from apps.products.models import Variant
from apps.shipping.engines.tables import NoShippingRate, Parcel, cost
from apps.shipping.models import PickupPoint, ShippingMethod
from apps.shipping.selectors import Estimate, estimate_for, methods_to, points_for, table_for
from apps.stores.models import Store

# From nothing to plenty.
NONE, BACKORDER, LIMITED, IN_STOCK = STATES = ("none", "backorder", "limited", "in_stock")
# A variant's state at each location, by the location's code.
Shelves = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Way:
    """A method to the shopper, and when what is ordered now arrives by it."""

    method: ShippingMethod
    currency: str
    address: Mapping[str, str]
    estimate: Estimate

    def takes(self, parcel: Parcel) -> bool:
        try:
            table = table_for(
                method=self.method, currency=self.currency, address=self.address, parcel=parcel
            )
            cost(table, parcel)
        except NoShippingRate:
            return False
        return True


def availability_json(
    *,
    store: Store,
    currency: str,
    variants: Sequence[Mapping[str, Any]],
    address: Mapping[str, str],
    at: datetime,
) -> dict[str, Any]:
    """Where the `variants` of a product page lie, and when they arrive at an address.

    States, never counts: `limited` is what its location calls low, `backorder` what may be sold
    but lies nowhere. The delivery is the quickest one that takes the fewest pieces one may buy;
    the address needs a country, and a postcode makes it more exact. At most seven queries.
    """
    rows = {row.sku: row for row in Variant.objects.filter(sku__in=[v["sku"] for v in variants])}
    stocked = [row.pk for row in rows.values() if row.track_inventory]
    shelves = _shelves(store, stocked) if stocked else {}
    ways = _ways(store, currency, address, at) if any(_sent(rows.values())) else []
    fetched = {way.method.pk: way for way in ways if way.method.kind == "pickup"}
    points = points_for([way.method for way in fetched.values()], address) if fetched else []
    return {
        "country": address["country"],
        "postal_code": address.get("postal_code", ""),
        "pickup_points": [_point_json(point, fetched) for point in points],
        "variants": [
            _variant_json(shown, rows[shown["sku"]], shelves, ways, points)
            for shown in variants
            if shown["sku"] in rows
        ],
    }


def _sent(rows: Any) -> Iterator[Variant]:
    return (row for row in rows if row.requires_shipping)


def _shelves(store: Store, variant_ids: Sequence[int]) -> dict[int, Shelves]:
    levels = StockLevel.objects.filter(
        variant_id__in=variant_ids, location__in=locations_of(store.pk).order_by().values("pk")
    ).values_list(
        "variant_id", "location__code", "on_hand", "held", "committed", "low_stock_threshold"
    )
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for variant_id, code, on_hand, held, committed, low in levels:
        free = on_hand - held - committed
        found[variant_id][code] = NONE if free <= 0 else LIMITED if free <= low else IN_STOCK
    return dict(found)


def _ways(store: Store, currency: str, address: Mapping[str, str], at: datetime) -> list[_Way]:
    """The methods to an address, the quickest first."""
    methods = methods_to(store=store, currency=currency, address=address)
    ways = [_Way(method, currency, address, estimate_for(method, at)) for method in methods]
    return sorted(ways, key=lambda way: (way.estimate.latest, way.estimate.earliest))


def _variant_json(
    shown: Mapping[str, Any],
    row: Variant,
    shelves: Mapping[int, Shelves],
    ways: Sequence[_Way],
    points: Sequence[PickupPoint],
) -> dict[str, Any]:
    mine = shelves.get(row.pk, {})
    state = _state(shown, row, mine)
    arriving = ways if row.requires_shipping and state in (LIMITED, IN_STOCK) else []
    parcel = _parcel(shown, row)
    taken = {way.method.pk: way for way in arriving if way.takes(parcel)}
    sent = (way for way in taken.values() if way.method.kind == "delivery")
    return {
        "sku": row.sku,
        "availability": state,
        "delivery": next((_delivery_json(way) for way in sent), None),
        "pickup": [
            _pickup_json(point, taken[point.method_id], _state_at(point, row, mine, state))
            for point in points
            if point.method_id in taken
        ],
    }


def _state(shown: Mapping[str, Any], row: Variant, mine: Shelves) -> str:
    """The best state anywhere, of what the page offers."""
    if not shown["in_stock"]:
        return NONE
    if not row.track_inventory:
        return IN_STOCK
    return max((BACKORDER, *mine.values()), key=STATES.index)


def _state_at(point: PickupPoint, row: Variant, mine: Shelves, state: str) -> str:
    """At a location of ours what lies there; to any other point it is sent from anywhere."""
    if point.location_code and row.track_inventory:
        return mine.get(point.location_code, NONE)
    return state


def _parcel(shown: Mapping[str, Any], row: Variant) -> Parcel:
    pieces = row.min_quantity
    price = to_minor(shown["price"]["amount"], shown["price"]["currency"])
    volume = row.length * row.width * row.height
    return Parcel(row.weight * pieces, price * pieces, pieces, volume * pieces)


def _delivery_json(way: _Way) -> dict[str, str]:
    return {"method": way.method.code, "name": way.method.name, **_days_json(way)}


def _days_json(way: _Way) -> dict[str, str]:
    return {
        "earliest": way.estimate.earliest.isoformat(),
        "latest": way.estimate.latest.isoformat(),
    }


def _pickup_json(point: PickupPoint, way: _Way, state: str) -> dict[str, Any]:
    ready = way.estimate.earliest.isoformat() if state != NONE else None
    return {"point": str(point.public_id), "availability": state, "ready": ready}


def _point_json(point: PickupPoint, fetched: Mapping[int, _Way]) -> dict[str, Any]:
    return {
        "id": str(point.public_id),
        "method": fetched[point.method_id].method.code,
        "name": point.name,
        "address": point.address,
        "opening_hours": point.opening_hours,
    }
