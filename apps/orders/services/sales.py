"""The terms that an order was sold on, as they stand: later edits keep to them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db.models import Prefetch

from apps.orders.models import Order, OrderLine
from apps.products.models import OptionValue

# What taxes and agreed prices depend on.
_PLACE = ("country", "region", "postal_code", "vat_number")


def lines_of(order: Order) -> list[OrderLine]:
    """An order's lines as quoted, with what pricing them again needs."""
    values = OptionValue.objects.select_related("option")
    lines = order.lines.select_related("variant__product").prefetch_related(
        Prefetch("variant__option_values", queryset=values)
    )
    return list(lines.order_by("position", "pk"))


def version_of(order: Order, lines: Sequence[OrderLine]) -> str:
    """Another one whenever something that an edit builds on has changed."""
    facts = [
        [order.status, order.total, order.shipping_method],
        [order.shipping_address, order.billing_address],
        [
            [str(line.public_id), line.quantity, line.fulfilled_quantity, line.unit_price]
            for line in lines
        ],
    ]
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def sale_of(order: Order, lines: Sequence[OrderLine]) -> dict[str, Any]:
    """The terms of the sale as they stand, as JSON: prices by line, and what shipping costs."""
    quoted = order.quote["lines"]
    choice = order.quote.get("shipping_choice")
    return {
        "place": place_of(order.shipping_address, order.billing_address),
        "shipping_method": order.shipping_method,
        "shipping_price": choice["list_price"] if choice else None,
        "shipping_name": choice["name"] if choice else "",
        "total": order.total,
        "lines": [
            {
                "id": str(line.public_id),
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "list_price": row["list_price"],
                "shelf_price": row["shelf_price"],
                "promotion": row["promotion"],
                "gift": row["key"] if row["is_gift"] else "",
            }
            for line, row in zip(lines, quoted, strict=True)
        ],
    }


def place_of(*addresses: Mapping[str, Any]) -> list[str]:
    """Of the first address, with the VAT number of the first that has one."""
    number = next((a["vat_number"] for a in addresses if a.get("vat_number")), "")
    address = {**addresses[0], "vat_number": number}
    return [str(address.get(name) or "") for name in _PLACE]
