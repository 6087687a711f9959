"""Several orders of one customer in one parcel: put together, taken apart."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict
from apps.fulfillment import states
from apps.fulfillment.models import Fulfillment, FulfillmentLine, Parcel, ShippingLabel
from apps.fulfillment.selectors import in_parcel_of
from apps.fulfillment.selectors.together import obstacle
from apps.fulfillment.services.moving import (
    ParcelChanged,
    ShipmentRefused,
    let_find,
    lock_orders,
    locked_together,
    move,
    same,
)
from apps.fulfillment.services.planning import ParcelData, plan_whole, set_parcels
from apps.orders import services as orders_services
from apps.orders.models import Order

# Orders in one parcel.
MAX_TOGETHER = 20
_NO_TRACKING = {"carrier": "", "tracking_number": "", "tracking_url": ""}


_REASONS = {
    "count": _("Between two and twenty orders share a parcel."),
    "store": _("These orders were sold by different stores."),
    "customer": _("These orders are of different customers."),
    "address": _("These orders go to different addresses."),
    "pickup": _("Orders that are fetched at a pick-up point don't share a parcel."),
    "currency": _("What customs are told of has to be in one currency."),
    "terms": _("The duties of these orders are borne by different people."),
    "location": _("No two of these orders leave from the same location without a label yet."),
}


class NotTogether(Conflict):
    """`extra["reason"]` is stable: a key of the reasons above."""

    code = "not_together"

    def __init__(self, reason: str) -> None:
        super().__init__(_REASONS[reason], extra={"reason": reason})


@transaction.atomic
def ship_together(*, orders: Sequence[Order]) -> list[Fulfillment]:
    """Plan what is left of orders, and put what leaves from the same location into one parcel.

    What has a label already goes as it is. Returns every shipment that shares a parcel now.
    Raises NotTogether, and what `plan_whole` raises.
    """
    pks = sorted({order.pk for order in orders})
    if not 1 < len(pks) <= MAX_TOGETHER:
        raise NotTogether("count")
    held = lock_orders({*pks, *(each.order_id for each in _movable(pks))})
    for order in Order.objects.filter(pk__in=pks).order_by("pk"):
        plan_whole(order=order)
    movable = _movable(pks)
    if not held.issuperset(each.order_id for each in movable):
        raise ParcelChanged()
    if any(each.order.on_hold for each in movable):
        raise orders_services.OrderOnHold()
    if movable and (reason := obstacle(movable)):
        raise NotTogether(reason)
    places: dict[int | None, list[Fulfillment]] = {}
    for each in movable:
        places.setdefault(each.location_id, []).append(each)
    parcels = [found for found in places.values() if len({each.order_id for each in found}) > 1]
    if not parcels:
        raise NotTogether("location")
    for found in parcels:
        _join(found)
    joined = [each.pk for found in parcels for each in found]
    return list(Fulfillment.objects.filter(pk__in=joined).order_by("pk"))


def _movable(orders: Sequence[int]) -> list[Fulfillment]:
    """What is planned of orders and has no label yet, with all that shares its parcels."""
    planned = Fulfillment.objects.filter(order__in=orders, status=states.PLANNED)
    leads = {each.carried_by_id or each.pk for each in planned}
    labels = ShippingLabel.objects.filter(parcel__fulfillment__in=leads, is_alive=True)
    leads -= set(labels.values_list("parcel__fulfillment", flat=True))
    found = {each.pk: each for lead in sorted(leads) for each in _with_orders(lead)}
    return [found[pk] for pk in sorted(found)]


def _with_orders(lead: int) -> list[Fulfillment]:
    return list(in_parcel_of(lead).select_related("order__store", "location"))


def _join(together: list[Fulfillment]) -> None:
    """Into the first parcel of the first: as heavy as all of them, its size isn't known."""
    lead = together[0]
    parcels = list(Parcel.objects.filter(fulfillment__in=together).order_by("fulfillment", "pk"))
    kept, *others = sorted(parcels, key=lambda each: (each.fulfillment_id, each.position))
    # Those that were given back: what was paid stays known.
    ShippingLabel.objects.filter(parcel__in=others).update(parcel=kept)
    Parcel.objects.filter(pk__in=[each.pk for each in others]).delete()
    weight = sum(each.weight for each in parcels)
    Parcel.objects.filter(pk=kept.pk).update(weight=weight, length=0, width=0, height=0)
    tracking = {name: getattr(lead, name) for name in _NO_TRACKING}
    Fulfillment.objects.filter(pk__in=[each.pk for each in together[1:]]).update(
        carried_by=lead, **tracking
    )
    numbers = sorted({each.order.number for each in together})
    for each in Fulfillment.objects.filter(pk__in=[each.pk for each in together]).select_related(
        "order", "carried_by"
    ):
        let_find(each)
        others_numbers = ", ".join(n for n in numbers if n != each.order.number)
        orders_services.record_event(
            order=each.order, kind="packed_together", message=others_numbers
        )
    audit.record("fulfillment.together", lead, {"orders": numbers})


@transaction.atomic
def separate(*, shipment: Fulfillment) -> Fulfillment:
    """Give a planned shipment a parcel of its own; the others stay together.

    One that is alone stays as it is. Raises ShipmentRefused where a label was bought.
    """
    together = locked_together(shipment)
    shipment = same(shipment, together)
    if len(together) == 1:
        return shipment
    labels = ShippingLabel.objects.filter(parcel__fulfillment=together[0], is_alive=True)
    if shipment.status != states.PLANNED or labels.exists():
        raise ShipmentRefused(extra={"shipment_status": shipment.status})
    leave_parcel(shipment=shipment, together=together)
    return set_parcels(shipment=shipment, parcels=[ParcelData(_weight([shipment]))])


def leave_parcel(*, shipment: Fulfillment, together: Sequence[Fulfillment]) -> None:
    """Take a shipment out of a parcel that waits; `together` are all in it, locked.

    It takes the old parcels along, with their labels: those were for what isn't together any
    more. The others have a new one, without a label.
    """
    rest = [each for each in together if each.pk != shipment.pk]
    if not rest:
        return
    Parcel.objects.filter(fulfillment=together[0]).update(fulfillment=shipment)
    lead, *others = rest
    Fulfillment.objects.filter(pk__in=[lead.pk, shipment.pk]).update(carried_by=None)
    Fulfillment.objects.filter(pk__in=[each.pk for each in others]).update(carried_by=lead)
    Parcel.objects.create(fulfillment=lead, weight=_weight(rest))
    for each in rest:
        if each.status == states.LABELLED:
            move(shipment=each, event="void")
    Fulfillment.objects.filter(pk__in=[each.pk for each in rest]).update(**_NO_TRACKING)
    for each in Fulfillment.objects.filter(pk__in=[each.pk for each in rest]).select_related(
        "order", "carried_by"
    ):
        let_find(each)
    audit.record("fulfillment.separate", shipment, {"from": str(lead.public_id)})


def _weight(shipments: Sequence[Fulfillment]) -> int:
    """Grams of all pieces."""
    lines = FulfillmentLine.objects.filter(fulfillment__in=shipments)
    return lines.aggregate(grams=Sum(F("quantity") * F("order_line__weight")))["grams"] or 0
