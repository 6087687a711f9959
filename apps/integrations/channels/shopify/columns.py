"""The columns of Shopify's product CSV: today's names, and those of older exports.

https://help.shopify.com/en/manual/products/import-export/using-csv
"""

from __future__ import annotations

import re

_NAMES = {
    "handle": ("handle", "url handle"),
    "title": ("title",),
    "body": ("body (html)", "body html", "description"),
    "vendor": ("vendor",),
    "category": ("product category", "standardized product type"),
    "type": ("type", "custom product type"),
    "tags": ("tags",),
    "published": ("published", "published on online store"),
    "status": ("status",),
    "sku": ("variant sku", "sku"),
    "grams": ("variant grams", "weight value (grams)"),
    "weight": ("variant weight",),
    "weight_unit": ("variant weight unit",),
    "tracker": ("variant inventory tracker", "inventory tracker"),
    "quantity": ("variant inventory qty", "inventory quantity"),
    "policy": ("variant inventory policy",),
    "continue": ("continue selling when out of stock",),
    "price": ("variant price", "price"),
    "compare_at": ("variant compare at price", "compare-at price"),
    "requires_shipping": ("variant requires shipping", "requires shipping"),
    "taxable": ("variant taxable", "charge tax"),
    "barcode": ("variant barcode", "barcode"),
    "image": ("image src", "product image url"),
    "image_position": ("image position",),
    "image_alt": ("image alt text",),
    "variant_image": ("variant image", "variant image url"),
    "gift_card": ("gift card",),
    "seo_title": ("seo title",),
    "seo_description": ("seo description",),
    "cost": ("cost per item",),
    **{f"option{n}_name": (f"option{n} name",) for n in (1, 2, 3)},
    **{f"option{n}_value": (f"option{n} value",) for n in (1, 2, 3)},
}
_KEYS = {name: key for key, names in _NAMES.items() for name in names}
_METAFIELD = re.compile(r"\((product|variant)\.metafields\.([\w.-]+)\)$")


def column(header: str) -> str | None:
    """The key of a header cell. Metafields and Google's fields keep their own names."""
    name = " ".join(header.lstrip("\ufeff").split())
    if key := _KEYS.get(name.casefold()):
        return key
    if metafield := _METAFIELD.search(name):
        return f"{metafield[1]}-metafield:{metafield[2]}"
    if name.startswith("Google Shopping / "):
        return f"google:{name.removeprefix('Google Shopping / ')}"
    return None


def columns_with(prefix: str, keys: object) -> dict[str, str]:
    """Of these keys those with a prefix: key → what stands behind it."""
    return {key: key.removeprefix(prefix) for key in keys if key.startswith(prefix)}  # type: ignore[attr-defined]
