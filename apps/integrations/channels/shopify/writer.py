"""Products as rows of Shopify's CSV: what its format has room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from apps.core.money import decimal_string
from apps.integrations.channels.base import ExportProduct, Item, PriceRow

HEADER = (
    *("Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published"),
    *("Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value"),
    *("Option3 Name", "Option3 Value", "Variant SKU", "Variant Grams"),
    *("Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy"),
    *("Variant Fulfillment Service", "Variant Price", "Variant Compare At Price"),
    *("Variant Requires Shipping", "Variant Taxable", "Variant Barcode", "Image Src"),
    *("Image Position", "Image Alt Text", "Gift Card", "SEO Title", "SEO Description"),
    *("Variant Image", "Variant Weight Unit", "Cost per item", "Status"),
)


def rows(product: ExportProduct) -> Iterator[Sequence[Any]]:
    """One row for each variant and image, whichever are more; the first has the product."""
    data = product.data
    names = list(data.options or {})[:3]
    for index in range(max(len(product.items), len(data.images), 1)):
        row: dict[str, Any] = {"Handle": data.slug}
        if index == 0:
            row |= _product(product)
        if index < len(product.items):
            row |= _variant(product.items[index], product.store)
            row |= _options(product.items[index], names, first=index == 0)
            row["Variant Taxable"] = _flag(data.tax_class != "exempt")
        if index < len(data.images):
            image = data.images[index]
            row |= {"Image Src": image.url, "Image Position": index + 1}
            row["Image Alt Text"] = image.alt or ""
        yield [row.get(name, "") for name in HEADER]


def _product(product: ExportProduct) -> dict[str, Any]:
    data = product.data
    return {
        "Title": data.name,
        "Body (HTML)": data.description,
        "Vendor": data.brand or "",
        "Product Category": " > ".join(data.categories[0]) if data.categories else "",
        "Type": data.product_type or "",
        "Tags": ", ".join(data.tags or ()),
        "Published": _flag(bool(data.publications)),
        "Gift Card": _flag(bool(data.is_gift_card)),
        "SEO Title": data.seo_title,
        "SEO Description": data.seo_description,
        "Status": data.status,
    }


def _variant(item: Item, store: str) -> dict[str, Any]:
    variant = item.variant
    row: dict[str, Any] = {
        "Variant SKU": variant.sku,
        "Variant Grams": variant.weight,
        "Variant Inventory Tracker": "shopify" if variant.track_inventory else "",
        "Variant Inventory Qty": sum(item.stock.values()),
        "Variant Inventory Policy": "continue" if any(item.backorders.values()) else "deny",
        "Variant Fulfillment Service": "manual",
        "Variant Requires Shipping": _flag(bool(variant.requires_shipping)),
        "Variant Barcode": variant.gtin,
        "Variant Image": variant.image or "",
        "Variant Weight Unit": "g",
        "Cost per item": (variant.metadata or {}).get("cost", ""),
    }
    if price := _base_price(item.prices, store):
        row["Variant Price"] = decimal_string(price.amount, price.currency)
        if price.compare_at is not None:
            row["Variant Compare At Price"] = decimal_string(price.compare_at, price.currency)
    return row


def _options(item: Item, names: Sequence[str], *, first: bool) -> dict[str, str]:
    if not names:
        return {"Option1 Name": "Title" if first else "", "Option1 Value": "Default Title"}
    row = {}
    for number, name in enumerate(names, 1):
        row[f"Option{number} Name"] = name if first else ""
        row[f"Option{number} Value"] = (item.variant.options or {}).get(name, "")
    return row


def _base_price(prices: Sequence[PriceRow], store: str) -> PriceRow | None:
    """What one piece costs everybody, always: this store's own price over every store's."""
    ranks = {store: 0, "": 1, "*": 2}
    plain = [
        price
        for price in prices
        if price.store in ranks
        and price.min_quantity == 1
        and not (price.price_list or price.valid_from or price.valid_to)
    ]
    return min(plain, key=lambda price: ranks[price.store], default=None)


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"
