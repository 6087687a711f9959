"""What is asked for most: read once after a deploy, it is ready for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils import timezone

from apps.products.selectors import category_tree
from apps.storefront.models import Listing
from apps.stores.models import Store
from apps.stores.selectors import active_stores

_BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class Asked:
    """An address as a shopper of the store asks for it."""

    store: str
    language: str
    path: str


def asked_most(*, products: int) -> Iterator[Asked]:
    """The first lists, the categories' and the pages of the `products` most popular products, of
    every store, in every currency of it."""
    for store in active_stores():
        for path in _paths(store, products):
            yield Asked(store.code, store.language, path)


def _paths(store: Store, products: int) -> Iterator[str]:
    yield f"{_BASE}/categories/"
    yield f"{_BASE}/collections/"
    categories = list(category_tree())
    yield from (f"{_BASE}/categories/{slug}/" for slug in categories)
    for currency in store.all_currencies:
        # As a storefront asks that doesn't let shoppers choose.
        own = currency == store.default_currency
        more = {} if own else {"currency": currency}
        for name in ("products/", "products/facets/"):
            yield _address(name, more)
        for slug in categories:
            yield _address("products/", {"category": slug, **more})
        shown = Listing.objects.visible(store_id=store.pk, currency=currency, at=timezone.now())
        popular = shown.order_by("-popularity", "-product_id")
        for slug in popular.values_list("product__slug", flat=True)[:products]:
            yield _address(f"products/{slug}/", more)


def _address(name: str, query: dict[str, str]) -> str:
    return f"{_BASE}/{name}" + (f"?{urlencode(query)}" if query else "")
