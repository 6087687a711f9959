"""Reads of wishlists and of what was looked at, in a constant number of statements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.core.errors import NotFound
from apps.customers.models import Customer
from apps.products.models import Product, Variant
from apps.storefront.models import Listing
from apps.storefront.querysets import ListingQuerySet
from apps.stores.models import Store
from apps.wishlists.models import RecentView, Wishlist, WishlistItem

RECENT = 30


@dataclass(frozen=True, slots=True)
class Window:
    """Where and when somebody looks."""

    store: Store
    currency: str
    at: datetime
    # Of whoever looks.
    group_id: int | None = None


def wishlists_of(customer: Customer | None) -> QuerySet[Wishlist]:
    """A customer's lists; each knows `is_default` and `item_count`."""
    older = Wishlist.objects.filter(customer=OuterRef("customer"), pk__lt=OuterRef("pk"))
    items = WishlistItem.objects.filter(wishlist=OuterRef("pk")).order_by().values("wishlist")
    count = Subquery(items.annotate(n=Count("pk")).values("n"), IntegerField())
    return (
        Wishlist.objects.filter(customer=customer)
        .annotate(is_default=~Exists(older), item_count=Coalesce(count, 0))
        .order_by("pk")
    )


def wishlist_of(*, customer: Customer | None, wishlist_id: UUID) -> Wishlist:
    """One of a customer's lists. Raises NotFound."""
    found = Wishlist.objects.filter(customer=customer, public_id=wishlist_id).first()
    if customer is None or found is None:
        raise NotFound()
    return found


def item_of(*, customer: Customer | None, wishlist_id: UUID, item_id: UUID) -> WishlistItem:
    """One item of such a list. Raises NotFound."""
    wishlist = wishlist_of(customer=customer, wishlist_id=wishlist_id)
    found = items_of(wishlist).filter(public_id=item_id).first()
    if found is None:
        raise NotFound()
    found.wishlist = wishlist
    return found


def shared_wishlist(token: str) -> Wishlist:
    """The list that is shared under this token. Raises NotFound."""
    found = Wishlist.objects.filter(token=token[:43]).first() if token else None
    if found is None:
        raise NotFound()
    return found


def items_of(wishlist: Wishlist) -> QuerySet[WishlistItem]:
    """What is on a list, as `items_json` needs it."""
    return wishlist.items.select_related("product", "variant__product")


def unsaved_items(wishes: Sequence[tuple[str, str]]) -> list[WishlistItem]:
    """What a guest wished for, (slug, "") or ("", SKU), as items of no list. Two statements.

    What is gone is left out.
    """
    whole = Product.objects.filter(slug__in=[slug for slug, sku in wishes if not sku])
    single = Variant.objects.filter(sku__in=[sku for _slug, sku in wishes if sku])
    products = {product.slug: product for product in whole}
    variants = {variant.sku: variant for variant in single.select_related("product")}
    return [
        WishlistItem(variant=variants[sku]) if sku else WishlistItem(product=products[slug])
        for slug, sku in wishes
        if (sku in variants if sku else slug in products)
    ]


def items_json(items: Sequence[WishlistItem], window: Window) -> list[dict[str, Any]]:
    """Each item with what is for sale now: the list item of its product, and its variant.

    Both are null of what isn't for sale here (any more). Two statements.
    """
    products = listed(window, {item.whole.pk for item in items})
    variants = _variants(window, {item.whole.pk for item in items if item.variant_id})
    return [
        {
            "id": str(item.public_id),
            "slug": item.whole.slug,
            "sku": item.variant.sku if item.variant else None,
            "name": item.whole.name,
            "note": item.note,
            "added_at": item.created_at,
            "product": products.get(item.whole.pk),
            "variant": variants.get(item.variant.sku) if item.variant else None,
        }
        for item in items
    ]


def listed(window: Window, product_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The list items of what is for sale, by product id. One statement."""
    rows = _rows(window, product_ids).values_list("product_id", "item")
    return {pk: json.loads(item) for pk, item in rows}


def _variants(window: Window, product_ids: Iterable[int]) -> dict[str, dict[str, Any]]:
    """The variants of what is for sale, by SKU, as product pages show them."""
    pages = _rows(window, product_ids).values_list("detail", flat=True)
    return {v["sku"]: v for page in pages for v in json.loads(page)["variants"]}


def _rows(window: Window, product_ids: Iterable[int]) -> QuerySet[Listing]:
    return _visible(window).filter(product__in=list(product_ids))


def _visible(window: Window) -> ListingQuerySet:
    return Listing.objects.visible(
        store_id=window.store.pk,
        currency=window.currency,
        at=window.at,
        group_id=window.group_id,
    )


def recently_viewed(customer: Customer | None, window: Window, *, limit: int = RECENT) -> list[Any]:
    """The list items of what a customer looked at last. Two statements."""
    rows = RecentView.objects.filter(customer=customer, store=window.store)
    seen = list(rows.order_by("-at", "-pk").values_list("product_id", flat=True)[:limit])
    found = listed(window, seen)
    return [found[pk] for pk in seen if pk in found]


def listed_by_slug(slugs: Sequence[str], window: Window) -> list[Any]:
    """The list items of the products of these slugs, in their order. One statement."""
    if not slugs:
        return []
    rows = _visible(window).filter(product__slug__in=slugs)
    found = dict(rows.values_list("product__slug", "item"))
    return [json.loads(found[slug]) for slug in slugs if slug in found]


def for_sale(
    *, store: Store, at: datetime, group_id: int | None, slug: str = "", sku: str = ""
) -> Product | Variant:
    """The variant of a SKU, else the product of a slug, for sale to customers of a group in a
    store. Raises NotFound."""
    published = Product.objects.published(store.pk, at, group_id=group_id)
    found: Product | Variant | None
    if sku:
        variants = Variant.objects.filter(sku=sku[:100], is_active=True, product__in=published)
        found = variants.select_related("product").first()
    else:
        found = published.filter(slug=slug[:200]).first()
    if found is None:
        raise NotFound()
    return found
