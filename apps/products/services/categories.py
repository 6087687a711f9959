"""Writes on the category tree."""

from __future__ import annotations

from typing import TypedDict, cast

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from treebeard.exceptions import InvalidMoveToDescendant

from apps.core.errors import Conflict, DomainError
from apps.core.html import sanitize
from apps.core.outdated import outdate
from apps.products.models import Category, Product
from apps.products.services.labels import SlugTaken, publish_relabelled, unique_or, unique_slug
from apps.products.services.slugs import keep_former_slug


class CategoryNotEmpty(Conflict):
    code = "category_not_empty"
    message = _("The category has subcategories; move or delete them first.")


class InvalidMove(DomainError):
    code = "invalid_move"
    message = _("A category can't be moved below itself.")


class CategoryFields(TypedDict, total=False):
    name: str
    slug: str
    description: str
    is_active: bool
    seo_title: str
    seo_description: str


class CategoryChanges(CategoryFields, total=False):
    parent: Category | None


@transaction.atomic
def create_category(*, fields: CategoryFields, parent: Category | None = None) -> Category:
    """A new category, the last child of `parent` or the last root. Raises SlugTaken."""
    category = Category()
    _apply(category, fields)
    with unique_or(SlugTaken, "slug"):
        if parent is None:
            return Category.objects.add_root(instance=category)
        # Treebeard counts children on the instance: it must be the row as it is now.
        return Category.objects.add_child(_fresh(parent), instance=category)


def _fresh(category: Category) -> Category:
    return Category.objects.get(pk=category.pk)


@transaction.atomic
def change_category(*, category: Category, fields: CategoryChanges) -> Category:
    """Change and, where `fields` names a parent, move. Raises SlugTaken, InvalidMove."""
    plain = {name: value for name, value in fields.items() if name != "parent"}
    if plain:
        update_category(category=category, fields=cast(CategoryFields, plain))
    if "parent" in fields:
        return move_category(category=category, parent=fields["parent"])
    return category


@transaction.atomic
def update_category(*, category: Category, fields: CategoryFields) -> Category:
    """Change what `fields` names; every product below shows it. Raises SlugTaken."""
    _apply(category, fields)
    with unique_or(SlugTaken, "slug"):
        # Never the place in the tree: this instance may have been read before a move.
        category.save(update_fields=[*fields, "slug", "description", "updated_at"])
    publish_relabelled(products_below(category))
    return category


def _apply(category: Category, fields: CategoryFields) -> None:
    for name, value in fields.items():
        setattr(category, name, value)
    category.description = sanitize(category.description)
    if not category.slug:
        category.slug = unique_slug(model=Category, text=category.name, fallback="category")
    keep_former_slug(row=category)


@transaction.atomic
def move_category(*, category: Category, parent: Category | None) -> Category:
    """Make a category (with all below it) the last child of `parent`, or the last root.

    Raises InvalidMove for a parent inside of it.
    """
    category = _fresh(category)
    try:
        if parent is not None:
            Category.objects.move(category, _fresh(parent), pos="last-child")
        elif not category.is_root():
            Category.objects.move(category, Category.objects.get_root(category), pos="last-sibling")
    except InvalidMoveToDescendant as error:
        raise InvalidMove(field="parent") from error
    category.refresh_from_db()
    outdate("categories", "products")
    publish_relabelled(products_below(category))
    return category


@transaction.atomic
def delete_category(*, category: Category) -> None:
    """Delete a category; its products stay. Raises CategoryNotEmpty."""
    if not _fresh(category).is_leaf():
        raise CategoryNotEmpty()
    publish_relabelled(products_below(category))
    category.delete()


def products_below(category: Category) -> QuerySet[Product]:
    """The products of a category and of everything below it."""
    return Product.objects.filter(categories__path__startswith=category.path)
