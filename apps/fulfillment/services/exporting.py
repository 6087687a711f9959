"""Orders for ShipStation's own pages (API v1), where a warehouse works with those."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from apps.core.money import to_decimal
from apps.orders.models import Order
from apps.shipping.carriers.shipstation.orders import MOST, send_orders

# 40 requests a minute are allowed.
PACE_SECONDS = 1.6


def export_open_orders(*, sleep: Callable[[float], None] = time.sleep) -> dict[str, str]:
    """Send every order that waits to be shipped; what was refused, by order number.

    Sending again changes what is there: the order's public id is its key. Raises CarrierError;
    what went before it is there. Not for use in a transaction.
    """
    orders = Order.objects.to_ship().prefetch_related("lines").order_by("pk")
    refused: dict[str, str] = {}
    last = 0
    while batch := list(orders.filter(pk__gt=last)[:MOST]):
        if last:
            sleep(PACE_SECONDS)
        last = batch[-1].pk
        numbers = {str(order.public_id): order.number for order in batch}
        found = send_orders([_document(order) for order in batch])
        refused |= {numbers.get(key, key): reason for key, reason in found.items()}
    return refused


def _document(order: Order) -> dict[str, Any]:
    def amount(minor: int) -> float:
        return float(to_decimal(minor, order.currency))

    return {
        "orderNumber": order.number,
        "orderKey": str(order.public_id),
        "orderDate": order.created_at.isoformat(timespec="seconds"),
        "orderStatus": "awaiting_shipment",
        "customerEmail": order.email,
        "billTo": _address(order.billing_address or order.shipping_address),
        "shipTo": _address(order.shipping_address),
        "items": [
            {
                "lineItemKey": str(line.public_id),
                "sku": line.sku,
                "name": line.name,
                "quantity": left,
                "unitPrice": amount(line.unit_price),
                "weight": {"value": line.weight, "units": "grams"},
            }
            for line in order.lines.all()
            if (left := line.quantity - line.fulfilled_quantity)
        ],
        "amountPaid": amount(order.captured_amount),
        "taxAmount": amount(order.tax),
        "shippingAmount": amount(order.shipping),
        "customerNotes": order.customer_note,
    }


def _address(data: dict[str, Any]) -> dict[str, Any]:
    person = f"{data.get('first_name') or ''} {data.get('last_name') or ''}".strip()
    names = {"company": "company", "street1": "line1", "street2": "line2", "city": "city"}
    names |= {"state": "region", "postalCode": "postal_code", "country": "country"}
    names |= {"phone": "phone"}
    return {"name": person, **{theirs: data.get(ours) or "" for theirs, ours in names.items()}}
