"""The order's own messages to its customer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from babel.numbers import format_currency
from django.conf import settings

from apps.core.money import to_decimal
from apps.notifications.models import Notification
from apps.notifications.services import notify
from apps.orders.models import Order, OrderEdit


def money_text(amount: int, currency: str, language: str) -> str:
    """Minor units as people write them: "12,50 €" in Spanish."""
    return format_currency(to_decimal(amount, currency), currency, locale=language)


def mail_context(order: Order) -> dict[str, Any]:
    """What every mail about an order may show."""

    def text(amount: int) -> str:
        return money_text(amount, order.currency, order.language)

    return {
        "store_name": order.store.name,
        "number": order.number,
        "lines": [
            {
                "name": line.name,
                "sku": line.sku,
                "quantity": line.quantity,
                "options": line.options,
                "total": text(line.subtotal - line.discount),
            }
            for line in order.lines.all()
        ],
        **{
            name: text(getattr(order, name))
            for name in ("subtotal", "discount", "shipping", "tax", "total")
        },
        "has_discount": order.discount > 0,
        "tax_included": order.tax_included,
        "shipping_address": order.shipping_address,
        "order_url": settings.ORDER_URL.format(number=order.number, token=order.token),
    }


def change_context(edit: OrderEdit) -> dict[str, Any] | None:
    """What the mail about a confirmed edit shows; None if nothing that the customer sees changed.

    `order` comes with its store. Whoever holds the money adds what is refunded or owed.
    """
    order = edit.order
    entry = order.timeline.filter(kind="edited", data__edit=str(edit.public_id)).first()
    data = {} if entry is None else {name: v for name, v in entry.data.items() if name != "edit"}
    if not data:
        return None

    def text(amount: int) -> str:
        return money_text(amount, order.currency, order.language)

    return {
        **mail_context(order),
        "reason": edit.reason,
        "changes": [_change(row, edit, text) for row in data.get("lines", ())],
        "method": order.shipping_method_name if "shipping_method" in data else "",
        "shipping_address": order.shipping_address if "shipping_address" in data else {},
        "billing_address": order.billing_address if "billing_address" in data else {},
        "total_before": text(edit.total_before),
        "total": text(edit.total_after),
    }


def _change(row: dict[str, Any], edit: OrderEdit, text: Callable[[int], str]) -> dict[str, Any]:
    """A line of the timeline's entry; pieces and prices that stayed are those of before."""
    old = next((each for each in edit.before["lines"] if each["id"] == row["id"]), None)
    was = old or {"quantity": None, "unit_price": None}
    pieces = row.get("quantity", [was["quantity"]] * 2)
    prices = row.get("unit_price", [was["unit_price"]] * 2)
    return {
        "name": row["name"],
        "before": pieces[0],
        "after": pieces[1],
        "price_before": "" if prices[0] is None else text(prices[0]),
        "price": "" if prices[1] is None else text(prices[1]),
    }


def send_receipt(*, order_id: str) -> Notification | None:
    """Tell the customer that the order is confirmed; once, however often it is called."""
    return _send("orders/placed", order_id)


def send_cancellation(*, order_id: str) -> Notification | None:
    """Tell the customer that a confirmed order was cancelled; once."""
    return _send("orders/cancelled", order_id)


def _send(kind: str, order_id: str) -> Notification | None:
    order = Order.objects.select_related("store").prefetch_related("lines").get(public_id=order_id)
    return notify(
        kind=kind,
        recipient=order.email,
        language=order.language,
        context=mail_context(order),
        dedupe_key=f"{kind}:{order_id}",
    )
