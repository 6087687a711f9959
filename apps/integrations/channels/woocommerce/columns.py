"""The columns of WooCommerce's product CSV.

https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema
"""

from __future__ import annotations

import re

_NAMES = {
    "id": "id",
    "type": "type",
    "sku": "sku",
    "gtin, upc, ean, or isbn": "gtin",
    "name": "name",
    "published": "published",
    "visibility in catalog": "visibility",
    "short description": "short_description",
    "description": "description",
    "date sale price starts": "sale_from",
    "date sale price ends": "sale_to",
    "tax status": "tax_status",
    "tax class": "tax_class",
    "in stock?": "in_stock",
    "stock": "stock",
    "backorders allowed?": "backorders",
    "sale price": "sale_price",
    "regular price": "regular_price",
    "categories": "categories",
    "tags": "tags",
    "brands": "brands",
    "images": "images",
    "parent": "parent",
    "position": "position",
}
_MEASURE = re.compile(r"(weight|length|width|height) \((\w+)\)")
_ATTRIBUTE = re.compile(r"attribute (\d{1,3}) (name|value\(s\)|values)")


def column(header: str) -> str | None:
    """The key of a header cell: measures with their unit, attributes with their number."""
    name = " ".join(header.lstrip("\ufeff").split())
    low = name.casefold()
    if key := _NAMES.get(low):
        return key
    if measure := _MEASURE.fullmatch(low):
        return f"{measure[1]}:{measure[2]}"
    if attribute := _ATTRIBUTE.fullmatch(low):
        return f"attribute:{attribute[1]}:{'name' if attribute[2] == 'name' else 'values'}"
    if low.startswith("meta: "):
        return f"meta:{name[6:]}"
    return None
