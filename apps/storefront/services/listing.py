"""The projection shoppers read: rebuilt from the truth, never edited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum
from django.utils import timezone

from apps.core.api.renderers import dumps
from apps.core.locks import locked
from apps.core.outdated import outdate
from apps.inventory.selectors import availability
from apps.orders.models import Order, OrderLine
from apps.pricing.selectors import derived_currencies, reference_prices
from apps.pricing.selectors.shelf import shelf_prices
from apps.pricing.services import note_promoted
from apps.products.models import (
    AttributeIndex,
    Product,
    ProductImage,
    Publication,
    Variant,
)
from apps.products.selectors import shown_categories
from apps.reviews.selectors import latest_of, ratings_of
from apps.storefront.models import Listing, ListingCategory
from apps.storefront.selectors.search import backend
from apps.storefront.services.freshness import listed_before, outdate_changed
from apps.storefront.services.places import lot_of, place
from apps.storefront.services.relating import note_bests
from apps.storefront.services.shapes import (
    UNRATED,
    Rated,
    Sold,
    cheapest_of,
    detail_json,
    document,
    facets_of,
    is_reduced,
    item_json,
    search_text,
)
from apps.stores.models import Store
from apps.stores.selectors import active_stores

# SQLite takes no more rows of a listing in one statement: 999 values of 20 columns.
BATCH = 49
# Public ids that are looked up in one statement.
_NAMED = 1000
# How far back a price may have opened unnoticed, while nothing of ours was running.
CATCH_UP = timedelta(days=1)
POPULAR_DAYS = 90
# Reviews in the structured data of a product page.
LATEST = 3
# What one run of the refresh rebuilds: a whole store's prices may change in a moment.
MOST_AT_ONCE = 5_000
_KEY = ("product", "store", "currency")
_FIELDS = (
    "brand",
    "name",
    "search_text",
    "price",
    "in_stock",
    "rating",
    "starts_at",
    "ends_at",
    "members_only",
    "stale_at",
    "item",
    "detail",
    "facets",
    "updated_at",
)


def rebuild(*, product_ids: Iterable[int], words: bool = True) -> int:
    """Bring the listings of products up to date; the number of rows they have now.

    Without `words` only prices and stock may have changed: kept lists that show none of it stay
    true. The number of statements doesn't depend on the number of products, up to `BATCH`.
    """
    ids = sorted(set(product_ids))
    return sum(_rebuild(ids[i : i + BATCH], words) for i in range(0, len(ids), BATCH))


def rebuild_public(*, public_ids: Iterable[str], words: bool = True) -> int:
    """The same, for products named by their public ids."""
    named, found = sorted(set(public_ids)), []
    for start in range(0, len(named), _NAMED):
        some = Product.objects.filter(public_id__in=named[start : start + _NAMED])
        found += some.values_list("pk", flat=True)
    return rebuild(product_ids=found, words=words)


def rebuild_all(*, store: Store | None = None) -> Iterator[int]:
    """Rebuild everything (or what one store publishes), batch by batch.

    Yields the number of products done with each batch; may be stopped at any time.
    """
    last, products = 0, products_to_list(store=store)
    while ids := list(products.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        rebuild(product_ids=ids)
        last = ids[-1]
        yield len(ids)


def products_to_list(*, store: Store | None = None) -> QuerySet[Product]:
    """What `rebuild_all` goes through, in its order."""
    products = Product.objects.order_by("pk")
    if store is not None:
        published = Publication.objects.filter(product=OuterRef("pk"), store=store)
        listed = Listing.objects.filter(product=OuterRef("pk"), store=store)
        products = products.filter(Exists(published) | Exists(listed))
    return products


@transaction.atomic
def _rebuild(ids: Sequence[int], words: bool) -> int:
    # Two rebuilds of one product must not overtake each other: the later write would be the
    # older truth. Locked before anything is read.
    slugs = dict(locked(Product.objects.filter(pk__in=ids)).values_list("pk", "slug"))
    products = list(products_to_index(list(slugs)))
    now, rows = timezone.now(), []
    for store in active_stores():
        rows += _rows_of_store(store, products, now)
    kept = {(row.product_id, row.store_id, row.currency) for row in rows}
    before, listed = listed_before(slugs)
    stale = [pk for key, pk in listed.items() if key not in kept]
    if stale:
        backend().forget(listing_ids=stale)
        Listing.objects.filter(pk__in=stale).delete()
    targeted = connection.features.supports_update_conflicts_with_target
    Listing.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=_FIELDS,
        unique_fields=_KEY if targeted else None,
        batch_size=BATCH,
    )
    _number(rows, products)
    place(listings=rows)
    _index(rows)
    note_bests(listings=rows, product_ids=ids)
    outdate_changed(before, rows, slugs=slugs, words=words and bool(before or rows))
    return len(rows)


def _number(rows: Sequence[Listing], products: Sequence[Product]) -> None:
    """Give rows that were written the keys and the popularity that they have in the database."""
    known = {
        tuple(key): (pk, popularity)
        for pk, popularity, *key in Listing.objects.filter(product__in=products).values_list(
            "pk", "popularity", *(f"{name}_id" for name in _KEY[:2]), _KEY[2]
        )
    }
    for row in rows:
        row.pk, row.popularity = known[row.product_id, row.store_id, row.currency]


def _index(rows: Sequence[Listing]) -> None:
    """Let the search find rows by what they say now."""
    languages = {store.pk: store.language for store in active_stores()}
    documents = [document(row, row.pk, row.product, languages[row.store_id]) for row in rows]
    backend().index(documents=documents)


def products_to_index(ids: Sequence[int]) -> QuerySet[Product]:
    """The active ones of these products, with all that their listings are made of."""
    variants = Variant.objects.filter(is_active=True).select_related("image")
    images = ProductImage.objects.filter(status=ProductImage.Status.READY)
    indexed = AttributeIndex.objects.filter(attribute__is_filterable=True)
    indexed = indexed.select_related("attribute")
    return (
        Product.objects.filter(pk__in=ids, status=Product.Status.ACTIVE)
        .order_by("pk")
        .select_related("brand", "product_type")
        .prefetch_related(
            "publications",
            Prefetch("categories", shown_categories()),
            "tags",
            "options__values",
            "product_type__attributes",
            Prefetch("images", images),
            Prefetch("variants", variants),
            "variants__option_values__option",
            Prefetch("attribute_index", indexed),
        )
    )


def _rows_of_store(store: Store, products: Sequence[Product], now: datetime) -> list[Listing]:
    published = {}
    for product in products:
        for publication in product.publications.all():
            ended = publication.ends_at is not None and publication.ends_at <= now
            if publication.store_id == store.pk and not ended:
                published[product] = publication
    variants = [variant for product in published for variant in product.variants.all()]
    if not variants:
        return []
    stock = availability(
        store_id=store.pk, variant_ids=[v.pk for v in variants if v.track_inventory]
    )
    rated = _rated(store, [product.pk for product in published])
    rows = []
    for currency in store.all_currencies:
        prices = shelf_prices(store=store, currency=currency, variants=variants, at=now)
        note_promoted(store=store, currency=currency, prices=prices)
        reduced = [pk for pk, price in prices.items() if is_reduced(price)]
        references = reduced and reference_prices(
            store=store,
            currency=currency,
            variant_ids=reduced,
            # What was noted just now is in force.
            before=timezone.now(),
        )
        for product, publication in published.items():
            sold = [
                Sold(
                    variant,
                    prices[variant.pk],
                    stock.get(variant.pk),
                    references.get(variant.pk) if references else None,
                )
                for variant in product.variants.all()
                if variant.pk in prices
            ]
            if sold:
                rating = rated.get(product.pk, UNRATED)
                rows.append(_row(product, publication, store, sold, currency, rating))
    return rows


def _rated(store: Store, product_ids: Sequence[int]) -> dict[int, Rated]:
    """What is said of those products that were reviewed."""
    summaries = ratings_of(product_ids=product_ids, store=store)
    latest = latest_of(product_ids=summaries, store=store, most=LATEST) if summaries else {}
    return {
        pk: Rated(summary.average, summary.count, latest.get(pk, ()))
        for pk, summary in summaries.items()
    }


def _row(
    product: Product,
    publication: Publication,
    store: Store,
    sold: Sequence[Sold],
    currency: str,
    rated: Rated,
) -> Listing:
    url_of = cache(default_storage.url)
    item = item_json(product, sold, currency, url_of, rated)
    changes = [entry.price.next_change_at for entry in sold if entry.price.next_change_at]
    return Listing(
        product=product,
        store=store,
        currency=currency,
        brand=product.brand,
        name=product.name,
        search_text=search_text(product, store.language),
        price=cheapest_of(sold).price.amount,
        in_stock=item["in_stock"],
        rating=round((rated.average or 0) * 100),
        starts_at=publication.starts_at,
        ends_at=publication.ends_at,
        members_only=publication.members_only,
        stale_at=min(changes, default=None),
        item=dumps(item).decode(),
        detail=dumps(detail_json(product, sold, item, store, url_of, rated)).decode(),
        facets=facets_of(product),
        lot=lot_of(product.pk),
    )


def refresh_scheduled() -> int:
    """Rebuild the products of which a price window opened or closed; the number of products."""
    now = timezone.now()
    stale = Listing.objects.filter(stale_at__lte=now).order_by("stale_at", "product")
    due = stale.values_list("product_id", flat=True)[:MOST_AT_ONCE]
    ids = {*due, *_newly_priced(now).values_list("pk", flat=True)}
    rebuild(product_ids=ids, words=False)
    return len(ids)


def reprice_all() -> None:
    """Prices of lists changed, of who knows which products: all are marked, in one statement.

    Whoever reads one before the next `refresh_scheduled()` has it rebuilt.
    """
    with transaction.atomic():
        Listing.objects.update(stale_at=timezone.now())
        outdate("products")


def reprice_derived(*, store: str | None = None) -> None:
    """Derived prices changed, in the store of this code or in every one that has any.

    What is listed there is marked, in one statement, and the next `refresh_scheduled()` rebuilds
    it; what couldn't be listed before is rebuilt at once.
    """
    rules = [rule for rule in derived_currencies() if store in (None, rule.store.code)]
    stores = {rule.store_id for rule in rules}
    if store is not None:
        stores |= {each.pk for each in active_stores() if each.code == store}
    with transaction.atomic():
        Listing.objects.filter(store__in=stores).update(stale_at=timezone.now())
        outdate("products")
    unlisted: set[int] = set()
    for rule in rules:
        listed = Listing.objects.filter(product=OuterRef("pk"), store=rule.store_id)
        unlisted |= set(
            Product.objects.filter(
                ~Exists(listed),
                status=Product.Status.ACTIVE,
                publications__store=rule.store_id,
                variants__is_active=True,
                variants__prices__currency=rule.base,
            ).values_list("pk", flat=True)
        )
    rebuild(product_ids=unlisted)


def _newly_priced(now: datetime) -> QuerySet[Product]:
    """Published products whose first price opened: no row of theirs could tell when."""
    listed = Listing.objects.filter(
        product=OuterRef("pk"),
        store=OuterRef("publications__store"),
        currency=OuterRef("variants__prices__currency"),
    )
    return Product.objects.filter(
        ~Exists(listed),
        Q(variants__prices__store__isnull=True)
        | Q(variants__prices__store=F("publications__store")),
        Q(variants__prices__valid_to__isnull=True) | Q(variants__prices__valid_to__gt=now),
        status=Product.Status.ACTIVE,
        publications__store__is_active=True,
        variants__is_active=True,
        variants__prices__price_list__isnull=True,
        variants__prices__valid_from__lte=now,
        variants__prices__valid_from__gt=now - CATCH_UP,
    ).distinct()


def refresh_popularity() -> int:
    """Count the pieces each store sold lately; the number of products whose rank changed."""
    since = timezone.now() - timedelta(days=POPULAR_DAYS)
    lines = (
        OrderLine.objects.filter(order__confirmed_at__gte=since, variant__isnull=False)
        .exclude(order__status=Order.Status.CANCELLED)
        .order_by()
        .values_list("order__store_id", "variant__product_id")
        .annotate(pieces=Sum("quantity"))
    )
    sold: dict[tuple[int, int], int] = {(s, p): pieces for s, p, pieces in lines}
    known = Listing.objects.filter(popularity__gt=0).values_list(
        "store_id", "product_id", "popularity"
    )
    before: dict[tuple[int, int], int] = {(s, p): popularity for s, p, popularity in known}
    changed = [key for key in {*sold, *before} if sold.get(key, 0) != before.get(key, 0)]
    for store_id, product_id in sorted(changed):
        pieces = sold.get((store_id, product_id), 0)
        Listing.objects.filter(store=store_id, product=product_id).update(popularity=pieces)
        placed = ListingCategory.objects.filter(
            listing__store=store_id, listing__product=product_id
        )
        placed.update(popularity=pieces)
    if changed:
        with transaction.atomic():
            outdate("products")
    # A search ranks by doublings: few products have one.
    doubled = {
        product_id
        for store_id, product_id in changed
        if sold.get((store_id, product_id), 0).bit_length()
        != before.get((store_id, product_id), 0).bit_length()
    }
    rebuild(product_ids=doubled)
    return len(changed)
