"""Shipping orders: the pieces leave the shelf, the order moves on, the customer hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import DomainError
from apps.core.events import publish
from apps.core.locks import locked
from apps.fulfillment.events import FulfillmentShipped
from apps.fulfillment.models import Fulfillment, FulfillmentLine
from apps.inventory import services as inventory
from apps.notifications.services import notify
from apps.orders import services as orders
from apps.orders import states
from apps.orders.models import Order, OrderLine
from apps.orders.services.mails import mail_context


class UnknownLine(DomainError):
    code = "unknown_line"
    message = _("This line isn't part of the order.")


@transaction.atomic
def fulfill(
    *,
    order: Order,
    quantities: Mapping[str, int] | None = None,
    carrier: str = "",
    tracking_number: str = "",
    tracking_url: str = "",
) -> Fulfillment:
    """Ship an order, or the given pieces of it (by the line's public id).

    Takes the committed stock off the shelf. Raises UnknownLine, NothingToShip beyond what is
    left, TransitionRefused for an order that isn't confirmed, InsufficientStock for a backorder
    that hasn't arrived.
    """
    order = locked(Order.objects.filter(pk=order.pk)).get()
    lines = list(order.lines.all())
    wanted = _wanted(lines, quantities)
    shipment = Fulfillment.objects.create(
        order=order, carrier=carrier, tracking_number=tracking_number, tracking_url=tracking_url
    )
    FulfillmentLine.objects.bulk_create(
        FulfillmentLine(fulfillment=shipment, order_line=line, quantity=quantity)
        for line, quantity in wanted.items()
    )
    orders.record_shipment(
        order=order,
        quantities={line.pk: quantity for line, quantity in wanted.items()},
        message=f"{carrier} {tracking_number}".strip(),
    )
    # An order that was paid when its stock had gone takes it now that it is here.
    inventory.commit_again(
        reference=order.reference,
        store_id=order.store_id,
        wants=[inventory.Want(line.variant_id, line.quantity) for line in lines if line.variant_id],
    )
    by_variant: dict[int, int] = {}
    for line, quantity in wanted.items():
        if line.variant_id:
            by_variant[line.variant_id] = by_variant.get(line.variant_id, 0) + quantity
    inventory.ship(
        reference=order.reference, quantities=by_variant, key=f"shipment:{shipment.public_id}"
    )
    audit.record("fulfillment.ship", shipment, {"order": order.number})
    publish(FulfillmentShipped(fulfillment_id=str(shipment.public_id), order_number=order.number))
    return shipment


def _wanted(lines: list[OrderLine], quantities: Mapping[str, int] | None) -> dict[OrderLine, int]:
    left = {line: line.quantity - line.fulfilled_quantity for line in lines}
    if quantities is None:
        wanted = {line: rest for line, rest in left.items() if rest}
    else:
        known = {str(line.public_id): line for line in lines}
        if unknown := [key for key in quantities if key not in known]:
            raise UnknownLine(field="lines", extra={"unknown": unknown})
        wanted = {known[key]: quantity for key, quantity in quantities.items()}
    if not wanted:
        raise orders.NothingToShip()
    return wanted


@transaction.atomic
def set_tracking(
    *, shipment: Fulfillment, carrier: str, tracking_number: str, tracking_url: str
) -> Fulfillment:
    """Name the carrier and its number, or correct them."""
    before = shipment.tracking_number
    shipment.carrier, shipment.tracking_number = carrier, tracking_number
    shipment.tracking_url = tracking_url
    shipment.save()
    audit.record("fulfillment.tracking", shipment, {"tracking_number": [before, tracking_number]})
    return shipment


@transaction.atomic
def mark_delivered(*, shipment: Fulfillment) -> Fulfillment:
    """A parcel arrived; with the last one the order is delivered. Repeating changes nothing."""
    order = locked(Order.objects.filter(pk=shipment.order_id)).get()
    delivered = Fulfillment.objects.filter(
        pk=shipment.pk, status=Fulfillment.Status.SHIPPED
    ).update(status=Fulfillment.Status.DELIVERED, delivered_at=timezone.now())
    open_parcels = order.fulfillments.exclude(status=Fulfillment.Status.DELIVERED)
    if delivered and order.status == states.SHIPPED and not open_parcels.exists():
        orders.record_delivery(order=order)
    shipment.refresh_from_db()
    return shipment


def send_shipment_mail(*, fulfillment_id: str) -> None:
    """Tell the customer what is on its way; once per shipment."""
    shipment = (
        Fulfillment.objects.select_related("order__store")
        .prefetch_related("lines__order_line")
        .get(public_id=UUID(fulfillment_id))
    )
    order = shipment.order
    shipped = [
        {
            "name": line.order_line.name,
            "sku": line.order_line.sku,
            "options": line.order_line.options,
            "quantity": line.quantity,
        }
        for line in shipment.lines.all()
    ]
    notify(
        kind="fulfillment/shipped",
        recipient=order.email,
        language=order.language,
        context={
            **mail_context(order),
            "lines": shipped,
            "carrier": shipment.carrier,
            "tracking_number": shipment.tracking_number,
            "tracking_url": shipment.tracking_url,
        },
        dedupe_key=f"shipped:{fulfillment_id}",
    )
