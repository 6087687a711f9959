"""What carriers and customs are told of a shipment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from apps.core.money import allocate
from apps.fulfillment.models import Fulfillment, ShippingLabel
from apps.fulfillment.selectors.reads import shipments_for_papers
from apps.inventory.models import Location
from apps.orders.models import Order, OrderLine
from apps.shipping.carriers.base import Address, CustomsItem, LabelRequest, Package
from apps.shipping.models import ShippingMethod
from apps.shipping.selectors import Duties, Goods, estimate_duties
from apps.taxes.engines.territories import (
    Territory,
    bears_duties,
    in_customs_union,
    territory,
)

# Grams a carrier is told where no weight is known: none takes a parcel of nothing.
LEAST_WEIGHT = 10


def label_request(label: ShippingLabel) -> LabelRequest:
    """What the carrier of a label is asked for. Customs stand on a shipment's first parcel."""
    parcel = label.parcel
    shipment = shipments_for_papers().get(pk=parcel.fulfillment_id)
    order = shipment.order
    crosses = crosses_customs(shipment)
    return LabelRequest(
        key=str(label.public_id),
        service=label.service,
        origin=origin_of(shipment),
        destination=carrier_address(order.shipping_address, email=order.email),
        package=Package(
            weight=max(parcel.weight, LEAST_WEIGHT),
            length=parcel.length,
            width=parcel.width,
            height=parcel.height,
        ),
        reference=order_numbers(shipment),
        customs=customs_items(shipment) if crosses and not parcel.position else (),
        duties_paid=crosses and duties_paid(shipment),
    )


def order_numbers(shipment: Fulfillment) -> str:
    """Of all orders in a shipment's parcels."""
    return ", ".join(dict.fromkeys(each.order.number for each in shipment.together))


def duties_paid(shipment: Fulfillment) -> bool:
    """Whether the shop bears the duties (DDP), as the order's shipping method says."""
    order = shipment.order
    methods = ShippingMethod.objects.filter(store=order.store_id, code=order.shipping_method)
    return methods.filter(duties_paid=True).exists()


def origin_of(shipment: Fulfillment) -> Address:
    """Where a shipment starts: its location, else the first one that sends for the store."""
    place = shipment.location or _first_location(shipment.order)
    if place is None:
        return Address(country=shipment.order.store.country, name=shipment.order.store.name)
    return place_address(place, company=shipment.order.store.name)


def place_address(place: Location, *, company: str) -> Address:
    """A location as carriers are told of it."""
    address = {**(place.address or {}), "country": place.country}
    address.setdefault("company", company)
    return carrier_address(address, name=place.name)


def _first_location(order: Order) -> Location | None:
    return (
        Location.objects.filter(stock_levels__holds__reference=order.reference).first()
        or Location.objects.filter(is_active=True).first()
    )


def way_of(shipment: Fulfillment) -> tuple[Territory, Territory]:
    """Where a shipment starts, and where it goes."""
    origin = origin_of(shipment)
    start = {
        "country": origin.country,
        "region": origin.region,
        "postal_code": origin.postal_code,
    }
    return territory(start), territory(shipment.order.shipping_address)


def crosses_customs(shipment: Fulfillment) -> bool:
    """Whether goods are declared: between countries outside of the EU's VAT area, and parts."""
    return is_border(*way_of(shipment))


def is_border(start: Territory, end: Territory) -> bool:
    """Whether goods that go from one to the other are declared."""
    if start.in_union and end.in_union:
        return False
    return (start.country, start.excluded) != (end.country, end.excluded)


def shipment_duties(shipment: Fulfillment, on: date) -> Duties | None:
    """What customs will probably take of all in a shipment's parcels; None where they take none.

    An estimate for the parcel as it is: customs decide.
    """
    start, end = way_of(shipment)
    if not bears_duties(start, end):
        return None
    items = customs_items(shipment)
    return estimate_duties(
        goods=[Goods(item.sku, item.value, item.hs_code, item.origin) for item in items],
        country=end.country,
        region=end.region,
        in_union=in_customs_union(end),
        currency=shipment.order.currency,
        on=on,
    )


def customs_items(shipment: Fulfillment) -> tuple[CustomsItem, ...]:
    """What is in a shipment's parcels, as it was sold: worth what was paid for it, without
    shipping."""
    found = (line for each in shipment.together for line in each.lines.all())
    currency = shipment.order.currency
    return tuple(customs_item(line.order_line, line.quantity, currency) for line in found)


def customs_item(line: OrderLine, quantity: int, currency: str) -> CustomsItem:
    """Pieces of an order line; it comes with its variant."""
    variant = line.variant
    # The pieces of a line are worth the same, to the minor unit.
    shares = allocate(max(0, line.subtotal - line.discount), [1] * line.quantity)
    return CustomsItem(
        description=line.name[:100],
        quantity=quantity,
        value=sum(shares[:quantity]),
        currency=currency,
        weight=line.weight * quantity,
        hs_code=variant.hs_code if variant else "",
        origin=variant.origin_country if variant else "",
        sku=line.sku,
    )


def carrier_address(data: Mapping[str, Any], *, name: str = "", email: str = "") -> Address:
    """An address of ours as carriers are told of it; `name` where it has no person."""
    person = f"{data.get('first_name') or ''} {data.get('last_name') or ''}".strip()
    return Address(
        country=data.get("country") or "",
        region=data.get("region") or "",
        postal_code=data.get("postal_code") or "",
        city=data.get("city") or "",
        line1=data.get("line1") or "",
        line2=data.get("line2") or "",
        name=person or name,
        company=data.get("company") or "",
        phone=data.get("phone") or "",
        email=email,
    )
