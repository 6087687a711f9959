"""Telling a search on another server what listings say; never in a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from django.utils import timezone

from apps.storefront.models import Listing
from apps.storefront.selectors.search import Document, backend
from apps.storefront.services.listing import BATCH, products_to_index
from apps.storefront.services.shapes import document
from apps.stores.selectors import active_stores


def send_listings(*, listing_ids: Sequence[int]) -> None:
    """Send what these listings say now; what is gone is deleted. Raises RemoteError."""
    documents = _documents(listing_ids)
    known = {each.listing_id for each in documents}
    backend().send(
        documents=documents,
        gone=[pk for pk in listing_ids if pk not in known],
        languages=sorted({store.language for store in active_stores()}),
    )


def renew_search() -> int:
    """Send everything anew, then let searches read that; the number of documents.

    Raises RemoteError; until the end, the former documents are read.
    """
    started, sent = timezone.now(), 0
    for language in sorted({store.language for store in active_stores()}):
        sent += backend().renew(language=language, batches=partial(_batches, language))
    # What changed meanwhile was sent to the former ones.
    changed = list(Listing.objects.filter(updated_at__gte=started).values_list("pk", flat=True))
    for start in range(0, len(changed), BATCH):
        send_listings(listing_ids=changed[start : start + BATCH])
    return sent


def _batches(language: str) -> Iterator[list[Document]]:
    stores = [store.pk for store in active_stores() if store.language == language]
    listings, last = Listing.objects.filter(store__in=stores).order_by("pk"), 0
    while ids := list(listings.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        yield _documents(ids)
        last = ids[-1]


def _documents(listing_ids: Sequence[int]) -> list[Document]:
    languages = {store.pk: store.language for store in active_stores()}
    listings = list(Listing.objects.filter(pk__in=listing_ids, store__in=languages))
    products = {
        product.pk: product
        for product in products_to_index([listing.product_id for listing in listings])
    }
    return [
        document(listing, listing.pk, products[listing.product_id], languages[listing.store_id])
        for listing in listings
        if listing.product_id in products
    ]
