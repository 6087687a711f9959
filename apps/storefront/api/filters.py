"""The query of a list of products, as the schema shows it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from apps.storefront.selectors.pages import PRODUCT_ORDERINGS
from apps.storefront.selectors.queries import DEFAULT_LIMIT, MAX_LENGTH, MAX_LIMIT


def _query(name: str, text: str, **schema: Any) -> OpenApiParameter:
    enum = schema.pop("enum", None)
    return OpenApiParameter(name, str, description=text, required=False, enum=enum, **schema)


FILTER_PARAMETERS = [
    _query("search", f"Every word must occur; at most {MAX_LENGTH} characters."),
    _query("category", "A category's slug: it and everything below it."),
    _query("collection", "A collection's slug."),
    _query("brand", "Brands' slugs, separated by commas: any of them."),
    _query("price_min", "Lowest price, a decimal of the currency."),
    _query("price_max", "Highest price, a decimal of the currency."),
    _query("in_stock", "Only what is, or isn't, in stock.", enum=["true", "false"]),
    _query("rating_min", "Lowest average rating, 0 to 5."),
    _query("currency", "ISO 4217 code; the store's default without it."),
]
PAGE_PARAMETERS = [
    _query("ordering", "`relevance` needs `search`.", enum=list(PRODUCT_ORDERINGS)),
    OpenApiParameter("limit", int, description=f"1 to {MAX_LIMIT}; {DEFAULT_LIMIT} without it."),
    _query("cursor", "From `next` or `previous`."),
    _query("count", "`true` adds the number of all results.", enum=["true", "false"]),
]
