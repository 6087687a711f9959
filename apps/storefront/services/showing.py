"""Listings for a reader: what shows a price of the past is rebuilt first.

The beat that rebuilds them may be a moment late; nobody is shown a price that has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from apps.storefront.selectors.filters import Wanted, filtered, find
from apps.storefront.selectors.lists import FIELDS, plain_rows
from apps.storefront.selectors.pages import Page, Window, page, page_of
from apps.storefront.selectors.product import Shown, product_page
from apps.storefront.selectors.queries import DEFAULT_LIMIT
from apps.storefront.selectors.search import backend
from apps.storefront.services.listing import rebuild
from apps.storefront.services.searches import note_search

# Product ids, with when the price that is shown changes.
Changes = Sequence[tuple[int, datetime | None]]


def show_list(
    *, wanted: Wanted, ordering: str, limit: int, cursor: str | None, searched: bool = False
) -> tuple[Page, Changes]:
    """A page of listings, the JSON of the item first in each row. Raises InvalidCursor.

    `searched`: somebody asked for it, so that its search counts.
    """

    def read() -> tuple[Page, Changes]:
        if ordering == "relevance":
            found = page_of(partial(_best, wanted), ordering=ordering, limit=limit, cursor=cursor)
        elif limit == DEFAULT_LIMIT and wanted.is_plain:
            # Of one size: each would be a statement of its own to remember.
            rows = partial(plain_rows, wanted, ordering)
            found = page_of(rows, ordering=ordering, limit=limit, cursor=cursor)
        else:
            found = page(
                find(wanted),
                fields=FIELDS,
                ordering=ordering,
                limit=limit,
                cursor=cursor,
                through="place__" if wanted.category else "",
            )
        return found, [(pk, stale_at) for _item, pk, stale_at in found.rows]

    found, changes = read()
    if searched and wanted.search and not cursor:
        # A filter that is too narrow says nothing about the search.
        nothing = not found.rows and not wanted.is_filtered
        note_search(store_id=wanted.store_id, search=wanted.search, found=not nothing)
    return read() if _refreshed(changes, wanted.at) else (found, changes)


def _best(wanted: Wanted, window: Window) -> list[tuple[Any, ...]]:
    if wanted.is_filtered or wanted.group_id is not None:
        return backend().best(filtered(wanted), wanted.asked, fields=FIELDS, window=window)
    return backend().best_shown(
        wanted.asked, currency=wanted.currency, at=wanted.at, fields=FIELDS, window=window
    )


def show_product(*, at: datetime, **asked: Any) -> Shown:
    """The JSON of a product page. Takes and raises what `product_page` does."""
    shown = product_page(at=at, **asked)
    return product_page(at=at, **asked) if _refreshed(shown.changes, at) else shown


def _refreshed(changes: Changes, at: datetime) -> bool:
    """Whether any of them showed a price of the past, and was rebuilt."""
    outdated = [pk for pk, changes_at in changes if changes_at is not None and changes_at <= at]
    if outdated:
        rebuild(product_ids=outdated, words=False)
    return bool(outdated)
