"""WooCommerce's rows into products: a simple product is a row, a variable one has variations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.text import slugify
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
from apps.products.services.product_data import image_problem
from apps.products.services.upsert import ImageData, ProductData, VariantData

SOURCE = "woocommerce"
UNLIMITED = 1_000_000
EXEMPT = "exempt"
# A sale with an end but no beginning began before every order.
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
_NOT_SOLD_HERE = {"grouped", "external"}


def kinds(row: Row) -> set[str]:
    """The words of the type column ("simple, downloadable, virtual")."""
    return {word.casefold() for word in cells.words(row.text("type"))}


def parse(rows: Sequence[Row], context: Context) -> Parsed:
    """The product of one row that isn't a variation, with the variations that name it."""
    parsed = Parsed(rows[0].line)
    sound = []
    for row in rows:
        if row.problem:
            parsed.refusals.append(Refusal(row.line, row.column, row.problem))
        else:
            sound.append(row)
    parents = [row for row in sound if "variation" not in kinds(row)]
    variations = [row for row in sound if "variation" in kinds(row)]
    for row in parents[1:]:
        reason = _("The ID or SKU stands on line %d already.") % parents[0].line
        parsed.refusals.append(Refusal(row.line, "id", reason))
    if not parents:
        for row in variations:
            reason = _("Its parent isn't in the file: %s") % row.text("parent")[:60]
            parsed.refusals.append(Refusal(row.line, "parent", reason))
        return parsed
    parent = parents[0]
    parsed.line = parent.line
    try:
        data = _product(parent, variations)
        _add_items(parsed, parent, variations, context)
    except Refused as error:
        parsed.items = []
        parsed.refusals.append(Refusal(parent.line, error.column, error.reason))
        reason = _("Its product (line %d) was refused.") % parent.line
        parsed.refusals += [Refusal(row.line, "parent", reason) for row in variations]
        return parsed
    _add_images(parsed, data, parent)
    data.variants = [item.variant for item in parsed.items]
    parsed.product = data
    return parsed


def _product(row: Row, variations: Sequence[Row]) -> ProductData:
    types = kinds(row)
    if found := types & _NOT_SOLD_HERE:
        raise Refused(_("Products of this type aren't imported: %s") % min(found), "type")
    if types and not types & {"simple", "variable"}:
        raise Refused(_("Unknown type: %s") % row.text("type")[:60], "type")
    name, own = row.text("name"), row.text("id") or row.text("sku")
    slug = slugify(name)[:180] or "product"
    published = row.text("published")
    if published not in ("", "1", "0", "-1"):
        raise Refused(_("1, 0 or -1 is expected."), "published")
    description = row.get("description")
    return ProductData(
        slug=slug,
        alternative_slug=cells.slug_of(f"{slug}-{own}") if own else "",
        name=name or None,
        description=description or row.get("short_description"),
        status={"1": "active", "0": "draft", "-1": "draft"}.get(published),
        published=None if published == "" else published == "1",
        brand=next(iter(cells.words(row.text("brands"))), row.get("brands")),
        tags=None if row.get("tags") is None else cells.words(row.text("tags")),
        categories=(None if row.get("categories") is None else cells.paths(row.text("categories"))),
        tax_class=_tax_class(row),
        metadata=_metadata(row, variations) or None,
        external_ids={SOURCE: row.text("id")[:150]} if row.text("id") else {},
    )


def _tax_class(row: Row) -> str | None:
    if row.text("tax_status") in ("none", "shipping"):
        return EXEMPT
    if row.get("tax_class") is None:
        return None
    return slugify(row.text("tax_class"))[:50] or "standard"


def _attributes(row: Row) -> dict[str, str]:
    """Names of attributes with the text of their values, in order."""
    found = {}
    for key in row.cells:
        if key.startswith("attribute:") and key.endswith(":name") and row.text(key):
            found[row.text(key)] = row.text(key.removesuffix("name") + "values")
    return found


def _metadata(row: Row, variations: Sequence[Row]) -> dict[str, Any]:
    """What has no place of its own: attributes nobody chooses by, meta fields."""
    chosen = {name for variation in variations for name in _attributes(variation)}
    attributes = {
        name: cells.words(values)
        for name, values in _attributes(row).items()
        if name not in chosen and values
    }
    meta = {
        key.removeprefix("meta:"): row.text(key)
        for key in row.cells
        if key.startswith("meta:") and row.text(key)
    }
    metadata: dict[str, Any] = {}
    if attributes:
        metadata["attributes"] = attributes
    if meta:
        metadata["meta"] = meta
    if row.text("description") and row.text("short_description"):
        metadata["short_description"] = row.text("short_description")
    if row.text("visibility") not in ("", "visible"):
        metadata["visibility"] = row.text("visibility")
    return metadata


