"""Products as rows of our own format. The same shop gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from apps.core.money import decimal_string
from apps.integrations.channels.base import ExportProduct, Item, PriceRow
from apps.integrations.channels.cells import joined
from apps.integrations.channels.commerce.columns import HEADER
from apps.products.services.product_data import Contents, Quantities
from apps.products.services.upsert import ProductData


def rows(product: ExportProduct) -> Iterator[Sequence[Any]]:
    """One row for each variant and image, whichever are more."""
    data = product.data
    for index in range(max(len(product.items), len(data.images), 1)):
        row: dict[str, Any] = {"slug": data.slug}
        if index == 0:
            row |= _product(data)
        if index < len(product.items):
            row |= _variant(product.items[index])
        if index < len(data.images):
            row |= {"image_url": data.images[index].url, "image_alt": data.images[index].alt}
        yield [row.get(name, "") for name in HEADER]


def _product(data: ProductData) -> dict[str, Any]:
    windows = {
        window.store: [
            *(_moment(window.starts_at), _moment(window.ends_at)),
            *([] if window.groups is None else [window.groups]),
        ]
        for window in data.publications or ()
    }
    paths = [joined(path, " > ") for path in data.categories or ()]
    return {
        "name": data.name,
        "description": data.description,
        "status": data.status,
        "brand": data.brand or "",
        "product_type": data.product_type or "",
        "tags": joined(data.tags or (), ", "),
        "categories": ", ".join(paths),
        "tax_class": data.tax_class,
        "is_gift_card": _flag(data.is_gift_card),
        "seo_title": data.seo_title,
        "seo_description": data.seo_description,
        "options": _json(data.options, keep_order=True),
        "attributes": _json(data.attributes),
        "metadata": _json(data.metadata),
        "external_ids": _json(data.external_ids),
        "publications": _json(windows) or "{}",
        "related": joined(data.related or (), ", "),
    }


def _variant(item: Item) -> dict[str, Any]:
    data = item.variant
    plain = next((price for price in item.prices if not price.store), None)
    more = [_price(price) for price in item.prices if price.store]
    row = {
        "sku": data.sku,
        "variant_name": data.name,
        "variant_options": _json(data.options, keep_order=True),
        "gtin": data.gtin,
        "weight_grams": data.weight,
        "length_mm": data.length,
        "width_mm": data.width,
        "height_mm": data.height,
        "requires_shipping": _flag(data.requires_shipping),
        "track_inventory": _flag(data.track_inventory),
        "hs_code": data.hs_code,
        "origin_country": data.origin_country,
        "active": _flag(data.is_active),
        "position": data.position,
        "contents": _contents(data.contents),
        "quantities": _quantities(data.quantities),
        "variant_image": data.image or "",
        "variant_metadata": _json(data.metadata),
        "variant_external_ids": _json(data.external_ids),
        "more_prices": json.dumps(more, ensure_ascii=False) if more else "",
        "stock": _levels(item.stock),
        "backorder_limits": _levels(item.backorders),
    }
    if plain:
        row["currency"] = plain.currency
        row["price"] = decimal_string(plain.amount, plain.currency)
        if plain.compare_at is not None:
            row["compare_at_price"] = decimal_string(plain.compare_at, plain.currency)
    return row


def _contents(contents: Contents | None) -> str:
    """`750 ml`, `30 ml per 100ml`, or nothing."""
    if contents is None or not contents.unit:
        return ""
    per = f" per {contents.reference}" if contents.reference else ""
    return f"{contents.quantity} {contents.unit}{per}"


def _quantities(quantities: Quantities | None) -> str:
    """`6 to 60 by 6`, `6 by 6`, `2`, or nothing for any number of pieces."""
    if quantities is None or quantities == Quantities():
        return ""
    most = f" to {quantities.most}" if quantities.most is not None else ""
    step = f" by {quantities.step}" if quantities.step > 1 else ""
    return f"{quantities.least}{most}{step}"


def _price(price: PriceRow) -> dict[str, Any]:
    """A price that isn't the plain one, by the names `reader` takes it with."""
    row: dict[str, Any] = {
        "store": price.store,
        "currency": price.currency,
        "amount": decimal_string(price.amount, price.currency),
    }
    if price.compare_at is not None:
        row["compare_at"] = decimal_string(price.compare_at, price.currency)
    if price.min_quantity != 1:
        row["min_quantity"] = price.min_quantity
    if price.price_list:
        row["price_list"] = price.price_list
    if price.valid_from:
        row["from"] = _moment(price.valid_from)
    if price.valid_to:
        row["to"] = _moment(price.valid_to)
    return row


def _json(value: Mapping[str, Any] | None, *, keep_order: bool = False) -> str:
    if not value:
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=not keep_order)


def _levels(levels: Mapping[str, int]) -> str:
    return " ".join(f"{code}={levels[code]}" for code in sorted(levels))


def _moment(value: Any) -> str | None:
    return value.isoformat() if value else None


def _flag(value: bool | None) -> str:
    return "true" if value else "false"
