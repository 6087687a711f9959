"""The JSON of a list item and of a product page, from rows already read. No query is made here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.money import money_json
from apps.pricing.selectors import ResolvedPrice
from apps.products.models import Category, Option, Product, ProductImage, Variant
from apps.products.selectors import gtin_of, unit_price
from apps.reviews.models import Review
from apps.storefront.engines.words import chunks, stem
from apps.storefront.models import Listing
from apps.storefront.selectors.facets import BRAND, CATEGORY, CHOICE, NUMBER, facet_text
from apps.storefront.selectors.search import Document
from apps.storefront.services.seo import seo_json
from apps.stores.models import Store

# A card of the list: the smallest rendition at least this wide.
THUMBNAIL_WIDTH = 320
URLOf = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Sold:
    """A variant with its price and stock in one store and currency.

    `available` is None when its stock isn't tracked; `reference` is the lowest price before a
    reduction, where there is one.
    """

    variant: Variant
    price: ResolvedPrice
    available: int | None
    reference: int | None = None

    @property
    def in_stock(self) -> bool:
        return self.available is None or self.available > 0


@dataclass(frozen=True, slots=True)
class Rated:
    """What shoppers of a store say of a product; the newest reviews first."""

    average: float | None
    count: int
    latest: Sequence[Review] = ()


UNRATED = Rated(None, 0)


def search_text(product: Product, language: str) -> str:
    """The name's words by their stems."""
    return " ".join(stem(chunk.whole, language) for chunk in chunks(product.name))


def document(listing: Listing, listing_id: int, product: Product, language: str) -> Document:
    """What the listing of a product is found by."""
    labels = [product.brand.name] if product.brand else []
    labels += [category.name for category in product.categories.all()]
    labels += [tag.name for tag in product.tags.all()]
    for entry in _attributes(product):
        values = entry["value"] if isinstance(entry["value"], list) else [entry["value"]]
        labels += [value for value in values if isinstance(value, str)]
    return Document(
        listing_id=listing_id,
        store_id=listing.store_id,
        language=language,
        name=product.name,
        skus=[variant.sku for variant in product.variants.all()],
        labels=labels,
        text=product.description,
        popularity=listing.popularity.bit_length(),
        in_stock=listing.in_stock,
        version=int(listing.updated_at.timestamp() * 1_000_000) if listing.updated_at else 0,
    )


def item_json(
    product: Product, sold: Sequence[Sold], currency: str, url_of: URLOf, rated: Rated = UNRATED
) -> dict[str, Any]:
    """The list item; its price is the lowest of `sold`, which isn't empty."""
    cheapest = cheapest_of(sold)
    images = list(product.images.all())
    return {
        "slug": product.slug,
        "name": product.name,
        "brand": product.brand.name if product.brand else None,
        "price": money_json(cheapest.price.amount, currency),
        "compare_at_price": _compare_at(cheapest.price, currency),
        "reference_price": _reference(cheapest, currency),
        "unit_price": _unit_price(cheapest, currency),
        "currency": currency,
        "in_stock": any(entry.in_stock for entry in sold),
        "thumbnail": _thumbnail(images[0], url_of) if images else None,
        "rating": {"average": rated.average, "count": rated.count},
        "variant_count": len(sold),
    }


def cheapest_of(sold: Sequence[Sold]) -> Sold:
    return min(sold, key=lambda entry: (entry.price.amount, entry.variant.position))


def detail_json(
    product: Product,
    sold: Sequence[Sold],
    item: dict[str, Any],
    store: Store,
    url_of: URLOf,
    rated: Rated = UNRATED,
) -> dict[str, Any]:
    """The product page without `related`, which is read when it is shown."""
    page = {
        **item,
        "description": product.description,
        "images": [_image(image, url_of) for image in product.images.all()],
        "options": _options(product, sold),
        "variants": [_variant(entry, item["currency"], url_of) for entry in sold],
        "attributes": _attributes(product),
        "categories": [
            {"slug": category.slug, "name": category.name} for category in product.categories.all()
        ],
    }
    return {**page, "seo": seo_json(product, store, page, rated.latest)}


