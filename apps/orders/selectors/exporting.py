"""Orders and their lines as rows of a table, in constant memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from apps.core.money import to_decimal
from apps.orders.models import Order, OrderLine, OrderTag

# Orders read at once.
CHUNK = 1000
_PLAIN = (
    *("number", "created_at", "store__code", "status", "payment_status", "fulfillment_status"),
    *("email", "currency"),
)
_AMOUNTS = (
    *("subtotal", "discount", "shipping", "tax", "total"),
    *("captured_amount", "refunded_amount"),
)
_LINE_PLAIN = ("sku", "name", "quantity", "fulfilled_quantity")
_LINE_AMOUNTS = ("unit_price", "subtotal", "discount", "tax", "total")
_ADDRESS = ("first_name", "last_name", "company", "postal_code", "city", "region", "country")

HEADERS: dict[str, tuple[str, ...]] = {
    "orders": (
        *("number", "placed_at", "store", "status", "payment_status", "fulfillment_status"),
        *("email", "currency", "subtotal", "discount", "shipping", "tax", "total"),
        *("captured", "refunded", "shipping_method", "language"),
        *(f"ship_to_{name}" for name in _ADDRESS),
        *("assignee", "tags"),
    ),
    "lines": (
        *("number", "placed_at", "store", "status", "payment_status", "fulfillment_status"),
        *("email", "currency", "sku", "name", "quantity", "fulfilled_quantity"),
        *("unit_price", "subtotal", "discount", "tax", "total"),
    ),
}


def export_chunks(
    orders: QuerySet[Order], *, rows: str, after: int = 0
) -> Iterator[tuple[int, int, list[list[Any]]]]:
    """(last primary key, number of orders, rows), chunk by chunk, oldest first.

    `rows` is a key of HEADERS; `after` is the primary key behind which to go on. Amounts are
    decimals of the order's currency, times are aware. Each chunk is read by its own queries, so
    that neither memory nor a transaction grows with the number of rows.
    """
    shape = _order_rows if rows == "orders" else _line_rows
    names = ("pk", *_PLAIN, *_AMOUNTS, "shipping_method", "language", "shipping_address")
    while True:
        found = list(
            orders.filter(pk__gt=after).order_by("pk").values(*names, "assignee__email")[:CHUNK]
        )
        if not found:
            return
        after = found[-1]["pk"]
        yield after, len(found), shape(found)


def _plain(order: dict[str, Any]) -> list[Any]:
    return [order[name] for name in _PLAIN]


def _order_rows(orders: list[dict[str, Any]]) -> list[list[Any]]:
    tags: dict[int, list[str]] = defaultdict(list)
    marked = OrderTag.orders.through.objects.filter(order_id__in=[o["pk"] for o in orders])
    for pk, name in marked.order_by("ordertag__key").values_list("order_id", "ordertag__name"):
        tags[pk].append(name)
    return [
        [
            *_plain(order),
            *(to_decimal(order[name], order["currency"]) for name in _AMOUNTS),
            order["shipping_method"],
            order["language"],
            *(str(order["shipping_address"].get(name) or "") for name in _ADDRESS),
            order["assignee__email"] or "",
            ", ".join(tags[order["pk"]]),
        ]
        for order in orders
    ]


def _line_rows(orders: list[dict[str, Any]]) -> list[list[Any]]:
    lines: dict[int, list[dict[str, Any]]] = defaultdict(list)
    found = OrderLine.objects.filter(order_id__in=[order["pk"] for order in orders])
    for line in found.values("order_id", *_LINE_PLAIN, *_LINE_AMOUNTS):
        lines[line["order_id"]].append(line)
    return [
        [
            *_plain(order),
            *(line[name] for name in _LINE_PLAIN),
            *(to_decimal(line[name], order["currency"]) for name in _LINE_AMOUNTS),
        ]
        for order in orders
        for line in lines[order["pk"]]
    ]
