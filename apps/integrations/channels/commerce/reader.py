"""Rows of our own format into products. Files written by hand may leave out columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.integrations.channels import cells
from apps.integrations.channels.base import (
    Context,
    Item,
    Parsed,
    PriceRow,
    Refusal,
    Refused,
    Row,
)
from apps.integrations.channels.commerce.columns import VARIANT
from apps.products.services.product_data import Contents, Quantities, image_problem
from apps.products.services.upsert import ImageData, ProductData, StoreWindow, VariantData

MAX_RELATED = 100
_MEASURES = {
    "weight": "weight_grams",
    "length": "length_mm",
    "width": "width_mm",
    "height": "height_mm",
    "position": "position",
}
# As `writer` writes them; what they mean is checked with the variant.
_CONTENTS = re.compile(r"([0-9]{1,10}) ([a-z0-9]{1,8})(?: per ([a-z0-9]{1,8}))?")
_QUANTITIES = re.compile(r"([0-9]{1,10})(?: to ([0-9]{1,10}))?(?: by ([0-9]{1,10}))?")
_PRICE_KEYS = {
    *("store", "currency", "amount", "compare_at", "min_quantity", "price_list", "from", "to")
}


def parse(rows: Sequence[Row], context: Context) -> Parsed:
    """The product of the rows of one slug."""
    parsed = Parsed(rows[0].line)
    parsed.refusals = [Refusal(r.line, r.column, r.problem) for r in rows if r.problem]
    sound = [row for row in rows if not row.problem]
    if not sound:
        return parsed
    head = next((row for row in sound if row.text("name")), sound[0])
    parsed.line = head.line
    try:
        data = _product(head)
    except Refused as error:
        parsed.refusals.append(Refusal(head.line, error.column, error.reason))
        reason = _("Its product (line %d) was refused.") % head.line
        parsed.refusals += [Refusal(row.line, "", reason) for row in sound if row is not head]
        return parsed
    for row in sound:
        if any(row.text(key) for key in VARIANT):
            try:
                parsed.items.append(_item(row, context))
            except Refused as error:
                parsed.refusals.append(Refusal(row.line, error.column, error.reason))
        if url := row.text("image_url"):
            image = ImageData(url, row.get("image_alt"))
            if problem := image_problem(image):
                parsed.refusals.append(Refusal(row.line, "image_url", problem.reason))
            else:
                data.images.append(image)
                parsed.image_lines.append(row.line)
    data.variants = [item.variant for item in parsed.items]
    parsed.product = data
    return parsed


def _product(row: Row) -> ProductData:
    slug = row.text("slug").strip()
    if not slug:
        raise Refused(_("The first row of a product needs a slug."), "slug")
    data = ProductData(slug=slug, name=row.text("name") or None)
    for name in ("description", "brand", "product_type", "seo_title", "seo_description"):
        setattr(data, name, row.get(name))
    data.status = row.text("status").strip() or None
    data.tax_class = row.text("tax_class").strip() or None
    data.is_gift_card = cells.boolean(row.text("is_gift_card").strip(), "is_gift_card")
    if row.get("tags") is not None:
        data.tags = cells.words(row.text("tags"))
    if row.get("categories") is not None:
        data.categories = cells.paths(row.text("categories"))
    if text := row.text("options"):
        data.options = _options(text)
    for name in ("attributes", "metadata"):
        if text := row.text(name):
            setattr(data, name, cells.json_object(text, name))
    data.external_ids = _ids(row, "external_ids")
    if row.get("related") is not None:
        data.related = cells.words(row.text("related"))
        if len(data.related) > MAX_RELATED:
            raise Refused(_("At most %d related products.") % MAX_RELATED, "related")
    if text := row.text("publications"):
        data.publications = _publications(text)
    return data


def _options(text: str) -> dict[str, list[str]]:
    options = cells.json_object(text, "options")
    for values in options.values():
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise Refused(_("Each option has a list of texts."), "options")
    return options


def _ids(row: Row, key: str) -> dict[str, str]:
    ids = cells.json_object(row.text(key), key) if row.text(key) else {}
    if not all(isinstance(value, str) and value and len(name) <= 40 for name, value in ids.items()):
        raise Refused(_("External ids are texts."), key)
    return ids


def _publications(text: str) -> list[StoreWindow]:
    windows = []
    for store, window in cells.json_object(text, "publications").items():
        if not isinstance(window, list) or len(window) not in (2, 3):
            raise Refused(
                _("Each store has a list of two times, or of null, and of its groups, if any."),
                "publications",
            )
        starts_at, ends_at = (
            cells.moment(_text(time or "", "publications"), "publications") for time in window[:2]
        )
        windows.append(StoreWindow(store, starts_at, ends_at, _groups(window[2:])))
    return windows


def _groups(told: list[Any]) -> list[str] | None:
    if not told or told[0] is None:
        return None
    if not isinstance(told[0], list):
        raise Refused(_("Groups are a list of codes."), "publications")
    return [_text(code, "publications") for code in told[0]]


def _text(value: Any, column: str) -> str:
    if not isinstance(value, str):
        raise Refused(_("A text is expected."), column)
    return value


def _item(row: Row, context: Context) -> Item:
    data = VariantData(sku=row.text("sku").strip(), name=row.get("variant_name"))
    if text := row.text("variant_options"):
        options = cells.json_object(text, "variant_options")
        data.options = {name: _text(value, "variant_options") for name, value in options.items()}
    elif row.get("variant_options") is not None:
        data.options = {}
    for name, key in _MEASURES.items():
        if text := row.text(key).strip():
            setattr(data, name, cells.integer(text, key))
    for name in ("requires_shipping", "track_inventory"):
        setattr(data, name, cells.boolean(row.text(name).strip(), name))
    data.is_active = cells.boolean(row.text("active").strip(), "active")
    for name in ("gtin", "hs_code", "origin_country"):
        setattr(data, name, row.get(name))
    if row.get("contents") is not None:
        data.contents = _contents(row.text("contents").strip())
    if row.get("quantities") is not None:
        data.quantities = _quantities(row.text("quantities").strip())
    if image := row.text("variant_image"):
        if problem := image_problem(ImageData(image)):
            raise Refused(problem.reason, "variant_image")
        data.image = image
    if text := row.text("variant_metadata"):
        data.metadata = cells.json_object(text, "variant_metadata")
    data.external_ids = _ids(row, "variant_external_ids")
    item = Item(row.line, data, _prices(row, context))
    item.stock = _levels(row, "stock")
    item.backorders = _levels(row, "backorder_limits")
    return item


def _contents(text: str) -> Contents:
    if not text:
        return Contents()
    if not (match := _CONTENTS.fullmatch(text)):
        raise Refused(_("Contents are written like 750 ml, or 30 ml per 100ml."), "contents")
    return Contents(int(match[1]), match[2], match[3] or "")


def _quantities(text: str) -> Quantities:
    if not text:
        return Quantities()
    if not (match := _QUANTITIES.fullmatch(text)):
        raise Refused(_("Quantities are written like 6 to 60 by 6, or 2."), "quantities")
    return Quantities(int(match[1]), int(match[2]) if match[2] else None, int(match[3] or 1))


def _prices(row: Row, context: Context) -> list[PriceRow]:
    prices = []
    currency = row.text("currency").strip() or context.currency
    if text := row.text("price").strip():
        compare_at = row.text("compare_at_price").strip()
        prices.append(
            PriceRow(
                cells.money(text, context, "price", currency),
                currency,
                cells.money(compare_at, context, "compare_at_price", currency)
                if compare_at
                else None,
            )
        )
    if text := row.text("more_prices"):
        value = cells.json_value(text, "more_prices")
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise Refused(_("A list of JSON objects is expected."), "more_prices")
        prices += [_price(entry, context) for entry in value]
    return prices


def _price(entry: dict[str, Any], context: Context) -> PriceRow:
    column = "more_prices"
    if unknown := set(entry) - _PRICE_KEYS:
        raise Refused(_("A price has no such member: %s") % min(unknown), column)
    quantity = entry.pop("min_quantity", 1)
    if type(quantity) is not int or not 1 <= quantity <= 1_000_000_000:
        raise Refused(_("The least quantity is a whole number."), column)
    text = {name: _text(value, column) for name, value in entry.items()}
    currency = text.get("currency") or context.currency
    compare_at = text.get("compare_at")
    return PriceRow(
        amount=cells.money(text.get("amount", ""), context, column, currency),
        currency=currency,
        compare_at=cells.money(compare_at, context, column, currency) if compare_at else None,
        min_quantity=quantity,
        store=text.get("store") or "*",
        price_list=text.get("price_list", ""),
        valid_from=cells.moment(text.get("from", ""), column),
        valid_to=cells.moment(text.get("to", ""), column),
    )


def _levels(row: Row, key: str) -> dict[str, int]:
    """ "main=5 outlet=2", or a plain number for the location of the import."""
    levels = {}
    for part in row.text(key).split():
        code, equals, quantity = part.partition("=")
        if equals:
            levels[code] = cells.integer(quantity, key)
        else:
            levels[""] = cells.integer(part, key)
    return levels
