"""A product as another system describes it, and what of it can't be stored.

None means "not told": an update leaves such a field alone, a new product gets the default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

from apps.products.models import (
    Brand,
    Category,
    ExternalId,
    Option,
    OptionValue,
    Product,
    ProductImage,
    ProductType,
    Tag,
    Variant,
)

MAX_DESCRIPTION = 500_000
MAX_OPTIONS, MAX_VARIANTS, MAX_IMAGES, MAX_LABELS, MAX_DEPTH = 10, 2_048, 250, 250, 20
# A PositiveIntegerField of the smallest engine.
MAX_INTEGER = 2_147_483_647
CATEGORY_SEPARATOR = " > "
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SLUG = re.compile(r"[-a-zA-Z0-9_]+")


@dataclass(slots=True)
class ImageData:
    """A picture to be fetched from `url`; known by it from then on."""

    url: str
    alt: str | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a variant, for its price per unit; nothing without `unit`."""

    quantity: int | None = None
    unit: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Quantities:
    """How many pieces may be ordered; `most` None is no limit."""

    least: int = 1
    most: int | None = None
    step: int = 1


@dataclass(slots=True)
class VariantData:
    """What is sold. Grams and millimetres; `options` maps option names to values.

    Without a SKU it is the variant with these options, whose SKU is made from them.
    """

    sku: str = ""
    options: dict[str, str] | None = None
    name: str | None = None
    gtin: str | None = None
    weight: int | None = None
    length: int | None = None
    width: int | None = None
    height: int | None = None
    requires_shipping: bool | None = None
    track_inventory: bool | None = None
    hs_code: str | None = None
    origin_country: str | None = None
    is_active: bool | None = None
    position: int | None = None
    contents: Contents | None = None
    quantities: Quantities | None = None
    image: str | None = None
    metadata: dict[str, Any] | None = None
    external_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoreWindow:
    """For sale in the store of this code, always or in a window.

    `groups`: the codes of the customer groups that alone see it; None: everybody does.
    """

    store: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    groups: list[str] | None = None


@dataclass(slots=True)
class ProductData:
    """`slug` is used if it is free or this product's, else `alternative_slug`.

    `categories` are paths of names. `published` speaks of the store of the call;
    `publications` names all stores, and those it doesn't name no longer sell the product.
    """

    slug: str
    alternative_slug: str = ""
    name: str | None = None
    description: str | None = None
    status: str | None = None
    brand: str | None = None
    product_type: str | None = None
    tax_class: str | None = None
    is_gift_card: bool | None = None
    tags: list[str] | None = None
    categories: list[tuple[str, ...]] | None = None
    options: dict[str, list[str]] | None = None
    variants: list[VariantData] = field(default_factory=list)
    images: list[ImageData] = field(default_factory=list)
    seo_title: str | None = None
    seo_description: str | None = None
    attributes: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    external_ids: dict[str, str] = field(default_factory=dict)
    published: bool | None = None
    publications: list[StoreWindow] | None = None
    # Slugs or SKUs of what is shown beside it. They may come later in the same file, so the upsert
    # leaves them to whoever knows that all are there (`relate_products`).
    related: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is refused; `field` is a field of the data above."""

    field: str
    reason: str


@dataclass(slots=True)
class UpsertResult:
    """What became of one product; the objects are unsaved if it was a dry run.

    `changed` names what differs ("description", "tags", "variants", …), empty for a new product.
    `variants` stand in the order of the data, None where one was refused. `left_alone` is an
    existing product of a call that doesn't update.
    """

    product: Product | None = None
    created: bool = False
    left_alone: bool = False
    changed: list[str] = field(default_factory=list)
    variants: list[Variant | None] = field(default_factory=list)
    variants_created: int = 0
    variants_updated: int = 0
    variants_unchanged: int = 0
    images_added: int = 0
    problem: Problem | None = None
    variant_problems: dict[int, Problem] = field(default_factory=dict)
    image_problems: dict[int, Problem] = field(default_factory=dict)


def address_of(image: ProductImage) -> str:
    """Where an image can be fetched: where it came from, else from this shop."""
    if image.source_url or not image.file:
        return image.source_url
    return urljoin(settings.SITE_URL, image.file.url)


def product_problem(data: ProductData) -> Problem | None:
    """The first reason why the product itself can't be stored."""
    return next(_product_problems(data), None)


def variant_problem(data: VariantData) -> Problem | None:
    """The first reason why a variant can't be stored."""
    return next(_variant_problems(data), None)


def image_problem(data: ImageData) -> Problem | None:
    """The first reason why an image can't be fetched from there."""
    if not data.url.lower().startswith(("http://", "https://")):
        return Problem("image", _("Images are fetched from http and https addresses."))
    return _text(ProductImage, "source_url", data.url, "image") or _text(
        ProductImage, "alt", data.alt, "alt"
    )


