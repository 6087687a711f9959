"""What a customer looked at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from apps.customers.models import Customer
from apps.products.models import Product
from apps.stores.models import Store
from apps.wishlists.models import RecentView
from apps.wishlists.selectors.wishes import RECENT

# Keeps the order of what is noted at one moment.
_TICK = timedelta(microseconds=1)


@transaction.atomic
def note_viewed(*, customer: Customer, store: Store, slugs: Sequence[str]) -> None:
    """The customer looked at the products of these slugs, the last one first.

    Unknown ones are left out; only the last `RECENT` are kept.
    """
    now = timezone.now()
    published = Product.objects.published(store.pk, now, group_id=customer.group_id)
    known = published.filter(slug__in=slugs[:RECENT])
    found = dict(known.values_list("slug", "pk"))
    seen = [found[slug] for slug in slugs if slug in found]
    targeted = connection.features.supports_update_conflicts_with_target
    RecentView.objects.bulk_create(
        [
            RecentView(customer=customer, store=store, product_id=pk, at=now - n * _TICK)
            for n, pk in enumerate(seen)
        ],
        update_conflicts=True,
        update_fields=["at"],
        unique_fields=["customer", "store", "product"] if targeted else None,
    )
    mine = RecentView.objects.filter(customer=customer, store=store).order_by("-at", "-pk")
    if old := list(mine.values_list("pk", flat=True)[RECENT : RECENT * 2]):
        RecentView.objects.filter(pk__in=old).delete()


@transaction.atomic
def forget_viewed(*, customer: Customer) -> None:
    """Forget what a customer looked at, in every store."""
    RecentView.objects.filter(customer=customer).delete()
