"""Where what a shopper asked for by a former slug is now. Asked only once it wasn't found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from apps.products.models import FormerSlug
from apps.products.selectors import category_tree
from apps.storefront.models import Listing
from apps.storefront.selectors.filters import Wanted

Kind = FormerSlug.Kind


def moved_product(*, slug: str, **asked: Any) -> str | None:
    """The slug of the product that had this one, if it is for sale here now.

    `asked`: store_id, currency, at, and group_id for a customer of one.
    """
    visible = Listing.objects.visible(**asked)
    found = visible.filter(
        product__former_slugs__kind=Kind.PRODUCT, product__former_slugs__slug=slug
    )
    return found.values_list("product__slug", flat=True).first()


def moved_category(*, slug: str) -> str | None:
    """The slug of the category that had this one, if it is shown."""
    return _moved(Kind.CATEGORY, [slug]).get(slug)


def moved_collection(*, slug: str) -> str | None:
    """The slug of the collection that had this one, if it is active."""
    return _moved(Kind.COLLECTION, [slug]).get(slug)


def moved_filters(wanted: Wanted) -> dict[str, str]:
    """The filters of a list that name former slugs, as they are written now."""
    asked = {
        "category": [wanted.category] if wanted.category else [],
        "collection": [wanted.collection] if wanted.collection else [],
        "brand": wanted.brands,
    }
    filters = {}
    for name, slugs in asked.items():
        moved = _moved(Kind(name), slugs) if slugs else {}
        if moved:
            filters[name] = ",".join(moved.get(slug, slug) for slug in slugs)
    return filters


def _moved(kind: FormerSlug.Kind, slugs: Sequence[str]) -> dict[str, str]:
    """Former slugs and the present ones, of rows that shoppers see."""
    rows = FormerSlug.objects.filter(kind=kind, slug__in=slugs)
    if kind == Kind.COLLECTION:
        rows = rows.filter(collection__is_active=True)
    elif kind == Kind.BRAND:
        rows = rows.filter(brand__in=Listing.objects.order_by().values("brand"))
    moved = dict(rows.values_list("slug", f"{kind.value}__slug"))
    if kind == Kind.CATEGORY and moved:
        shown = category_tree()
        moved = {before: now for before, now in moved.items() if now in shown}
    return moved
