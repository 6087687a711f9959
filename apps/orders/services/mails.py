"""The order's own messages to its customer."""

from __future__ import annotations

from typing import Any

from babel.numbers import format_currency
from django.conf import settings

from apps.core.money import to_decimal
from apps.notifications.models import Notification
from apps.notifications.services import notify
from apps.orders.models import Order


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


def send_receipt(*, order_id: str) -> Notification:
    """Tell the customer that the order is confirmed; once, however often it is called."""
    return _send("orders/placed", order_id)


def send_cancellation(*, order_id: str) -> Notification:
    """Tell the customer that a confirmed order was cancelled; once."""
    return _send("orders/cancelled", order_id)


def _send(kind: str, order_id: str) -> Notification:
    order = Order.objects.select_related("store").prefetch_related("lines").get(public_id=order_id)
    return notify(
        kind=kind,
        recipient=order.email,
        language=order.language,
        context=mail_context(order),
        dedupe_key=f"{kind}:{order_id}",
    )
