"""A product page, ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.core.errors import NotFound
from apps.products.models import Product
from apps.storefront.models import Listing

RELATED = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """A body made of listings. `changes` are their (product id, when its price changes)."""

    body: str
    changes: list[tuple[int, datetime | None]]


def product_page(*, store_id: int, currency: str, slug: str, at: datetime) -> Shown:
    """The JSON of a product page, with its related products. Two statements.

    Raises NotFound for what isn't for sale here now.
    """
    visible = Listing.objects.visible(store_id=store_id, currency=currency, at=at)
    found = visible.filter(product__slug=slug)
    row = found.values_list("product_id", "stale_at", "detail").first()
    if row is None:
        raise NotFound()
    product_id, stale_at, detail = row
    links = Product.categories.through.objects
    beside = links.filter(
        category__in=links.filter(product=product_id).values("category_id"),
        category__is_active=True,
    )
    related = (
        visible.filter(product__in=beside.values("product_id"))
        .exclude(product=product_id)
        .order_by("-popularity", "-product_id")
        .values_list("product_id", "stale_at", "item")[:RELATED]
    )
    beside_it = list(related)
    items = ",".join(item for _id, _stale, item in beside_it)
    # The stored page is a JSON object: one more member before its closing brace.
    return Shown(
        f'{detail[:-1]},"related":[{items}]}}',
        [(product_id, stale_at), *((pk, stale) for pk, stale, _item in beside_it)],
    )
