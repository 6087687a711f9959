"""What customers are told of their shipments."""

from __future__ import annotations

from uuid import UUID

from apps.fulfillment.models import Fulfillment
from apps.fulfillment.selectors import in_parcel_of
from apps.notifications.services import notify
from apps.orders.services.mails import mail_context


def send_shipment_mail(*, fulfillment_id: str) -> None:
    """Tell the customer what is on its way; once per shipment."""
    _send("shipped", fulfillment_id)


def send_news_mail(*, kind: str, fulfillment_id: str) -> None:
    """Tell the customer that it arrived ("delivered"), couldn't be delivered ("failed") or goes
    back ("returned"); once of each per shipment."""
    _send(kind, fulfillment_id)


def _send(kind: str, fulfillment_id: str) -> None:
    shipment = (
        Fulfillment.objects.select_related("order__store")
        .prefetch_related("lines__order_line")
        .get(public_id=UUID(fulfillment_id))
    )
    order = shipment.order
    others = in_parcel_of(shipment.pk).exclude(order=order.pk)
    pieces = [
        {
            "name": line.order_line.name,
            "sku": line.order_line.sku,
            "options": line.order_line.options,
            "quantity": line.quantity,
        }
        for line in shipment.lines.all()
    ]
    notify(
        kind=f"fulfillment/{kind}",
        recipient=order.email,
        language=order.language,
        context={
            **mail_context(order),
            "lines": pieces,
            "together": list(others.values_list("order__number", flat=True)),
            "carrier": shipment.carrier,
            "tracking_number": shipment.tracking_number,
            "tracking_url": shipment.tracking_url,
        },
        dedupe_key=f"{kind}:{fulfillment_id}",
    )
