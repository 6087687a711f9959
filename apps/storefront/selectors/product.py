"""A product page, ready to be sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Value

from apps.core.errors import NotFound
from apps.core.prepared import Prepared
from apps.products.models import ProductRelation
from apps.storefront.models import BoughtTogether, CategoryBest, Listing
from apps.storefront.querysets import audience, visible

RELATED = 8
# The page's own row; then whom a merchant chose, what is bought together, the category's best.
_OWN, _CHOSEN, _TOGETHER, _BESIDE = range(4)
# The kind and the rank in it, the JSON, the product's id, and when its price changes.
_Row = tuple[int, int, str, int, datetime | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A body made of listings. `changes` are their (product id, when its price changes)."""

    body: str
    changes: list[tuple[int, datetime | None]]


def product_page(
    *, store_id: int, currency: str, slug: str, at: datetime, group_id: int | None = None
) -> Shown:
    """The JSON of a product page, with its related products. One statement.

    Raises NotFound for what isn't for sale here now, to a customer of the group.
    """
    rows = _found(store_id=store_id, currency=currency, slug=slug, at=at, **audience(group_id))
    own = next((row for row in rows if row[0] == _OWN), None)
    if own is None:
        raise NotFound()
    _kind, _number, detail, product_id, stale_at = own
    beside_it = _best(rows, product_id)
    items = ",".join(item for item, _pk, _stale in beside_it)
    # The stored page is a JSON object: one more member before its closing brace.
    return Shown(
        f'{detail[:-1]},"related":[{items}]}}',
        [(product_id, stale_at), *((pk, stale) for _item, pk, stale in beside_it)],
    )


def _best(rows: Iterable[_Row], own: int) -> list[tuple[str, int, datetime | None]]:
    """(item, product id, when its price changes) of what is shown beside it, the best first."""
    ranked = sorted(
        # Positions count up; whatever was counted is better the more it is, and then the newer.
        (kind, number, pk) if kind == _CHOSEN else (kind, -number, -pk)
        for kind, number, _json, pk, _stale in rows
        if pk != own
    )
    wanted = list(dict.fromkeys(abs(pk) for _kind, _number, pk in ranked))[:RELATED]
    known = {pk: (item, pk, stale) for _kind, _number, item, pk, stale in rows}
    return [known[pk] for pk in wanted]


def _rows(
    *, store_id: int, currency: str, slug: str, at: datetime, group_id: int | None = None
) -> QuerySet[Any, Any]:
    """The page's own row, and one for each reason to show a product that is for sale beside it."""
    asked: dict[str, Any] = {
        "store_id": store_id,
        "currency": currency,
        "at": at,
        "group_id": group_id,
    }

    def columns(kind: int, number: str | int, json: str, through: str = "") -> list[Any]:
        rank = F(number) if isinstance(number, str) else Value(number)
        names = (f"{through}{name}" for name in (json, "product_id", "stale_at"))
        return [Value(kind), rank, *names]

    own = Listing.objects.filter(visible(**asked), product__slug=slug)
    chosen = ProductRelation.objects.filter(
        visible(**asked, through="related__listings__"), product__slug=slug
    ).order_by()
    together = BoughtTogether.objects.filter(
        visible(**asked, through="other__listings__"), product__slug=slug, store=store_id
    )
    beside = CategoryBest.objects.filter(
        visible(**asked, through="product__listings__"),
        store=store_id,
        category__is_active=True,
        category__products__slug=slug,
    )
    return own.values_list(*columns(_OWN, 0, "detail")).union(
        chosen.values_list(*columns(_CHOSEN, "position", "item", "related__listings__")),
        together.values_list(*columns(_TOGETHER, "orders", "item", "other__listings__")),
        beside.values_list(*columns(_BESIDE, "popularity", "item", "product__listings__")),
        all=True,
    )


_found = Prepared(_rows)
