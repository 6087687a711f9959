"""Typed attributes: checked against the product type, indexed where shoppers filter by them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError
from apps.products.models import Attribute, AttributeIndex, Product, ProductType
from apps.products.services.labels import publish_relabelled, unique_or

MAX_TEXT = 1000
# Beyond it a double can't tell neighbouring whole numbers apart.
MAX_NUMBER = 2**53


class InvalidAttributes(DomainError):
    """`problems` maps attribute codes to what is wrong with their values."""

    code = "invalid_attributes"
    message = _("The attributes don't fit the product type.")

    def __init__(self, problems: Mapping[str, Any]) -> None:
        self.problems = dict(problems)
        super().__init__(
            extra={
                "errors": [
                    {"field": f"attributes.{name}", "code": "invalid", "message": str(message)}
                    for name, message in self.problems.items()
                ]
            }
        )


class InUse(Conflict):
    code = "in_use"
    message = _("Products use it still.")


class CodeTaken(Conflict):
    code = "code_taken"
    message = _("This code is in use already.")


class _Wrong(Exception):
    pass


def clean_attributes(
    *, product_type: ProductType | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    """`values` as they are stored: text and choices as strings, numbers, booleans, ISO dates.

    None removes a value. Raises InvalidAttributes for a value of another type, outside of the
    choices, or whose attribute doesn't belong to the product type.
    """
    known: dict[str, Attribute] = {}
    if product_type is not None and values:
        known = {attribute.code: attribute for attribute in product_type.attributes.all()}
    cleaned: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    for code, value in values.items():
        if value is None:
            continue
        if code not in known:
            problems[code[:60]] = _("The product type has no such attribute.")
            continue
        try:
            cleaned[code] = _typed(known[code], value)
        except _Wrong as error:
            problems[code] = error.args[0]
    if problems:
        raise InvalidAttributes(problems)
    return cleaned


def _typed(attribute: Attribute, value: Any) -> Any:
    kind, kinds = attribute.kind, Attribute.Kind
    if kind == kinds.BOOLEAN:
        if not isinstance(value, bool):
            raise _Wrong(_("Yes or no is expected."))
        return value
    if kind == kinds.NUMBER:
        return _number(value)
    if kind == kinds.CHOICES:
        if not isinstance(value, list) or any(item not in attribute.choices for item in value):
            raise _Wrong(_("A list of the attribute's choices is expected."))
        return list(dict.fromkeys(value))
    if not isinstance(value, str) or "\x00" in value:
        raise _Wrong(_("A text is expected."))
    if kind == kinds.CHOICE and value not in attribute.choices:
        raise _Wrong(_("One of the attribute's choices is expected."))
    if kind == kinds.DATE:
        return _date(value)
    return _text(value)


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Wrong(_("A number is expected."))
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        raise _Wrong(_("The number is out of range."))
    return value


def _text(value: str) -> str:
    value = " ".join(value.split())
    if len(value) > MAX_TEXT:
        raise _Wrong(_("The text is too long."))
    return value


def _date(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise _Wrong(_("A date (YYYY-MM-DD) is expected.")) from None


def index_attributes(*, product: Product) -> None:
    """Rewrite the index rows of a product from its stored attributes."""
    filterable = Attribute.objects.filter(code__in=list(product.attributes), is_filterable=True)
    rows = [
        AttributeIndex(product=product, attribute=attribute, text=text[:200], number=number)
        for attribute in filterable
        for text, number in _entries(attribute, product.attributes[attribute.code])
    ]
    with transaction.atomic():
        AttributeIndex.objects.filter(product=product).delete()
        AttributeIndex.objects.bulk_create(rows)


def _entries(attribute: Attribute, value: Any) -> Iterable[tuple[str, float | None]]:
    """What `attr_<code>=` finds: texts, or the number of a numeric attribute."""
    if attribute.kind == Attribute.Kind.NUMBER:
        return [("", float(value))]
    if attribute.kind == Attribute.Kind.BOOLEAN:
        return [("true" if value else "false", None)]
    return [(str(item), None) for item in (value if isinstance(value, list) else [value])]


@transaction.atomic
def save_attribute(*, attribute: Attribute) -> Attribute:
    """Save a definition; the products that have a value of it are indexed anew.

    The kind of an attribute in use can't change: stored values would no longer fit.
    """
    before = Attribute.objects.filter(pk=attribute.pk).first() if attribute.pk else None
    users = Product.objects.filter(attributes__has_key=before.code) if before else None
    if before and users is not None and before.kind != attribute.kind and users.exists():
        raise InvalidAttributes({attribute.code: _("Products have values of another type.")})
    with unique_or(CodeTaken, "code"):
        attribute.save()
    if before and users is not None:
        if before.is_filterable != attribute.is_filterable:
            for product in users.only("pk", "attributes").iterator(chunk_size=500):
                index_attributes(product=product)
        publish_relabelled(users)
    return attribute


def delete_attribute(*, attribute: Attribute) -> None:
    """Delete a definition. Raises InUse while a product has a value of it."""
    if Product.objects.filter(attributes__has_key=attribute.code).exists():
        raise InUse()
    attribute.delete()


@transaction.atomic
def save_product_type(
    *, product_type: ProductType, attributes: Iterable[Attribute] | None = None
) -> ProductType:
    """Save a product type; with `attributes`, make its attributes exactly these."""
    with unique_or(CodeTaken, "code"):
        product_type.save()
    if attributes is not None:
        product_type.attributes.set(attributes)
        publish_relabelled(product_type.products.all())
    return product_type


def delete_product_type(*, product_type: ProductType) -> None:
    """Delete a product type. Raises InUse while products are of it."""
    if product_type.products.exists():
        raise InUse()
    product_type.delete()
