"""Product feeds: files that Google and Meta fetch, written while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import orjson
from django.db.models import Min, QuerySet
from django.utils import timezone

from apps.core.spreadsheet import csv_lines
from apps.core.xml import DECLARATION, xml_text
from apps.products.selectors import category_tree
from apps.products.services.upsert_labels import digest
from apps.storefront.models import Listing
from apps.storefront.selectors.addresses import site_url
from apps.storefront.services.feed_entries import ATTRIBUTES, Entry, entries
from apps.storefront.services.listing import rebuild
from apps.stores.models import Store

# Products read, and held in memory, at once.
BATCH = 50
# The longest id that Google takes; a SKU may be longer.
GOOGLE_ID = 50
META_COLUMNS = (
    *("id", "title", "description", "availability", "condition", "price", "sale_price", "link"),
    *("image_link", "additional_image_link", "brand", "gtin", "item_group_id", "product_type"),
    "shipping_weight",
    *(name for name in ATTRIBUTES if name != "condition"),
)
Progress = Callable[[int], object]


def google_feed(
    *, store: Store, currency: str, progress: Progress = lambda number: None
) -> Iterator[str]:
    """RSS 2.0 with Google's elements, a line for each variant that is for sale now.

    `progress` is called with the number of products of each batch. A batch takes one statement, and
    those of a rebuild if a price in it ended.
    """
    yield DECLARATION
    yield '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n<channel>\n'
    name = xml_text(store.name)
    yield f"<title>{name}</title>\n<link>{xml_text(site_url(store))}</link>\n"
    yield f"<description>{name}</description>\n"
    for entry in _entries(store, currency, progress):
        sku = str(entry["id"])
        if len(sku) > GOOGLE_ID:
            entry["id"] = f"{sku[: GOOGLE_ID - 9]}-{digest(sku)}"
        yield f"<item>{_elements(entry)}</item>\n"
    yield "</channel>\n</rss>\n"


def meta_feed(
    *, store: Store, currency: str, progress: Progress = lambda number: None
) -> Iterator[str]:
    """The same variants as CSV with the columns of Meta's catalogue."""
    rows = (
        [_cell(name, entry.get(name, "")) for name in META_COLUMNS]
        for entry in _entries(store, currency, progress)
    )
    return csv_lines(META_COLUMNS, rows)


FEEDS: dict[str, Callable[..., Iterator[str]]] = {"google": google_feed, "meta": meta_feed}


def listed(*, store: Store, currency: str) -> QuerySet[Listing]:
    """What is in a feed, one row for each product."""
    return Listing.objects.visible(store_id=store.pk, currency=currency, at=timezone.now())


def next_change(*, store: Store, currency: str) -> datetime | None:
    """When the next price of a feed begins or ends. One query."""
    rows = listed(store=store, currency=currency)
    found: datetime | None = rows.aggregate(next=Min("stale_at"))["next"]
    return found


def _entries(store: Store, currency: str, progress: Progress) -> Iterator[Entry]:
    tree, last = category_tree(), 0
    while found := _batch(store, currency, last):
        now = timezone.now()
        # A price that ended isn't told, though the beat hasn't come round yet.
        if stale := [pk for pk, stale_at, *_row in found if stale_at and stale_at <= now]:
            rebuild(product_ids=stale)
            found = _batch(store, currency, last)
        for _pk, _stale_at, public_id, detail in found:
            page = orjson.loads(detail)
            yield from entries(page, group=str(public_id), store=store, tree=tree)
        progress(len(found))
        last = found[-1][0] if found else last


def _batch(store: Store, currency: str, last: int) -> list[tuple]:
    rows = listed(store=store, currency=currency).filter(product_id__gt=last)
    columns = ("product_id", "stale_at", "product__public_id", "detail")
    return list(rows.order_by("product_id").values_list(*columns)[:BATCH])


def _elements(entry: Entry) -> str:
    return "".join(
        f"<g:{name}>{xml_text(text)}</g:{name}>"
        for name, value in entry.items()
        for text in (value if isinstance(value, list) else [value])
    )


def _cell(name: str, value: str | list[str]) -> str:
    text = ",".join(value) if isinstance(value, list) else value
    # Meta's documents write it with a space.
    return text.replace("_", " ") if name == "availability" else text
