"""A product page, ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Value

from apps.core.errors import NotFound
from apps.core.prepared import Prepared
from apps.products.models import ProductRelation
from apps.storefront.models import BoughtTogether, CategoryBest, Listing
from apps.storefront.querysets import ListingQuerySet

RELATED = 8
# Looked up to find as many: some of them may not be for sale now.
_CANDIDATES = 24
# Whom a merchant chose comes first, then what is bought together, then the category's best.
_CHOSEN, _TOGETHER, _BESIDE = range(3)


@dataclass(frozen=True, slots=True)
class Shown:
    """A body made of listings. `changes` are their (product id, when its price changes)."""

    body: str
    changes: list[tuple[int, datetime | None]]


def product_page(*, store_id: int, currency: str, slug: str, at: datetime) -> Shown:
    """The JSON of a product page, with its related products. Three statements.

    Raises NotFound for what isn't for sale here now.
    """
    found = _page(store_id=store_id, currency=currency, slug=slug, at=at)
    if not found:
        raise NotFound()
    ((product_id, stale_at, detail),) = found
    beside_it = _shown_beside(product_id, store_id=store_id, currency=currency, at=at)
    items = ",".join(item for _id, _stale, item in beside_it)
    # The stored page is a JSON object: one more member before its closing brace.
    return Shown(
        f'{detail[:-1]},"related":[{items}]}}',
        [(product_id, stale_at), *((pk, stale) for pk, stale, _item in beside_it)],
    )


def _listing(*, store_id: int, currency: str, slug: str, at: datetime) -> ListingQuerySet:
    visible = Listing.objects.visible(store_id=store_id, currency=currency, at=at)
    return visible.filter(product__slug=slug).values_list("product_id", "stale_at", "detail")


_page = Prepared(_listing)


def _shown_beside(
    product_id: int, *, store_id: int, currency: str, at: datetime
) -> list[tuple[int, datetime | None, str]]:
    """(product id, when its price changes, item) of the related products, the best first."""
    wanted = related_ids(product_id=product_id, store_id=store_id)
    if not wanted:
        return []
    ids = {f"id_{n}": pk for n, pk in enumerate(wanted)}
    found = _items(store_id=store_id, currency=currency, at=at, **ids)
    rows = {row[0]: row for row in found}
    return [rows[pk] for pk in wanted if pk in rows][:RELATED]


def _listings(*, store_id: int, currency: str, at: datetime, **ids: int) -> ListingQuerySet:
    visible = Listing.objects.visible(store_id=store_id, currency=currency, at=at)
    beside = visible.filter(product__in=list(ids.values()))
    return beside.values_list("product_id", "stale_at", "item")


_items = Prepared(_listings)


def related_ids(*, product_id: int, store_id: int) -> list[int]:
    """What may be shown beside a product, the best first; for sale now or not. One statement."""
    ranked = sorted(
        # Positions count up; whatever was counted is better the more it is, and then the newer.
        (kind, number, 0, pk) if kind == _CHOSEN else (kind, -number, -pk, pk)
        for pk, kind, number in _found_beside(product_id=product_id, store_id=store_id)
        if pk != product_id
    )
    return list(dict.fromkeys(row[-1] for row in ranked))[:_CANDIDATES]


def _beside(*, product_id: int, store_id: int) -> QuerySet[Any, Any]:
    chosen = (
        ProductRelation.objects.filter(product=product_id)
        .order_by()
        .values_list("related_id", Value(_CHOSEN), F("position"))
    )
    together = BoughtTogether.objects.filter(product=product_id, store=store_id).values_list(
        "other_id", Value(_TOGETHER), F("orders")
    )
    beside = CategoryBest.objects.filter(
        store=store_id, category__is_active=True, category__products=product_id
    ).values_list("product_id", Value(_BESIDE), F("popularity"))
    return chosen.union(together, beside, all=True)


_found_beside = Prepared(_beside)
