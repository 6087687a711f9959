"""A product page, ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Value

from apps.core.errors import NotFound
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
    visible = Listing.objects.visible(store_id=store_id, currency=currency, at=at)
    found = visible.filter(product__slug=slug)
    row = found.values_list("product_id", "stale_at", "detail").first()
    if row is None:
        raise NotFound()
    product_id, stale_at, detail = row
    beside_it = _shown_beside(product_id, store_id, visible)
    items = ",".join(item for _id, _stale, item in beside_it)
    # The stored page is a JSON object: one more member before its closing brace.
    return Shown(
        f'{detail[:-1]},"related":[{items}]}}',
        [(product_id, stale_at), *((pk, stale) for pk, stale, _item in beside_it)],
    )


def _shown_beside(
    product_id: int, store_id: int, visible: ListingQuerySet
) -> list[tuple[int, datetime | None, str]]:
    """(product id, when its price changes, item) of the related products, the best first."""
    wanted = related_ids(product_id=product_id, store_id=store_id)
    fields = ("product_id", "stale_at", "item")
    rows = {row[0]: row for row in visible.filter(product__in=wanted).values_list(*fields)}
    return [rows[pk] for pk in wanted if pk in rows][:RELATED]


def related_ids(*, product_id: int, store_id: int) -> list[int]:
    """What may be shown beside a product, the best first; for sale now or not. One statement."""
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
    found = chosen.union(together, beside, all=True)
    ranked = sorted(
        # Positions count up; whatever was counted is better the more it is, and then the newer.
        (kind, number, 0, pk) if kind == _CHOSEN else (kind, -number, -pk, pk)
        for pk, kind, number in found
        if pk != product_id
    )
    return list(dict.fromkeys(row[-1] for row in ranked))[:_CANDIDATES]
