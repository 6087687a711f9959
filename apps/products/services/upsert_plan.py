"""A plan of what has to be written to make products what their data say, and what it builds on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from apps.customers.models import CustomerGroup
from apps.products.models import (
    Category,
    ExternalId,
    Product,
    ProductImage,
    Publication,
    Tag,
    Variant,
)
from apps.products.services.product_data import ProductData, UpsertResult, VariantData


@dataclass(slots=True)
class VariantPlan:
    variant: Variant
    new: bool
    fields: list[str] = field(default_factory=list)
    # None leaves the options as they are.
    options: dict[str, str] | None = None


@dataclass(slots=True)
class Plan:
    data: ProductData
    product: Product
    new: bool
    result: UpsertResult
    fields: list[str] = field(default_factory=list)
    variants: list[VariantPlan] = field(default_factory=list)
    images: dict[str, ProductImage] = field(default_factory=dict)
    new_images: list[ProductImage] = field(default_factory=list)
    changed_images: list[ProductImage] = field(default_factory=list)
    tags: list[Tag] | None = None
    categories: list[Category] | None = None
    external_ids: list[ExternalId] = field(default_factory=list)
    # With the groups that alone see it.
    publications: list[tuple[Publication, list[CustomerGroup]]] = field(default_factory=list)
    gone_publications: list[Publication] = field(default_factory=list)


class Claims:
    """Slugs and SKUs that a dry run would have given away, by hash: millions take little room."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def take(self, plan: Plan) -> None:
        """Note what a plan would have made."""
        if plan.new:
            self._taken.add(hash(("slug", plan.product.slug)))
        self._taken.update(hash(("sku", v.variant.sku)) for v in plan.variants if v.new)

    def has(self, kind: str, name: str) -> bool:
        return hash((kind, name)) in self._taken


class Options:
    """Which variant of a product has which options, both ways."""

    def __init__(self) -> None:
        self._of: dict[int, dict[str, str]] = {}
        self._who: dict[frozenset[tuple[str, str]], Variant] = {}

    def __len__(self) -> int:
        return len(self._of)

    def of(self, variant: Variant) -> dict[str, str]:
        return self._of.get(id(variant), {})

    def who(self, options: dict[str, str]) -> Variant | None:
        return self._who.get(frozenset(options.items()))

    def give(self, variant: Variant, options: dict[str, str]) -> None:
        before = frozenset(self.of(variant).items())
        if self._who.get(before) is variant:
            del self._who[before]
        self._of[id(variant)] = options
        self._who.setdefault(frozenset(options.items()), variant)


def assign(row: Any, wanted: dict[str, Any]) -> list[str]:
    """Set what differs and is told; the names of the fields that changed."""
    changed = []
    for name, value in wanted.items():
        if name in ("brand", "product_type", "image"):
            same = getattr(row, f"{name}_id") == (value.pk if value else None)
            same = same and not (value and value.pk is None)
        else:
            same = value is None or getattr(row, name) == value
        if not same:
            setattr(row, name, value)
            changed.append(name)
    return changed


def assign_terms(variant: Variant, data: VariantData) -> list[str]:
    """The same for contents and quantities, which are told as a whole and may be nothing."""
    told: dict[str, Any] = {}
    if data.contents is not None:
        told["unit_quantity"] = data.contents.quantity
        told["unit"], told["unit_reference"] = data.contents.unit, data.contents.reference
    if data.quantities is not None:
        told["min_quantity"], told["max_quantity"] = data.quantities.least, data.quantities.most
        told["quantity_step"] = data.quantities.step
    changed = [name for name, value in told.items() if getattr(variant, name) != value]
    for name in changed:
        setattr(variant, name, told[name])
    return changed
