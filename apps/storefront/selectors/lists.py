"""The lists that most shoppers read: a store's or a category's, by nothing but its order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from apps.core.prepared import Prepared
from apps.products.selectors import category_tree
from apps.storefront.querysets import ListingQuerySet
from apps.storefront.selectors.filters import Wanted, in_category, visible
from apps.storefront.selectors.pages import behind, columns_of

FIELDS = ("item", "product_id", "stale_at")


def is_plain(wanted: Wanted) -> bool:
    """Whether nothing but a category is asked for."""
    return wanted == Wanted(
        store_id=wanted.store_id,
        currency=wanted.currency,
        at=wanted.at,
        language=wanted.language,
        category=wanted.category,
    )


def plain_rows(
    wanted: Wanted, ordering: str, position: Sequence[Any] | None, backwards: bool, size: int
) -> list[tuple[Any, ...]]:
    """The rows of a page of a plain list, as `pages.Read` has them, with `FIELDS`."""
    values = {"store_id": wanted.store_id, "currency": wanted.currency, "at": wanted.at}
    if wanted.category:
        node = category_tree().get(wanted.category)
        values["category"] = node.pk if node else 0
    values |= {f"key_{n}": value for n, value in enumerate(position or ())}
    return _plain(ordering, backwards, size, **values)


def _rows(
    ordering: str,
    backwards: bool,
    size: int,
    *,
    store_id: int,
    currency: str,
    at: datetime,
    category: int | None = None,
    **position: Any,
) -> ListingQuerySet:
    wanted = Wanted(store_id=store_id, currency=currency, at=at)
    listings, through = visible(wanted), ""
    if category is not None:
        listings, through = in_category(listings, wanted, category), "place__"
    columns = columns_of(ordering, through)
    return behind(listings, columns, FIELDS, list(position.values()), backwards)[:size]


_plain = Prepared(_rows)
