"""Which listings a shopper asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from django.db.models import FilteredRelation, Q

from apps.products.models import AttributeIndex, Collection
from apps.products.selectors import CategoryNode, category_tree
from apps.storefront.models import Listing
from apps.storefront.querysets import ListingQuerySet
from apps.storefront.selectors.search import Asked, backend


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of a list, checked and typed. Prices in minor units of `currency`."""

    store_id: int
    currency: str
    at: datetime
    # The customer group of whoever asks, who sees what is only for it.
    group_id: int | None = None
    search: str = ""
    # The language that the store's texts are in.
    language: str = ""
    category: str = ""
    collection: str = ""
    brands: tuple[str, ...] = ()
    price_min: int | None = None
    price_max: int | None = None
    in_stock: bool | None = None
    rating_min: float = 0.0
    # Texts of which a product must have one, by attribute code.
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # Bounds of a number, by attribute code.
    ranges: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)

    @property
    def asked(self) -> Asked:
        return Asked(self.search, self.store_id, self.language)

    @property
    def is_filtered(self) -> bool:
        """Whether anything beside the search narrows the list."""
        return self != self._only(search=self.search)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but a category is asked for."""
        return self == self._only(category=self.category)

    def _only(self, **asked: str) -> Wanted:
        return Wanted(
            self.store_id, self.currency, self.at, self.group_id, language=self.language, **asked
        )


def visible(wanted: Wanted) -> ListingQuerySet:
    """All that the store shows them."""
    return Listing.objects.visible(
        store_id=wanted.store_id,
        currency=wanted.currency,
        at=wanted.at,
        group_id=wanted.group_id,
    )


def find(wanted: Wanted, *, tree: Mapping[str, CategoryNode] | None = None) -> ListingQuerySet:
    """The listings a shopper asked for, in no order.

    A category means everything below it; one that doesn't exist has no products. `tree` is the
    category tree, where the caller has read it already.
    """
    found = filtered(wanted, tree=tree)
    return backend().matching(found, wanted.asked) if wanted.search else found


def filtered(wanted: Wanted, *, tree: Mapping[str, CategoryNode] | None = None) -> ListingQuerySet:
    """All that the filters leave, whatever was searched for.

    In a category, `place` is the row that repeats what its lists are ordered by.
    """
    listings = visible(wanted)
    if wanted.category:
        node = (category_tree() if tree is None else tree).get(wanted.category)
        listings = in_category(listings, wanted, node.pk if node else 0)
    if wanted.collection:
        shown = Collection.objects.filter(slug=wanted.collection, is_active=True)
        listings = listings.filter(product__in=shown.values("products"))
    if wanted.brands:
        listings = listings.filter(brand__slug__in=wanted.brands)
    if wanted.price_min is not None:
        listings = listings.filter(price__gte=wanted.price_min)
    if wanted.price_max is not None:
        listings = listings.filter(price__lte=wanted.price_max)
    if wanted.in_stock is not None:
        listings = listings.filter(in_stock=wanted.in_stock)
    if wanted.rating_min > 0:
        # Rounded first: 1.1 * 100 is a little more than 110.
        listings = listings.filter(rating__gte=ceil(round(wanted.rating_min * 100, 6)))
    return _with_attributes(listings, wanted)


def in_category(listings: ListingQuerySet, wanted: Wanted, category: int) -> ListingQuerySet:
    """Those of a category (its id; 0: none); `place` is the row that puts each there."""
    place = {
        "category": category,
        "store": wanted.store_id,
        "currency": wanted.currency,
        # The listing's price once more: an index holds it.
        "price__gte": wanted.price_min,
        "price__lte": wanted.price_max,
    }
    given = {f"places__{name}": value for name, value in place.items() if value is not None}
    return listings.annotate(place=FilteredRelation("places", condition=Q(**given))).filter(
        place__category=category
    )


def _with_attributes(listings: ListingQuerySet, wanted: Wanted) -> ListingQuerySet:
    for code, texts in wanted.texts.items():
        having = AttributeIndex.objects.filter(attribute__code=code, text__in=texts)
        listings = listings.filter(product__in=having.values("product_id"))
    for code, (low, high) in wanted.ranges.items():
        having = AttributeIndex.objects.filter(attribute__code=code, number__isnull=False)
        if low is not None:
            having = having.filter(number__gte=low)
        if high is not None:
            having = having.filter(number__lte=high)
        listings = listings.filter(product__in=having.values("product_id"))
    return listings
