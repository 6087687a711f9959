"""Writes on variants: what is priced, stocked and sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.products.models import Product, ProductImage, Variant
from apps.products.services.labels import SkuTaken, unique_or
from apps.products.services.options import choose_options
from apps.products.services.product import ProductFields, create_product, touch_product
from apps.stores.models import Store


class InvalidVariant(DomainError):
    code = "invalid_variant"
    message = _("A variant can't be like this.")


class VariantFields(TypedDict, total=False):
    """What may be set on a variant. Weight in grams, lengths in millimetres."""

    sku: str
    name: str
    position: int
    is_active: bool
    gtin: str
    weight: int
    length: int
    width: int
    height: int
    requires_shipping: bool
    track_inventory: bool
    hs_code: str
    origin_country: str
    unit_quantity: int | None
    unit: str
    unit_reference: str
    min_quantity: int
    max_quantity: int | None
    quantity_step: int
    metadata: dict[str, Any]
    image: ProductImage | None
    options: Mapping[str, str]


@transaction.atomic
def create_product_with_variants(
    *, fields: ProductFields, variants: Sequence[VariantFields], store: Store
) -> Product:
    """A new product with everything that is sold of it; all or nothing.

    Raises what `create_product()` and `create_variant()` raise.
    """
    product = create_product(fields=fields, store=store)
    for variant in variants:
        create_variant(product=product, fields=variant)
    return product


@transaction.atomic
def create_variant(*, product: Product, fields: VariantFields) -> Variant:
    """A new variant, behind the others. Raises InvalidVariant, SkuTaken, OptionsTaken."""
    variant = Variant(product=product, position=product.variants.count())
    _apply(variant, fields)
    return variant


@transaction.atomic
def update_variant(*, variant: Variant, fields: VariantFields) -> Variant:
    """Change what `fields` names. Raises InvalidVariant, SkuTaken, OptionsTaken."""
    _apply(variant, fields)
    return variant


def _apply(variant: Variant, fields: VariantFields) -> None:
    for name, value in fields.items():
        if name != "options":
            setattr(variant, name, value)
    if variant.product.is_gift_card:
        variant.requires_shipping = False
    _check(variant)
    with unique_or(SkuTaken, "sku"):
        variant.save()
    if "options" in fields:
        choose_options(variant=variant, options=fields["options"])
    touch_product(product=variant.product)


def _check(variant: Variant) -> None:
    if variant.max_quantity is not None and variant.max_quantity < variant.min_quantity:
        raise InvalidVariant(_("Less than the least quantity."), field="max_quantity")
    if bool(variant.unit) != (variant.unit_quantity is not None):
        raise InvalidVariant(_("Contents have a quantity and a unit."), field="unit_quantity")
    known = Variant.UNIT_REFERENCES.get(variant.unit, {})
    if variant.unit_reference and variant.unit_reference not in known:
        text = _("One of: %s.") % ", ".join(known) if known else _("Contents come first.")
        raise InvalidVariant(text, field="unit_reference")


@transaction.atomic
def delete_variant(*, variant: Variant) -> bool:
    """Delete a variant, or take it off sale when stock or orders refer to it. True if gone."""
    product, pk = variant.product, variant.pk
    try:
        with transaction.atomic():
            variant.delete()
        gone = True
    except (ProtectedError, RestrictedError):
        variant.pk = pk
        variant.is_active = False
        variant.save(update_fields=["is_active", "updated_at"])
        gone = False
    touch_product(product=product)
    return gone
