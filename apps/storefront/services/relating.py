"""What is shown beside a product, counted beforehand: a page only reads a few rows by their key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, islice

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from apps.orders.models import Order, OrderLine
from apps.products.models import Category, Product
from apps.storefront.models import BoughtTogether, CategoryBest, Listing
from apps.stores.models import Store
from apps.stores.selectors import active_stores

# Orders older than this no longer count.
TOGETHER_DAYS = 180
# Kept for each product and store, and for each category and store.
MOST_TOGETHER, MOST_BESTS = 12, 24
# Products counted at once: what bounds the memory, however many orders there are.
CHUNK = 200


def count_together(*, now: datetime | None = None) -> Iterator[int]:
    """Count which products orders lately held together, chunk by chunk.

    Yields the number of products done with each chunk; may be stopped at any time.
    """
    since = (now or timezone.now()) - timedelta(days=TOGETHER_DAYS)
    last = 0
    while ids := list(
        Product.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]
    ):
        _count_chunk(ids, since)
        last = ids[-1]
        yield len(ids)


@transaction.atomic
def _count_chunk(ids: Sequence[int], since: datetime) -> None:
    other = "order__lines__variant__product_id"
    pairs = (
        OrderLine.objects.filter(variant__product__in=ids, order__confirmed_at__gte=since)
        .exclude(order__status=Order.Status.CANCELLED)
        .order_by()
        .values_list("variant__product_id", "order__store_id", other)
        .annotate(orders=Count("order_id", distinct=True))
        .order_by("variant__product_id", "order__store_id", "-orders", other)
    )
    rows = []
    for (product, store), group in groupby(pairs.iterator(), key=lambda row: row[:2]):
        others = ((pk, orders) for _p, _s, pk, orders in group if pk not in (None, product))
        rows += [
            BoughtTogether(product_id=product, store_id=store, other_id=pk, orders=orders)
            for pk, orders in islice(others, MOST_TOGETHER)
        ]
    BoughtTogether.objects.filter(product__in=ids).delete()
    # Whoever counts at the same moment writes the same.
    BoughtTogether.objects.bulk_create(rows, ignore_conflicts=True, batch_size=200)


def count_bests() -> Iterator[int]:
    """Find what sells best in each category and store; yields 1 for each category."""
    stores = active_stores()
    categories = Category.objects.filter(is_active=True).order_by("pk")
    for pk in categories.values_list("pk", flat=True).iterator():
        for store in stores:
            _count_best(pk, store)
        yield 1


@transaction.atomic
def _count_best(category_id: int, store: Store) -> None:
    listed = Listing.objects.filter(
        store=store,
        currency=store.default_currency,
        members_only=False,
        product__categories=category_id,
    )
    best = listed.order_by("-popularity", "-product_id").values_list("product_id", "popularity")
    wanted = dict(best[:MOST_BESTS])
    known = CategoryBest.objects.filter(category=category_id, store=store)
    if wanted != dict(known.values_list("product_id", "popularity")):
        known.exclude(product__in=wanted).delete()
        _write_bests(
            CategoryBest(category_id=category_id, store=store, product_id=pk, popularity=popularity)
            for pk, popularity in wanted.items()
        )


def note_bests(*, listings: Iterable[Listing], product_ids: Sequence[int]) -> None:
    """Products were listed anew: they are shown beside others where few are, and only there
    where they still belong. The next `count_bests()` finds out who sells best.
    """
    wanted: dict[tuple[int, int, int], int] = {}
    for row in listings:
        # Few are kept: what only some may see would stand in the way of others.
        shown = () if row.members_only else row.product.categories.all()
        for category in shown:
            wanted[category.pk, row.store_id, row.product_id] = row.popularity
    categories = {category for category, _store, _product in wanted}
    rows = CategoryBest.objects.filter(Q(category__in=categories) | Q(product__in=product_ids))
    known = {tuple(key): pk for pk, *key in rows.values_list("pk", *_BEST_KEY)}
    mine = {key for key in known if key[2] in set(product_ids)}
    if gone := [known[key] for key in mine if key not in wanted]:
        CategoryBest.objects.filter(pk__in=gone).delete()
    room: dict[tuple[int, int], int] = {}
    for category, store, _product in known:
        room[category, store] = room.get((category, store), MOST_BESTS) - 1
    fresh = []
    for key in sorted(wanted.keys() - known.keys()):
        if room.setdefault(key[:2], MOST_BESTS) > 0:
            room[key[:2]] -= 1
            fresh.append(key)
    _write_bests(
        CategoryBest(**dict(zip(_BEST_KEY, key, strict=True)), popularity=wanted[key])
        for key in fresh
    )


_BEST_KEY = ("category_id", "store_id", "product_id")


def _write_bests(rows: Iterable[CategoryBest]) -> None:
    targeted = connection.features.supports_update_conflicts_with_target
    CategoryBest.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=["popularity"],
        unique_fields=["category", "store", "product"] if targeted else None,
        batch_size=200,
    )
