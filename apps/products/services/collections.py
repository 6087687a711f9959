"""Collections: sets of products chosen by hand, or kept by a rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.html import sanitize
from apps.core.outdated import outdate
from apps.products.models import Collection, CollectionProduct, Product
from apps.products.selectors import RULE_FIELDS, products_of_rule
from apps.products.services.labels import SlugTaken, unique_or, unique_slug
from apps.products.services.slugs import keep_former_slug

MAX_CONDITIONS, MAX_VALUE = 10, 200


class InvalidRule(DomainError):
    code = "invalid_rule"
    message = _("A rule is a list of conditions on tag, brand, category or product type.")


class CollectionFields(TypedDict, total=False):
    name: str
    slug: str
    description: str
    kind: str
    rule: dict[str, Any]
    is_active: bool
    seo_title: str
    seo_description: str
    # Of a collection chosen by hand, in this order.
    products: Sequence[Product]


def clean_rule(rule: Any) -> dict[str, Any]:
    """`{"all": [{"field", "value"}, …]}`, as it is stored. Raises InvalidRule."""
    conditions = rule.get("all") if isinstance(rule, dict) and set(rule) == {"all"} else None
    if not isinstance(conditions, list) or not 1 <= len(conditions) <= MAX_CONDITIONS:
        raise InvalidRule(field="rule")
    for condition in conditions:
        if not isinstance(condition, dict) or set(condition) != {"field", "value"}:
            raise InvalidRule(field="rule")
        if condition["field"] not in [*RULE_FIELDS] or not _is_slug(condition["value"]):
            raise InvalidRule(field="rule")
    return rule


def _is_slug(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_VALUE and value.isprintable()


@transaction.atomic
def save_collection(*, collection: Collection, fields: CollectionFields) -> Collection:
    """Create or change a collection, and bring its products up to date.

    Raises InvalidRule, SlugTaken.
    """
    for name, value in fields.items():
        if name != "products":
            setattr(collection, name, value)
    if not collection.slug:
        collection.slug = unique_slug(model=Collection, text=collection.name, fallback="collection")
    collection.description = sanitize(collection.description)
    by_rule = collection.kind == Collection.Kind.RULE
    collection.rule = clean_rule(collection.rule) if by_rule else {}
    keep_former_slug(row=collection)
    with unique_or(SlugTaken, "slug"):
        collection.save()
    if by_rule:
        refresh_collection(collection=collection)
    elif "products" in fields:
        set_products(collection=collection, products=fields["products"])
    return collection


def delete_collection(*, collection: Collection) -> None:
    """Delete a collection; its products stay."""
    collection.delete()


@transaction.atomic
def set_products(*, collection: Collection, products: Sequence[Product]) -> None:
    """The products of a collection chosen by hand, in this order."""
    CollectionProduct.objects.filter(collection=collection).delete()
    unique = dict.fromkeys(product.pk for product in products)
    CollectionProduct.objects.bulk_create(
        CollectionProduct(collection=collection, product_id=pk, position=position)
        for position, pk in enumerate(unique)
    )
    outdate("products")


@transaction.atomic
def refresh_collection(*, collection: Collection) -> None:
    """Make the products of a rule's collection those that the rule finds now."""
    members = CollectionProduct.objects.filter(collection=collection)
    found = set(products_of_rule(collection.rule).values_list("pk", flat=True))
    held = set(members.values_list("product_id", flat=True))
    _change(collection.pk, add=found - held, remove=held - found)


@transaction.atomic
def refresh_memberships(*, product_ids: Iterable[str]) -> None:
    """Put products (by public id) into, and take them out of, the collections kept by a rule.

    Two statements per rule, however many products.
    """
    changed = Product.objects.filter(public_id__in=list(product_ids))
    ids = set(changed.values_list("pk", flat=True))
    if not ids:
        return
    for collection in Collection.objects.filter(kind=Collection.Kind.RULE):
        rows = products_of_rule(collection.rule).filter(pk__in=ids)
        found = set(rows.values_list("pk", flat=True))
        members = CollectionProduct.objects.filter(collection=collection, product__in=ids)
        held = set(members.values_list("product_id", flat=True))
        _change(collection.pk, add=found - held, remove=held - found)


def _change(collection_id: int, *, add: set[int], remove: set[int]) -> None:
    if add or remove:
        outdate("products")
    gone = sorted(remove)
    for start in range(0, len(gone), 500):
        CollectionProduct.objects.filter(
            collection=collection_id, product__in=gone[start : start + 500]
        ).delete()
    CollectionProduct.objects.bulk_create(
        [CollectionProduct(collection_id=collection_id, product_id=pk) for pk in sorted(add)],
        ignore_conflicts=True,
        batch_size=500,
    )
