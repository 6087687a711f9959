"""Shopify's rows into products: the first row has the product, each row a variant, an image."""

from __future__ import annotations

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
from apps.integrations.channels.shopify.columns import columns_with
from apps.products.services.product_data import image_problem
from apps.products.services.upsert import ImageData, ProductData, VariantData

SOURCE = "shopify"
# "Continue selling when out of stock" knows no limit; a shelf needs one.
UNLIMITED = 1_000_000
# What a shop charges no tax for, whatever the place.
EXEMPT = "exempt"
_VARIANT_KEYS = ("price", "sku", "option1_value", "option2_value", "option3_value", "barcode")


def parse(rows: Sequence[Row], context: Context) -> Parsed:
    """The product of the rows of one handle."""
    parsed = Parsed(rows[0].line)
    sound = []
    for row in rows:
        if row.problem:
            parsed.refusals.append(Refusal(row.line, row.column, row.problem))
        else:
            sound.append(row)
    if not sound:
        return parsed
    head = next((row for row in sound if row.text("title")), sound[0])
    parsed.line = head.line
    try:
        if not head.text("handle"):
            raise Refused(_("The first row of a product needs a handle."), "handle")
        data = _product(head)
    except Refused as error:
        _refuse_all(parsed, head, sound, error)
        return parsed
    names = _option_names(head)
    for row in sound:
        if row is head or any(row.text(key) for key in _VARIANT_KEYS):
            _add_item(parsed, row, names, context)
    if len(parsed.items) > 1 and not any(head.text(key) for key in _VARIANT_KEYS):
        # The product's own row says nothing of a variant; others do.
        parsed.items = [item for item in parsed.items if item.line != head.line]
    _add_images(parsed, data, sound)
    data.variants = [item.variant for item in parsed.items]
    if sum(row.text("taxable").casefold() == "false" for row in sound) == len(parsed.items):
        data.tax_class = EXEMPT
    parsed.product = data
    return parsed


def _refuse_all(parsed: Parsed, head: Row, sound: Sequence[Row], error: Refused) -> None:
    parsed.refusals.append(Refusal(head.line, error.column, error.reason))
    parsed.refusals += [
        Refusal(row.line, "", _("Its product (line %d) was refused.") % head.line)
        for row in sound
        if row is not head
    ]


def _product(row: Row) -> ProductData:
    status = row.get("status")
    category, kind = row.get("category"), row.get("type")
    metadata: dict[str, Any] = _metafields(row, "product-metafield:")
    google = {
        name: row.text(key)
        for key, name in columns_with("google:", row.cells).items()
        if row.text(key)
    }
    if google:
        metadata["google_shopping"] = google
    categories = None
    if category is not None or kind is not None:
        path = cells.path(category or "") or cells.path(kind or "")
        categories = [path] if path else []
    slug = cells.slug_of(row.text("handle"))
    return ProductData(
        slug=slug,
        name=row.text("title") or None,
        description=row.get("body"),
        status=status.lower() if status else None,
        brand=row.get("vendor"),
        product_type=kind,
        is_gift_card=cells.boolean(row.text("gift_card"), "gift_card"),
        tags=None if row.get("tags") is None else cells.words(row.text("tags")),
        categories=categories,
        seo_title=row.get("seo_title"),
        seo_description=row.get("seo_description"),
        metadata=metadata or None,
        external_ids={SOURCE: slug},
        published=cells.boolean(row.text("published"), "published"),
    )


def _metafields(row: Row, prefix: str) -> dict[str, Any]:
    found = {
        name: row.text(key)
        for key, name in columns_with(prefix, row.cells).items()
        if row.text(key)
    }
    return {"metafields": found} if found else {}


def _option_names(head: Row) -> dict[str, str]:
    """Key of the value column → name of the option."""
    return {f"option{n}_value": head.text(f"option{n}_name") or f"Option {n}" for n in (1, 2, 3)}


def _add_item(parsed: Parsed, row: Row, names: dict[str, str], context: Context) -> None:
    try:
        item = Item(row.line, _variant(row, names, context))
        _offer(item, row, context)
    except Refused as error:
        parsed.refusals.append(Refusal(row.line, error.column, error.reason))
        return
    image = row.text("variant_image")
    if image:
        if problem := image_problem(ImageData(image)):
            parsed.refusals.append(Refusal(row.line, "variant_image", problem.reason))
        else:
            item.variant.image = image
    parsed.items.append(item)


def _variant(row: Row, names: dict[str, str], context: Context) -> VariantData:
    options: dict[str, str] = {}
    for key, name in names.items():
        value = row.text(key)
        if not value or (name.casefold(), value.casefold()) == ("title", "default title"):
            continue
        if name in options:
            raise Refused(_("Two options have one name: %s") % name, key)
        options[name] = value
    metadata = _metafields(row, "variant-metafield:")
    if cost := row.text("cost"):
        metadata["cost"] = str(cells.number(cost, context, "cost"))
    tracker = row.get("tracker")
    return VariantData(
        sku=row.text("sku").removeprefix("'"),
        options=options,
        gtin=None if row.get("barcode") is None else row.text("barcode").removeprefix("'"),
        weight=_weight(row, context),
        requires_shipping=cells.boolean(row.text("requires_shipping"), "requires_shipping"),
        track_inventory=None if tracker is None else bool(tracker),
        metadata=metadata or None,
    )


def _weight(row: Row, context: Context) -> int | None:
    if text := row.text("grams"):
        return cells.grams(text, "g", context, "grams")
    if text := row.text("weight"):
        return cells.grams(text, row.text("weight_unit") or "kg", context, "weight")
    return None


def _offer(item: Item, row: Row, context: Context) -> None:
    amount = cells.price_of(row, context, "price")
    compare_at = cells.price_of(row, context, "compare_at")
    if amount is not None:
        # A compare-at price that isn't higher is Shopify's way of saying none.
        above = compare_at if compare_at is not None and compare_at > amount else None
        item.prices.append(PriceRow(amount, context.currency, above))
    if quantity := row.text("quantity"):
        item.stock[""] = cells.pieces(quantity, "quantity")
    policy = row.text("policy").casefold()
    if policy not in ("", "deny", "continue"):
        raise Refused(_("deny or continue is expected."), "policy")
    goes_on = cells.boolean(row.text("continue"), "continue")
    if policy or goes_on is not None:
        item.backorders[""] = UNLIMITED if policy == "continue" or goes_on else 0


def _add_images(parsed: Parsed, data: ProductData, sound: Sequence[Row]) -> None:
    found: list[tuple[int, int, ImageData]] = []
    for row in sound:
        url = row.text("image")
        if not url:
            continue
        image = ImageData(url, row.text("image_alt") or None)
        position = row.text("image_position")
        if problem := image_problem(image):
            parsed.refusals.append(Refusal(row.line, "image", problem.reason))
        elif position and not position.isdecimal():
            reason = _("Not a whole number: %s") % position[:40]
            parsed.refusals.append(Refusal(row.line, "image_position", reason))
        else:
            order = int(position[:9]) if position.isascii() and position else 10**9
            found.append((order, row.line, image))
    found.sort(key=lambda entry: entry[:2])
    data.images = [image for _order, _line, image in found]
    parsed.image_lines = [line for _order, line, _image in found]