def facets_of(product: Product) -> str:
    """What the product counts for: its brand, its categories up to the root, its attributes."""
    facets: set[tuple[str, ...]] = set()
    if product.brand is not None:
        facets.add((BRAND, product.brand.slug, product.brand.name))
    for category in product.categories.all():
        ends = range(Category.steplen, len(category.path) + 1, Category.steplen)
        facets |= {(CATEGORY, category.path[:end]) for end in ends}
    for row in product.attribute_index.all():
        attribute = row.attribute
        if row.number is None:
            facets.add((CHOICE, attribute.code, attribute.name, row.text))
        else:
            facets.add((NUMBER, attribute.code, attribute.name, repr(row.number)))
    return facet_text(sorted(facets))


def _compare_at(price: ResolvedPrice, currency: str) -> dict[str, str] | None:
    """The price before, if it was higher."""
    return money_json(price.compare_at or 0, currency) if is_reduced(price) else None


def is_reduced(price: ResolvedPrice) -> bool:
    """Whether the price is announced as reduced."""
    return price.compare_at is not None and price.compare_at > price.amount


def _reference(entry: Sold, currency: str) -> dict[str, str] | None:
    if entry.reference is None or not is_reduced(entry.price):
        return None
    return money_json(entry.reference, currency)


def _unit_price(entry: Sold, currency: str) -> dict[str, Any] | None:
    found = unit_price(entry.variant, entry.price.amount)
    return found and {"price": money_json(found.amount, currency), "per": found.per}


def _image(image: ProductImage, url_of: URLOf) -> dict[str, Any]:
    renditions = [_rendition(data, url_of) for data in image.renditions]
    return {
        "url": url_of(image.file.name),
        "alt": image.alt,
        "width": image.width,
        "height": image.height,
        "renditions": renditions,
    }


def _rendition(data: dict[str, Any], url_of: URLOf) -> dict[str, Any]:
    return {"url": url_of(data["path"]), "width": data["width"], "height": data["height"]}


def _thumbnail(image: ProductImage, url_of: URLOf) -> dict[str, Any]:
    wide = [data for data in image.renditions if data["width"] >= THUMBNAIL_WIDTH]
    rendition = _rendition((wide or image.renditions[-1:])[0], url_of)
    return {
        "url": rendition["url"],
        "alt": image.alt,
        "width": rendition["width"],
        "height": rendition["height"],
    }


def _options(product: Product, sold: Sequence[Sold]) -> list[dict[str, Any]]:
    used = {value.pk for entry in sold for value in entry.variant.option_values.all()}
    return [
        {"name": option.name, "values": values}
        for option in product.options.all()
        if (values := _used_values(option, used))
    ]


def _used_values(option: Option, used: set[int]) -> list[str]:
    return [value.value for value in option.values.all() if value.pk in used]


def _variant(entry: Sold, currency: str, url_of: URLOf) -> dict[str, Any]:
    variant = entry.variant
    chosen = sorted(variant.option_values.all(), key=lambda v: (v.option.position, v.option_id))
    image = variant.image
    if image is not None and image.status != ProductImage.Status.READY:
        image = None
    return {
        "sku": variant.sku,
        "name": variant.name,
        "gtin": gtin_of(variant),
        "options": {value.option.name: value.value for value in chosen},
        "price": money_json(entry.price.amount, currency),
        "compare_at_price": _compare_at(entry.price, currency),
        "reference_price": _reference(entry, currency),
        "unit_price": _unit_price(entry, currency),
        "in_stock": entry.in_stock,
        "available_quantity": entry.available,
        "min_quantity": variant.min_quantity,
        "max_quantity": variant.max_quantity,
        "quantity_step": variant.quantity_step,
        "weight": variant.weight,
        "image": _thumbnail(image, url_of) if image else None,
    }


def _attributes(product: Product) -> list[dict[str, Any]]:
    if product.product_type is None:
        return []
    return [
        {
            "code": attribute.code,
            "name": attribute.name,
            "value": product.attributes[attribute.code],
            "unit": attribute.unit,
        }
        for attribute in product.product_type.attributes.all()
        if attribute.code in product.attributes
    ]
