"""Writes on whole products, and what must hold after each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.html import sanitize
from apps.customers.models import CustomerGroup
from apps.products.events import ProductChanged, ProductDeleted
from apps.products.models import Brand, Category, Product, ProductType, Publication, Tag
from apps.products.services.attributes import clean_attributes, index_attributes
from apps.products.services.labels import SlugTaken, tags_named, unique_or, unique_slug
from apps.products.services.options import OptionData, set_options
from apps.products.services.relations import set_related
from apps.products.services.slugs import keep_former_slug
from apps.stores.models import Seller, Store


class InvalidPublication(DomainError):
    code = "invalid_publication"
    message = _("A publication must start before it ends, once for each store.")


class PublicationData(TypedDict):
    store: Store
    starts_at: datetime | None
    ends_at: datetime | None
    # The groups that alone see it and can buy it; None: everybody.
    groups: Sequence[CustomerGroup] | None


class ProductFields(TypedDict, total=False):
    """What may be set on a product; what is left out stays as it is."""

    name: str
    slug: str
    description: str
    status: str
    brand: Brand | None
    product_type: ProductType | None
    seller: Seller | None
    tax_class: str
    is_gift_card: bool
    attributes: dict[str, Any]
    metadata: dict[str, Any]
    seo_title: str
    seo_description: str
    categories: Sequence[Category]
    tags: Sequence[str]
    publications: Sequence[PublicationData]
    options: Sequence[OptionData]
    related: Sequence[Product]


# A class without rates. A gift card for anything is a multi-purpose voucher: VAT is due when it is
# spent, not when it is sold (Directive 2006/112/EC, art. 30b, as of Directive (EU) 2016/1065).
VOUCHER_TAX_CLASS = "voucher"
_RELATED = ("categories", "tags", "publications", "options", "related")


@transaction.atomic
def create_product(*, fields: ProductFields, store: Store) -> Product:
    """A new product (a draft, unless told otherwise).

    Published in `store` unless `fields` names publications. Raises SlugTaken,
    InvalidAttributes, InvalidPublication, RelatedToItself.
    """
    product = Product()
    if "publications" not in fields:
        fields = {**fields, "publications": [_always(store)]}
    _apply(product, fields)
    return product


def _always(store: Store) -> PublicationData:
    return {"store": store, "starts_at": None, "ends_at": None, "groups": None}


@transaction.atomic
def update_product(
    *, product: Product, fields: ProductFields, if_unchanged: bool = False
) -> Product:
    """Change what `fields` names.

    With `if_unchanged`, raises Conflict when somebody else saved the product since `product` was
    read. Raises SlugTaken, InvalidAttributes, InvalidPublication, OptionInUse, RelatedToItself.
    """
    if if_unchanged:
        same = Product.objects.filter(pk=product.pk, updated_at=product.updated_at)
        if not same.update(updated_at=timezone.now()):
            raise Conflict()
    _apply(product, fields)
    return product


def _apply(product: Product, fields: ProductFields) -> None:
    for name, value in fields.items():
        if name not in _RELATED:
            setattr(product, name, value)
    if fields.keys() & {"attributes", "product_type"}:
        product.attributes = clean_attributes(
            product_type=product.product_type, values=product.attributes
        )
    prepare_product(product=product)
    with unique_or(SlugTaken, "slug"):
        product.save()
    if "categories" in fields:
        product.categories.set(fields["categories"])
    if "tags" in fields:
        product.tags.set(tags_named(names=fields["tags"]))
    if "publications" in fields:
        set_publications(product=product, publications=fields["publications"])
    if "options" in fields:
        set_options(product=product, options=fields["options"])
    if "related" in fields:
        set_related(product=product, related=fields["related"])
    settle_product(product=product)


def prepare_product(*, product: Product) -> None:
    """What must hold of the row before it is saved: a slug, safe HTML, no tax on a voucher.

    In the transaction that saves it: the slug it had is kept.
    """
    if not product.slug:
        product.slug = unique_slug(model=Product, text=product.name, fallback="product")
    product.description = sanitize(product.description)
    if product.is_gift_card:
        product.tax_class = VOUCHER_TAX_CLASS
    keep_former_slug(row=product)


@transaction.atomic
def settle_product(*, product: Product) -> None:
    """What must follow after the row and its relations are saved: index and event."""
    if product.is_gift_card:
        product.variants.filter(requires_shipping=True).update(requires_shipping=False)
    index_attributes(product=product)
    touch_product(product=product)


@transaction.atomic
def touch_product(*, product: Product) -> None:
    """Something of the product changed: give it a new ETag, and tell the apps above."""
    now = timezone.now()
    Product.objects.filter(pk=product.pk).update(updated_at=now)
    product.updated_at = now
    publish(ProductChanged(product_id=str(product.public_id)))


@transaction.atomic
def set_publications(*, product: Product, publications: Sequence[PublicationData]) -> None:
    """Make the product's publications exactly these. Raises InvalidPublication."""
    wanted = {data["store"].pk: data for data in publications}
    if len(wanted) != len(publications):
        raise InvalidPublication(field="publications")
    for data in publications:
        starts_at, ends_at = data["starts_at"], data["ends_at"]
        if starts_at is not None and ends_at is not None and starts_at >= ends_at:
            raise InvalidPublication(field="publications")
    product.publications.exclude(store__in=list(wanted)).delete()
    for data in publications:
        row, _created = Publication.objects.update_or_create(
            product=product,
            store=data["store"],
            defaults={
                "starts_at": data["starts_at"],
                "ends_at": data["ends_at"],
                "members_only": data["groups"] is not None,
            },
        )
        row.groups.set(data["groups"] or ())


@transaction.atomic
def set_status(*, products: Iterable[Product], status: str) -> int:
    """Activate, archive or take back to draft; the number that changed."""
    changed = 0
    for product in products:
        if Product.objects.filter(pk=product.pk).exclude(status=status).update(status=status):
            audit.record("status", product, {"status": [product.status, status]})
            product.status = status
            touch_product(product=product)
            changed += 1
    return changed


@transaction.atomic
def add_tag(*, products: Iterable[Product], name: str) -> Tag:
    """Add a tag to several products."""
    (tag,) = tags_named(names=[name])
    for product in products:
        product.tags.add(tag)
        touch_product(product=product)
    return tag


@transaction.atomic
def delete_product(*, product: Product) -> bool:
    """Delete a product, or archive it when something that must stay refers to it.

    True if it is gone. Stock that moved and orders that hold it keep it.
    """
    event = ProductDeleted(product_id=str(product.public_id), slug=product.slug)
    pk = product.pk
    try:
        with transaction.atomic():
            product.delete()
    except (ProtectedError, RestrictedError):
        product.pk = pk
        set_status(products=[product], status=Product.Status.ARCHIVED)
        return False
    publish(event)
    return True