def _text(model: type[models.Model], name: str, value: Any, label: str = "") -> Problem | None:
    if value is None:
        return None
    if _UNSTORABLE.search(value):
        return Problem(label or name, _("It has a character that can't be stored."))
    limit = model._meta.get_field(name).max_length
    if limit is not None and len(value) > limit:
        return Problem(label or name, _("Longer than %d characters.") % limit)
    return None


def _number(name: str, value: int | None) -> Problem | None:
    if value is not None and not 0 <= value <= MAX_INTEGER:
        return Problem(name, _("Out of range."))
    return None


def _many(name: str, values: Any, limit: int) -> Problem | None:
    if values is not None and len(values) > limit:
        return Problem(name, _("More than %d.") % limit)
    return None


def _product_problems(data: ProductData) -> Iterator[Problem]:
    found: list[Problem | None] = [
        *(
            _text(Product, name, getattr(data, name))
            for name in ("slug", "name", "seo_title", "seo_description", "tax_class")
        ),
        _text(Brand, "name", data.brand, "brand"),
        _text(ProductType, "name", data.product_type, "product_type"),
        *(_text(Tag, "name", tag, "tags") for tag in data.tags or ()),
        *(_text(Category, "name", name, "categories") for p in data.categories or () for name in p),
        *(_text(ExternalId, "external_id", value) for value in data.external_ids.values()),
        _many("tags", data.tags, MAX_LABELS),
        _many("categories", data.categories, MAX_LABELS),
        *(_many("categories", path, MAX_DEPTH) for path in data.categories or ()),
        _many("options", data.options, MAX_OPTIONS),
        _many("images", data.images, MAX_IMAGES),
        _many("variants", data.variants, MAX_VARIANTS),
    ]
    yield from filter(None, found)
    if not _SLUG.fullmatch(data.slug):
        yield Problem("slug", _("A slug is made of letters, digits, hyphens and underscores."))
    if data.description is not None:
        if len(data.description) > MAX_DESCRIPTION:
            yield Problem("description", _("Longer than %d characters.") % MAX_DESCRIPTION)
        if _UNSTORABLE.search(data.description):
            yield Problem("description", _("It has a character that can't be stored."))
    if data.status is not None and data.status not in Product.Status.values:
        yield Problem("status", _("One of: %s.") % ", ".join(Product.Status.values))
    if any(not name.strip() for path in data.categories or () for name in path):
        yield Problem("categories", _("A category has no name."))
    if any(not tag.strip() for tag in data.tags or ()):
        yield Problem("tags", _("A tag has no name."))
    if data.tax_class is not None and not _SLUG.fullmatch(data.tax_class):
        yield Problem("tax_class", _("The code of a tax class is expected."))
    yield from _window_problems(data.publications or [])


def _window_problems(publications: list[StoreWindow]) -> Iterator[Problem]:
    for window in publications:
        if window.starts_at and window.ends_at and window.starts_at >= window.ends_at:
            yield Problem("publications", _("It would end before it starts."))


def _variant_problems(data: VariantData) -> Iterator[Problem]:
    texts = ("sku", "name", "gtin", "hs_code", "origin_country")
    numbers = ("weight", "length", "width", "height", "position")
    found: list[Problem | None] = [
        *(_text(Variant, name, getattr(data, name)) for name in texts),
        *(_number(name, getattr(data, name)) for name in numbers),
        *(_text(Option, "name", name, "options") for name in data.options or {}),
        *(_text(OptionValue, "value", v, "options") for v in (data.options or {}).values()),
        *(_text(ExternalId, "external_id", value) for value in data.external_ids.values()),
        _many("options", data.options, MAX_OPTIONS),
    ]
    yield from filter(None, found)
    yield from _terms_problems(data)
    if data.image and (problem := image_problem(ImageData(data.image))):
        yield problem
    country = data.origin_country
    if country and not re.fullmatch(r"[A-Z]{2}", country):
        yield Problem("origin_country", _("A country is two capital letters (ISO 3166-1)."))
    if any(not name or not value for name, value in (data.options or {}).items()):
        yield Problem("options", _("An option needs a name and a value."))


def _terms_problems(data: VariantData) -> Iterator[Problem]:
    contents, quantities = data.contents, data.quantities
    if contents is not None and contents != Contents():
        known = Variant.UNIT_REFERENCES.get(contents.unit)
        if known is None or not 1 <= (contents.quantity or 0) <= MAX_INTEGER:
            yield Problem("contents", _("A quantity and a unit are expected: 750 ml."))
        elif contents.reference and contents.reference not in known:
            yield Problem("contents", _("A price per one of: %s.") % ", ".join(known))
    if quantities is not None:
        told = (quantities.least, quantities.step, quantities.most or quantities.least)
        if not all(1 <= number <= MAX_INTEGER for number in told):
            yield Problem("quantities", _("Out of range."))
        if quantities.most is not None and quantities.most < quantities.least:
            yield Problem("quantities", _("The greatest quantity is below the least."))
