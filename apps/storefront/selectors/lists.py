"""The lists that most shoppers read: a store's or a category's, by nothing but its order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.core.prepared import Prepared
from apps.products.selectors import CategoryNode, category_tree
from apps.storefront.querysets import ListingQuerySet, audience
from apps.storefront.selectors.filters import Wanted, in_category, visible
from apps.storefront.selectors.pages import Window, columns_of, keys_of, rows_in, window_at

FIELDS = ("item", "product_id", "stale_at")


def plain_rows(wanted: Wanted, ordering: str, window: Window) -> list[tuple[Any, ...]]:
    """The rows of a window of a plain list, with `FIELDS`."""
    values = {**values_of(wanted), **keys_of(window)}
    return _plain(ordering, window.backwards, window.size, **values)


def values_of(wanted: Wanted, tree: Mapping[str, CategoryNode] | None = None) -> dict[str, Any]:
    """What a plain list is about, for `listings_of()` in a prepared statement."""
    values: dict[str, Any] = {
        "store_id": wanted.store_id,
        "currency": wanted.currency,
        "at": wanted.at,
        **audience(wanted.group_id),
    }
    if wanted.category:
        node = (category_tree() if tree is None else tree).get(wanted.category)
        values["category"] = node.pk if node else 0
    return values


def listings_of(
    *,
    store_id: int,
    currency: str,
    at: datetime,
    group_id: int | None = None,
    category: int | None = None,
) -> ListingQuerySet:
    """The listings of a store, or of a category (its id; 0: none), in no order."""
    wanted = Wanted(store_id=store_id, currency=currency, at=at, group_id=group_id)
    listings = visible(wanted)
    return listings if category is None else in_category(listings, wanted, category)


def _rows(ordering: str, backwards: bool, size: int, **values: Any) -> QuerySet[Any, Any]:
    keys = {name: values.pop(name) for name in [*values] if name.startswith("key_")}
    columns = columns_of(ordering, "place__" if "category" in values else "")
    return rows_in(listings_of(**values), columns, FIELDS, window_at(size, backwards, keys))


_plain = Prepared(_rows)
