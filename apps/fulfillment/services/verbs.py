"""What this room lets staff do with many orders at once: from plans and papers to the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.fulfillment import states
from apps.fulfillment.models import Fulfillment
from apps.fulfillment.services.labels import UnknownCarrier, buy_labels
from apps.fulfillment.services.planning import plan_whole
from apps.fulfillment.services.printing import MAX_SHIPMENTS, NothingToPrint, print_papers
from apps.fulfillment.services.shipping import ship_whole
from apps.orders import states as order_states
from apps.orders.models import Order
from apps.orders.services import NothingToShip
from apps.orders.services.bulk import Ask, Verb, register_verb
from apps.orders.services.verbs import only, text
from apps.shipping.carriers import label_carriers

_SHIP, _PRINT = "fulfillment.ship_order", "fulfillment.print_papers"


def _waiting(order: Order) -> QuerySet[Fulfillment]:
    """What is left of an order is planned; all its shipments that wait. Raises NothingToShip."""
    plan_whole(order=order)
    waiting = Fulfillment.objects.filter(order=order, status__in=states.WAITING).order_by("pk")
    if not waiting.exists():
        raise NothingToShip()
    return waiting


def _clean_label(data: Mapping[str, Any]) -> dict[str, Any]:
    only(data, "carrier", "service")
    carrier = text(data, "carrier", 40, required=True)
    if carrier not in label_carriers():
        raise UnknownCarrier(field="data")
    return {"carrier": carrier, "service": text(data, "service", 60, required=True)}


def _label(order: Order, data: Mapping[str, Any]) -> None:
    for shipment in _waiting(order):
        buy_labels(shipment=shipment, carrier=data["carrier"], service=data["service"])


def _ship(order: Order, data: Mapping[str, Any]) -> None:
    """An order that has left in the parcel of another one of these is done."""
    order = Order.objects.get(pk=order.pk)
    carried = Q(carried_by__isnull=False) | Q(carries__isnull=False)
    if order.status == order_states.SHIPPED and order.fulfillments.filter(carried).exists():
        return
    ship_whole(order=order)


def _print(orders: QuerySet[Order], data: Mapping[str, Any]) -> None:
    """One file for all, in the orders' order; another one for each 500 shipments."""
    found = list(
        Fulfillment.objects.filter(order__in=orders, status__in=states.WAITING).order_by(
            "order_id", "pk"
        )
    )
    if not found:
        raise NothingToPrint()
    for start in range(0, len(found), MAX_SHIPMENTS):
        print_papers(shipments=found[start : start + MAX_SHIPMENTS])


register_verb(
    Verb(
        name="label",
        label=_("Buy labels"),
        permission=_SHIP,
        run=_label,
        clean=_clean_label,
        # It asks the carrier: outside of a transaction, and a label is bought once.
        is_atomic=False,
        asks=(
            Ask("carrier", _("Carrier"), choices=label_carriers),
            Ask("service", _("Service")),
        ),
    ),
    Verb(
        name="print",
        label=_("Plan shipments and print their papers"),
        permission=_SHIP,
        also=(_PRINT,),
        run=lambda order, data: _waiting(order),
        finish=_print,
    ),
    Verb(
        name="ship",
        label=_("Ship all that is left"),
        permission=_SHIP,
        run=_ship,
    ),
)
