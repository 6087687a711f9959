"""What products tell the apps above them."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True)
class ProductChanged(Event):
    """A product, its variants, images, publications or categories changed."""

    name = "product.changed"

    product_id: str


@dataclass(frozen=True)
class ProductsChanged(Event):
    """The same of many products at once: an import tells it for each of its batches."""

    name = "products.changed"

    product_ids: list[str]


@dataclass(frozen=True)
class ProductDeleted(Event):
    name = "product.deleted"

    product_id: str
    slug: str


@dataclass(frozen=True)
class ProductsRelabelled(Event):
    """A brand, tag or category that these products show was renamed, moved, hidden or removed."""

    name = "products.relabelled"

    product_ids: list[str]
