"""Where listings stand: the categories in whose lists they are read."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from django.db import connection

from apps.products.models import Category
from apps.products.selectors import category_paths
from apps.storefront.models import Listing, ListingCategory
from apps.storefront.selectors.facets import LOTS

_ROWS = 500
_COPIED = ("store_id", "product_id", "currency", "name", "price", "popularity", "rating", "lot")


def lot_of(product_id: int) -> int:
    """The lot of a product: evenly spread below `LOTS`, and always the same."""
    return zlib.crc32(str(product_id).encode()) % LOTS


def place(*, listings: Sequence[Listing]) -> None:
    """Put listings, as they were written, into their categories and those above, and no other.

    Only what differs is written. `listing.product.categories` has been read.
    """
    known = category_paths()
    wanted = {
        (row.pk, category): _place(row, category)
        for row in listings
        for category in _of(row, known)
    }
    before = {
        (listing, category): (pk, *copied)
        for pk, listing, category, *copied in ListingCategory.objects.filter(
            listing__in=[row.pk for row in listings]
        ).values_list("pk", "listing_id", "category_id", *_COPIED)
    }
    gone = [pk for key, (pk, *_copied) in before.items() if key not in wanted]
    if gone:
        ListingCategory.objects.filter(pk__in=gone).delete()
    changed = [
        row
        for key, row in wanted.items()
        if key not in before or before[key][1:] != tuple(getattr(row, name) for name in _COPIED)
    ]
    targeted = connection.features.supports_update_conflicts_with_target
    ListingCategory.objects.bulk_create(
        changed,
        update_conflicts=True,
        update_fields=[name.removesuffix("_id") for name in _COPIED],
        unique_fields=["listing", "category"] if targeted else None,
        batch_size=_ROWS,
    )


def _of(listing: Listing, known: dict[str, int]) -> set[int]:
    """The shown categories of a listing's product, and all above them."""
    return {
        known[category.path[:end]]
        for category in listing.product.categories.all()
        for end in range(Category.steplen, len(category.path) + 1, Category.steplen)
        if category.path[:end] in known
    }


def _place(listing: Listing, category_id: int) -> ListingCategory:
    copied = {name: getattr(listing, name) for name in _COPIED}
    return ListingCategory(listing_id=listing.pk, category_id=category_id, **copied)
