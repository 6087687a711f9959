"""Reads of the catalogue that span models."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from apps.core.cache import ShortCache
from apps.core.money import round_half_up
from apps.products.models import Attribute, Category, Product, Variant

# What the rule of a collection may ask for, and the column that answers.
RULE_FIELDS = {
    "tag": "tags__slug",
    "brand": "brand__slug",
    "category": "categories__path__startswith",
    "product_type": "product_type__code",
}

_filterable: ShortCache[dict[str, Attribute]] = ShortCache(
    lambda: {a.code: a for a in Attribute.objects.filter(is_filterable=True)},
    key="attributes",
    seconds=5.0,
    enabled=lambda: settings.SHORT_CACHES,
)


def filterable_attributes() -> dict[str, Attribute]:
    """The attributes shoppers may filter by, by code."""
    return _filterable.get()


def products_of_rule(rule: dict[str, Any]) -> QuerySet[Product]:
    """The products that fulfil every condition of a collection's rule, each once.

    A category means everything below it; a category that doesn't exist has no products.
    """
    products = Product.objects.order_by()
    for condition in rule.get("all", ()):
        value: Any = condition["value"]
        if condition["field"] == "category":
            node = Category.objects.filter(slug=value).first()
            if node is None:
                return products.none()
            value = node.path
        matching = Product.objects.filter(**{RULE_FIELDS[condition["field"]]: value})
        products = products.filter(pk__in=matching.order_by().values("pk"))
    return products


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """One category of the tree; the paths of everything below it are prolonged from `path`."""

    path: str
    depth: int
    slug: str
    name: str
    pk: int


def _load_tree() -> dict[str, CategoryNode]:
    columns = ("path", "depth", "slug", "name", "pk", "is_active")
    tree: dict[str, CategoryNode] = {}
    shown: set[str] = set()
    for path, depth, slug, name, pk, is_active in Category.objects.order_by("path").values_list(
        *columns
    ):
        if is_active and (depth == 1 or path[: -Category.steplen] in shown):
            shown.add(path)
            tree[slug] = CategoryNode(path, depth, slug, name, pk)
    return tree


_tree: ShortCache[dict[str, CategoryNode]] = ShortCache(
    _load_tree, key="categories", seconds=5.0, enabled=lambda: settings.SHORT_CACHES
)


def category_tree() -> dict[str, CategoryNode]:
    """The categories shoppers see, by slug, in the order of the tree.

    A hidden category hides everything below it.
    """
    return _tree.get()


def category_paths() -> dict[str, int]:
    """The key of each category by its path, as they are now, hidden ones too."""
    return dict(Category.objects.values_list("path", "pk"))


def shown_categories() -> QuerySet[Category]:
    """The rows of `category_tree()`, as a queryset. One statement."""
    shown = Category.objects.filter(is_active=True)
    # A hidden category hides everything below it.
    for path in Category.objects.filter(is_active=False).values_list("path", flat=True):
        shown = shown.exclude(path__startswith=path)
    return shown


def products_with(search: str) -> QuerySet[Product]:
    """Products whose name or a SKU contains `search`."""
    match = Q(name__icontains=search) | Q(variants__sku__icontains=search)
    return Product.objects.filter(match).distinct()


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """Minor units for one `per`: "kg", "100g", "l", "100ml", "m3", "m", "m2", "piece"."""

    amount: int
    per: str


def unit_price(variant: Variant, amount: int) -> UnitPrice | None:
    """What one kilogram, litre, … costs if the variant costs `amount`, rounded half up.

    Directive 98/6/EC, articles 2(b) and 3; None for what isn't sold by measure.
    """
    if variant.unit_quantity is None:
        return None
    references = Variant.UNIT_REFERENCES[variant.unit]
    per = variant.unit_reference or next(iter(references))
    return UnitPrice(round_half_up(Decimal(amount * references[per]) / variant.unit_quantity), per)


# Prefixes of GTIN-13 for numbers inside a company and for coupons.
# https://support.google.com/merchants/answer/6324461
_NOT_OF_GOODS = ("02", "04", "05", "2", "98", "99")


def gtin_of(variant: Variant) -> str | None:
    """The barcode, if it is a GTIN (8, 12, 13 or 14 digits, the last one checks the others).

    None for what isn't, and for numbers that companies give themselves: they name nothing outside.
    """
    digits = variant.gtin.replace(" ", "").replace("-", "")
    if len(digits) not in (8, 12, 13, 14) or not (digits.isascii() and digits.isdigit()):
        return None
    if digits.startswith(("0", "2")) if len(digits) == 8 else _is_internal(digits):
        return None
    # GS1 General Specifications, 7.9: weights 3 and 1 from the right, up to the next ten.
    total = sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(reversed(digits)))
    return None if total % 10 else digits


def _is_internal(digits: str) -> bool:
    return int(digits) == 0 or digits.zfill(14)[1:].startswith(_NOT_OF_GOODS)


def quantity_problem(variant: Variant, quantity: int) -> str | None:
    """Why nobody can order `quantity` pieces: "below_minimum", "above_maximum", "wrong_step".

    None if they can: from the least quantity in steps, up to the greatest. Says nothing of stock.
    """
    if quantity < variant.min_quantity:
        return "below_minimum"
    if variant.max_quantity is not None and quantity > variant.max_quantity:
        return "above_maximum"
    steps = (quantity - variant.min_quantity) % variant.quantity_step
    return "wrong_step" if steps else None


def nearest_quantity(variant: Variant, quantity: int) -> int:
    """The quantity that may be ordered nearest to `quantity`; the smaller one of two."""
    least, step = variant.min_quantity, variant.quantity_step
    steps = max(0, quantity - least + (step - 1) // 2) // step
    if variant.max_quantity is not None:
        steps = min(steps, (variant.max_quantity - least) // step)
    return least + steps * step
