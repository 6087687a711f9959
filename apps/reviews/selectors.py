"""Reads of reviews, and the truths that must hold about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Count, F, Q, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.crypto import salted_hmac

from apps.core.errors import NotFound
from apps.core.invariants import invariant
from apps.core.ratelimit import caller
from apps.customers.models import Customer
from apps.orders.models import Order, OrderLine
from apps.products.models import Product
from apps.reviews.models import (
    STARS,
    Review,
    ReviewPhoto,
    ReviewSettings,
    ReviewSummary,
)
from apps.reviews.querysets import ReviewQuerySet
from apps.stores.models import Store


def settings_of(store: Store) -> ReviewSettings:
    """What the store has set, or the defaults."""
    return ReviewSettings.objects.filter(store=store).first() or ReviewSettings(store=store)


def called(customer_id: int | None) -> str:
    """How limits and hashes name a customer; without one, the caller's network."""
    return f"customer:{customer_id}" if customer_id else f"network:{caller()}"


def voter_hash(who: str) -> str:
    """What a vote keeps of who gave it."""
    return salted_hmac("reviews.voter", who, algorithm="sha256").hexdigest()


def reporter_hash(who: str) -> str:
    """What a report keeps of who made it; another than their votes have."""
    return salted_hmac("reviews.reporter", who, algorithm="sha256").hexdigest()


def product_on_sale(*, store: Store, slug: str, group_id: int | None = None) -> Product:
    """A product that shoppers of the store see, or those of a group. Raises NotFound."""
    published = Product.objects.published(store.pk, timezone.now(), group_id=group_id)
    product = published.filter(slug=slug).first()
    if product is None:
        raise NotFound()
    return product


def proof_of_purchase(*, customer: Customer, product: Product) -> OrderLine | None:
    """The latest line of a confirmed, not cancelled order of theirs that holds the product."""
    lines = OrderLine.objects.filter(
        order__in=Order.objects.sold().filter(customer=customer), variant__product=product
    )
    return lines.order_by("-pk").first()


def published_reviews(*, product: Product, store: Store) -> ReviewQuerySet:
    """What shoppers of a store see of a product's reviews, in no order."""
    return Review.objects.filter(product=product, store=store).published().whole()


def votes_key(product: Product) -> str:
    """The key of answers that tell how many a product's reviews have helped."""
    return f"helpful-{product.slug}"


def summary_of(*, product: Product, store: Store) -> ReviewSummary:
    """The counts; zeros where nobody has reviewed it."""
    found = ReviewSummary.objects.filter(product=product, store=store).first()
    return found or ReviewSummary(product=product, store=store)


def ratings_of(*, product_ids: Iterable[int], store: Store) -> dict[int, ReviewSummary]:
    """The counts of products that have any reviews, by product."""
    found = ReviewSummary.objects.filter(product__in=list(product_ids), store=store, count__gt=0)
    return {summary.product_id: summary for summary in found}


def latest_of(*, product_ids: Iterable[int], store: Store, most: int) -> dict[int, list[Review]]:
    """The newest `most` published reviews of each product. One statement."""
    ranked = (
        Review.objects.filter(product__in=list(product_ids), store=store)
        .published()
        .annotate(rank=Window(RowNumber(), [F("product_id")], F("pk").desc()))
        .filter(rank__lte=most)
    )
    found: dict[int, list[Review]] = {}
    for review in sorted(ranked, key=lambda review: -review.pk):
        found.setdefault(review.product_id, []).append(review)
    return found


def pictures_of(review: Review) -> list[dict[str, Any]]:
    """The photos that may be shown: `url`, `width`, `height` and `renditions` (ascending)."""
    shown = []
    for photo in review.photos.all():
        if photo.status != ReviewPhoto.Status.READY:
            continue
        sizes = [
            {
                "url": default_storage.url(size["path"]),
                "width": size["width"],
                "height": size["height"],
            }
            for size in photo.renditions
        ]
        shown.append({**sizes[-1], "renditions": sizes})
    return shown


def counted(product_id: int, store_id: int) -> dict[str, int]:
    """A summary's figures, from the reviews themselves."""
    names = ("one", "two", "three", "four", "five")
    found = (
        Review.objects.filter(product=product_id, store=store_id)
        .published()
        .aggregate(
            count=Count("pk"),
            stars=Sum("rating", default=0),
            **{
                name: Count("pk", filter=Q(rating=stars))
                for name, stars in zip(names, STARS, strict=True)
            },
        )
    )
    return dict(found)


@invariant("a rating is what its published reviews say")
def _summaries() -> Iterator[str]:
    pairs = {*Review.objects.published().order_by().values_list("product", "store").distinct()}
    known = {(row.product_id, row.store_id): row for row in ReviewSummary.objects.all()}
    for product_id, store_id in sorted(pairs | known.keys()):
        row, truth = known.get((product_id, store_id)), counted(product_id, store_id)
        said = {name: getattr(row, name, 0) for name in truth}
        if said != truth:
            yield f"product {product_id} in store {store_id}: {said}, but {truth}"


@invariant("a review is helpful to as many as said so")
def _votes() -> Iterator[str]:
    for review in Review.objects.annotate(said=Count("votes")).exclude(helpful_count=F("said")):
        yield f"{review.public_id}: {review.helpful_count}, but {review.said}"


@invariant("nobody sees a photo that wasn't scanned and written anew")
def _photos() -> Iterator[str]:
    for photo in ReviewPhoto.objects.exclude(status=ReviewPhoto.Status.READY):
        if photo.renditions:
            yield f"photo {photo.pk} is {photo.status}, but has renditions"
