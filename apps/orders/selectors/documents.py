"""Orders as the API shapes them."""

from __future__ import annotations

from typing import Any

from apps.core.money import money_json
from apps.orders import states
from apps.orders.models import Order

_TOTALS = ("subtotal", "discount", "shipping", "tax", "total")


def summary_json(order: Order) -> dict[str, Any]:
    """One row of a list of orders; needs nothing but the order's own row."""
    return {
        "number": order.number,
        "status": order.status,
        "payment_status": order.payment_status,
        "fulfillment_status": order.fulfillment_status,
        "email": order.email,
        "currency": order.currency,
        "total": money_json(order.total, order.currency),
        "created_at": order.created_at,
    }


def staff_summary_json(order: Order) -> dict[str, Any]:
    """The same for staff, with who looks after it and its tags (to be prefetched)."""
    return {**summary_json(order), **_organized(order)}


def _organized(order: Order) -> dict[str, Any]:
    return {
        "tags": [tag.name for tag in order.tags.all()],
        "assignee": order.assignee.email if order.assignee else None,
    }


def order_json(order: Order, *, for_staff: bool = False) -> dict[str, Any]:
    """The order document. Staff also see who did what, private notes and what may come next.

    `order` comes from `orders_for_reading()`, or `orders_for_staff()`. Payments and shipments
    stand above; they are read by the names of their relations.
    """
    document = {
        **summary_json(order),
        "store": order.store.code,
        "language": order.language,
        "note": order.customer_note,
        "split_from": order.split_from.number if order.split_from else None,
        "lines": [_line(line, order.currency) for line in order.lines.all()],
        "totals": {
            **{name: money_json(getattr(order, name), order.currency) for name in _TOTALS},
            "tax_included": order.tax_included,
        },
        "discounts": [
            {
                "code": row["coupon"] or row["code"],
                "name": row["name"],
                "amount": money_json(row["amount"], order.currency),
                "target": row["target"],
            }
            for row in order.quote.get("discounts", ())
        ],
        "taxes": [
            {
                "name": row["name"],
                "percent": row["percent"],
                "base": money_json(row["base"], order.currency),
                "amount": money_json(row["amount"], order.currency),
            }
            for row in order.quote.get("taxes", ())
        ],
        "tax_note": order.tax_note,
        "addresses": {"shipping": order.shipping_address, "billing": order.billing_address},
        "shipping_method": _method(order),
        "payments": [_payment(payment) for payment in order.payments.all()],
        "fulfillments": [
            _fulfillment(shipment)
            for shipment in order.fulfillments.all()
            # What is only planned is nobody's business yet.
            if for_staff or shipment.shipped_at
        ],
        "timeline": [
            _entry(entry, for_staff)
            for entry in order.timeline.all()
            if for_staff or entry.is_public
        ],
    }
    if for_staff:
        document["on_hold"] = order.on_hold
        document["allowed_events"] = states.allowed_events(order.status)
        document |= _organized(order)
    return document


def _method(order: Order) -> dict[str, str] | None:
    if not order.shipping_method:
        return None
    return {"code": order.shipping_method, "name": order.shipping_method_name}


def _line(line: Any, currency: str) -> dict[str, Any]:
    return {
        "id": str(line.public_id),
        "sku": line.sku,
        "name": line.name,
        "options": line.options,
        "quantity": line.quantity,
        "fulfilled_quantity": line.fulfilled_quantity,
        "returned_quantity": line.returned_quantity,
        "gift_card": line.gift_card or None,
        **{
            name: money_json(getattr(line, name), currency)
            for name in ("unit_price", "subtotal", "discount", "tax", "total")
        },
    }


def _payment(payment: Any) -> dict[str, Any]:
    return {
        "id": str(payment.public_id),
        "gateway": payment.gateway,
        "status": payment.status,
        "amount": money_json(payment.amount, payment.currency),
        "captured": money_json(payment.captured_amount, payment.currency),
        "refunded": money_json(payment.refunded_amount, payment.currency),
        "is_test": payment.is_test,
        "created_at": payment.created_at,
    }


def _fulfillment(shipment: Any) -> dict[str, Any]:
    return {
        "id": str(shipment.public_id),
        "status": shipment.status,
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "tracking_url": shipment.tracking_url,
        "shipped_at": shipment.shipped_at,
        "delivered_at": shipment.delivered_at,
        "lines": [
            {"sku": line.order_line.sku, "quantity": line.quantity} for line in shipment.lines.all()
        ],
    }


def _entry(entry: Any, for_staff: bool) -> dict[str, Any]:
    row = {
        "kind": entry.kind,
        "message": entry.message,
        "from_status": entry.from_status or None,
        "to_status": entry.to_status or None,
        "created_at": entry.created_at,
    }
    if for_staff:
        row |= {"actor": entry.actor, "is_public": entry.is_public, "data": entry.data}
    return row
