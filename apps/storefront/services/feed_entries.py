"""An entry of a product feed for each variant, from a stored product page. No query is made here.

Names and bounds are those of https://support.google.com/merchants/answer/7052112; Meta's catalogue
(https://www.facebook.com/business/help/120325381656392) took them over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from apps.core.html import plain_text
from apps.products.selectors import CategoryNode
from apps.storefront.selectors.addresses import file_url, page_url
from apps.stores.models import Store

MAX_TITLE, MAX_TEXT, MAX_BRAND, MAX_IMAGES = 150, 5_000, 70, 10
# Told by attributes of the product of these codes.
ATTRIBUTES = (
    *("condition", "mpn", "google_product_category", "gender", "age_group"),
    *("color", "size", "material", "pattern"),
)
# Told by options of these names, in small letters.
OPTIONS = {
    "color": "color",
    "colour": "color",
    "size": "size",
    "material": "material",
    "pattern": "pattern",
}
Entry = dict[str, str | list[str]]


def entries(
    page: Mapping[str, Any], *, group: str, store: Store, tree: Mapping[str, CategoryNode]
) -> Iterator[Entry]:
    """The entries of a product; what is unknown is left out. `group` is the product's id."""
    same: Entry = {
        "description": (plain_text(page["description"]) or page["seo"]["description"])[:MAX_TEXT],
        "condition": "new",
        **_told(page),
        **({"brand": page["brand"][:MAX_BRAND]} if page["brand"] else {}),
        **_product_type(page, tree),
        "item_group_id": group,
    }
    for variant in page["variants"]:
        yield {**same, **_variant(variant, page, store), **_identity(variant, same)}


def _variant(variant: Mapping[str, Any], page: Mapping[str, Any], store: Store) -> Entry:
    named = variant["name"] or ", ".join(variant["options"].values())
    title = f"{page['name']}, {named}" if named and len(page["variants"]) > 1 else page["name"]
    now, before = _price(variant["price"]), variant["compare_at_price"]
    prices = {"price": _price(before), "sale_price": now} if before else {"price": now}
    weight = variant["weight"]
    options = {OPTIONS.get(name.casefold()): text for name, text in variant["options"].items()}
    return {
        "id": variant["sku"],
        "title": title[:MAX_TITLE],
        "link": page_url(settings.VARIANT_URL, store, slug=page["slug"], sku=variant["sku"]),
        **_images(variant, page),
        "availability": "in_stock" if variant["in_stock"] else "out_of_stock",
        **prices,
        **({"shipping_weight": f"{weight} g"} if weight else {}),
        **{name: text for name, text in options.items() if name},
    }


def _price(money: Mapping[str, str]) -> str:
    return f"{money['amount']} {money['currency']}"


def _images(variant: Mapping[str, Any], page: Mapping[str, Any]) -> Entry:
    """The variant's own picture first, else the product's first."""
    shown = variant["image"] and variant["image"]["url"]
    # Whichever of the product's it is: a variant tells one of its renditions.
    own = [i for i in page["images"] if shown in [r["url"] for r in i["renditions"]]]
    urls = list(dict.fromkeys(file_url(image["url"]) for image in [*own, *page["images"]]))
    if not urls:
        return {}
    more = urls[1 : MAX_IMAGES + 1]
    return {"image_link": urls[0], **({"additional_image_link": more} if more else {})}


def _identity(variant: Mapping[str, Any], same: Entry) -> Entry:
    if variant["gtin"]:
        return {"gtin": variant["gtin"]}
    # Without these the product has no number that others know it by.
    return {} if "brand" in same and "mpn" in same else {"identifier_exists": "no"}


def _told(page: Mapping[str, Any]) -> Entry:
    values = {each["code"]: each["value"] for each in page["attributes"]}
    return {
        name: "/".join(map(str, value)) if isinstance(value, list) else str(value)
        for name in ATTRIBUTES
        if (value := values.get(name))
    }


def _product_type(page: Mapping[str, Any], tree: Mapping[str, CategoryNode]) -> Entry:
    """The path of the first category, by the shop's own names."""
    for category in page["categories"]:
        if node := tree.get(category["slug"]):
            above = [each for each in tree.values() if node.path.startswith(each.path)]
            return {"product_type": " > ".join(each.name for each in above)}
    return {}
