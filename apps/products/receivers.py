"""What the catalogue does when it changed itself."""

from apps.core.events import receives
from apps.products.events import ProductChanged, ProductsChanged, ProductsRelabelled
from apps.products.services.collections import refresh_memberships


@receives(ProductChanged)
def refresh_collections(event: ProductChanged) -> None:
    refresh_memberships(product_ids=[event.product_id])


@receives(ProductsChanged, ProductsRelabelled)
def refresh_collections_of_many(event: ProductsChanged | ProductsRelabelled) -> None:
    refresh_memberships(product_ids=event.product_ids)