def _add_items(parsed: Parsed, parent: Row, variations: Sequence[Row], context: Context) -> None:
    if "variable" not in kinds(parent):
        # Only a variable product has variations; those of another are no rows of ours.
        parsed.items.append(_item(parent, parent, {}, context))
        for row in variations:
            reason = _("Its parent isn't a variable product.")
            parsed.refusals.append(Refusal(row.line, "parent", reason))
        return
    order = list(_attributes(parent))
    for row in variations:
        named = {name: value for name, value in _attributes(row).items() if value}
        options = {name: named[name] for name in [*order, *named] if name in named}
        try:
            parsed.items.append(_item(row, parent, options, context))
        except Refused as error:
            parsed.refusals.append(Refusal(row.line, error.column, error.reason))
    if not variations:
        raise Refused(_("A variable product without variations can't be sold."), "type")


def _item(row: Row, parent: Row, options: dict[str, str], context: Context) -> Item:
    types = kinds(row)
    variation = row is not parent
    tracked, quantity = _stock(row)
    position = row.text("position")
    external = variation and row.text("id")
    item = Item(
        row.line,
        VariantData(
            sku=row.text("sku"),
            options=options,
            name=None,
            gtin=row.get("gtin"),
            weight=_measure(row, parent, "weight", context),
            length=_measure(row, parent, "length", context),
            width=_measure(row, parent, "width", context),
            height=_measure(row, parent, "height", context),
            requires_shipping=not types & {"virtual", "downloadable"},
            track_inventory=tracked,
            is_active=row.text("published") in ("", "1") if variation else None,
            position=cells.integer(position, "position") if variation and position else None,
            external_ids={SOURCE: row.text("id")[:150]} if external else {},
        ),
        prices=_prices(row, context),
    )
    if quantity is not None:
        item.stock[""] = quantity
    if backorders := row.text("backorders").casefold():
        more = backorders == "notify" or cells.boolean(backorders, "backorders")
        item.backorders[""] = UNLIMITED if more else 0
    if variation:
        _variation_image(item, row)
    return item


def _variation_image(item: Item, row: Row) -> None:
    image = next(iter(cells.words(row.text("images"))), "")
    if image:
        if problem := image_problem(ImageData(image)):
            raise Refused(problem.reason, "images")
        item.variant.image = image


def _stock(row: Row) -> tuple[bool | None, int | None]:
    """Whether stock is counted, and how much there is."""
    text = row.text("stock")
    if text == "parent":
        raise Refused(_("Stock that is kept at the parent isn't imported."), "stock")
    if text:
        return True, cells.pieces(text.partition(".")[0] if "." in text else text, "stock")
    in_stock = row.text("in_stock").casefold()
    if in_stock == "":
        return None, None
    if in_stock == "backorder" or cells.boolean(in_stock, "in_stock"):
        return False, None
    return True, 0


def _measure(row: Row, parent: Row, name: str, context: Context) -> int | None:
    """A weight or length; a variation without one has its parent's."""
    for source in (row, parent):
        for key, text in source.cells.items():
            kind, _colon, unit = key.partition(":")
            if kind == name and text:
                convert = cells.grams if name == "weight" else cells.millimetres
                return convert(text, unit, context, key)
    return None


def _prices(row: Row, context: Context) -> list[PriceRow]:
    """The regular price, and the sale over it: for a time, or in its place."""
    regular = cells.price_of(row, context, "regular_price")
    sale = cells.price_of(row, context, "sale_price")
    starts = cells.moment(row.text("sale_from"), "sale_from")
    ends = cells.moment(row.text("sale_to"), "sale_to", end_of_day=True)
    currency = context.currency
    if sale is None:
        return [] if regular is None else [PriceRow(regular, currency)]
    above = regular if regular is not None and regular > sale else None
    if starts is None and ends is None:
        return [PriceRow(sale, currency, above)]
    if ends is not None and ends <= (starts or _ALWAYS):
        raise Refused(_("The sale would end before it starts."), "sale_to")
    prices = [] if regular is None else [PriceRow(regular, currency)]
    starts = starts or _ALWAYS
    return [*prices, PriceRow(sale, currency, above, valid_from=starts, valid_to=ends)]


def _add_images(parsed: Parsed, data: ProductData, row: Row) -> None:
    for url in cells.words(row.text("images")):
        image = ImageData(url)
        if problem := image_problem(image):
            parsed.refusals.append(Refusal(row.line, "images", problem.reason))
        else:
            data.images.append(image)
            parsed.image_lines.append(row.line)
