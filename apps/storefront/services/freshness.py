"""Which kept answers a rebuild of listings makes untrue: none, if it changed nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apps.core.outdated import outdate
from apps.storefront.models import Listing

KEY = ("product_id", "store_id", "currency")
# What lists show, filter and sort by. `stale_at` says how long they may be kept.
_LISTED = (
    *("brand_id", "name", "search_text", "price", "in_stock"),
    *("starts_at", "ends_at", "members_only", "stale_at", "item", "facets"),
)
_SHOWN = (*_LISTED, "detail")
Key = tuple[int, int, str]
Before = dict[Key, tuple[Any, ...]]


def listed_before(product_ids: Iterable[int]) -> tuple[Before, dict[Key, int]]:
    """What listings of products show now, and their primary keys. One statement."""
    rows = Listing.objects.filter(product__in=product_ids).values_list("pk", *KEY, *_SHOWN)
    found = [(row[0], row[1:4], row[4:]) for row in rows]
    return {key: shown for _pk, key, shown in found}, {key: pk for pk, key, _shown in found}


def outdate_changed(
    before: Mapping[Key, tuple[Any, ...]],
    rows: Iterable[Listing],
    *,
    slugs: Mapping[int, str],
    words: bool,
) -> None:
    """Outdate the pages of what differs from `before`, and the lists if a list shows it.

    `slugs` are those of the products. `words`: by what products are found may have changed as
    well, which no row tells.
    """
    after = {_values(row, KEY): _values(row, _SHOWN) for row in rows}
    changed = [key for key in {*before, *after} if before.get(key) != after.get(key)]
    lists = words or any(_listed(before.get(key)) != _listed(after.get(key)) for key in changed)
    pages = sorted({f"product-{slugs[product_id]}" for product_id, *_ in changed})
    keys = [*(["products"] if lists else []), *pages]
    if keys:
        outdate(*keys)


def _values(row: Listing, names: Iterable[str]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)


def _listed(shown: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    return shown and shown[: len(_LISTED)]
