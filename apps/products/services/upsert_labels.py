"""Brands, types, tags and categories by name, kept for the length of one import."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils.text import slugify

from apps.products.models import Attribute, Brand, Category, ProductType, Tag
from apps.products.services.labels import tag_slug, unique_slug
from apps.products.services.slugs import keep_former_slug

L = TypeVar("L", Brand, Tag, ProductType)
# An import of millions of rows must not keep every tag it ever saw.
MAX_KEPT = 20_000


def digest(text: str, length: int = 8) -> str:
    """A short, stable code for a text that has no letters a slug may have."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


class Labels:
    """Finds labels by name and makes the missing ones.

    A label is known by its name, else by the slug of its name ("Red" and "red" are one tag).
    In a dry run missing ones are unsaved instances, so that a difference shows.
    """

    def __init__(self, *, dry_run: bool = False) -> None:
        self.dry_run = dry_run
        self.forget()

    def forget(self) -> None:
        """Start again: after a rollback what was made here is gone."""
        self._named: dict[tuple[type[Any], str], Any] = {}
        self._keyed: dict[tuple[type[Any], str], Any] = {}
        self._categories: dict[tuple[str, ...], Category] = {}

    def load(self, model: type[L], names: Iterable[str]) -> None:
        """Read the labels of these names in one query."""
        if len(self._named) > MAX_KEPT or len(self._categories) > MAX_KEPT:
            self.forget()
        wanted = {name for name in names if name and (model, name) not in self._named}
        if not wanted:
            return
        key = _key_field(model)
        slugs = {_slug(model, name) for name in wanted}
        rows = model._default_manager.filter(
            models.Q(name__in=wanted) | models.Q(**{f"{key}__in": slugs})
        )
        for row in rows.order_by("-pk"):
            self._keep(row)
        for name in wanted:
            if found := self._keyed.get((model, _slug(model, name))):
                self._named.setdefault((model, name), found)
            else:
                # None: looked for, and not there.
                self._named.setdefault((model, name), None)

    def _keep(self, row: Any) -> None:
        self._named[type(row), row.name] = row
        self._keyed[type(row), getattr(row, _key_field(type(row)))] = row

    def get(self, model: type[L], name: str | None) -> L | None:
        """The label of this name, made if it is missing; None for no name."""
        if not name:
            return None
        if (model, name) not in self._named:
            self.load(model, [name])
        row = self._named[model, name] or self._keyed.get((model, _slug(model, name)))
        if row is None:
            row = self._make(model, name)
            self._keep(row)
        self._named[model, name] = row
        return row

    def _make(self, model: type[L], name: str) -> L:
        slug = _slug(model, name)
        row = model(name=name, **{_key_field(model): slug})
        if self.dry_run:
            return row
        try:
            with transaction.atomic():
                if isinstance(row, Brand):
                    keep_former_slug(row=row)
                row.save()
        except IntegrityError:
            # Somebody made it just now, or it is the same to a database that ignores accents.
            return model._default_manager.get(**{_key_field(model): slug})
        return row

    def category(self, path: tuple[str, ...]) -> Category:
        """The category at a path of names from the root, made with its parents if missing."""
        if path not in self._categories:
            self.load_categories([path])
        for depth in range(1, len(path) + 1):
            if path[:depth] not in self._categories:
                self._categories[path[:depth]] = self._make_category(path[:depth])
        return self._categories[path]

    def load_categories(self, paths: Iterable[tuple[str, ...]]) -> None:
        """Read the categories at these paths in one query."""
        missing = [path for path in paths if path not in self._categories]
        names = {name for path in missing for name in path}
        if not names:
            return
        rows = Category.objects.filter(name__in=names).order_by("path")
        children: dict[tuple[str, str], Category] = {}
        for row in rows:
            parent = row.path[: -row.steplen]
            children.setdefault((parent, row.name), row)
        for path in missing:
            at = ""
            for depth, name in enumerate(path, 1):
                node = children.get((at, name))
                if node is None:
                    break
                self._categories[path[:depth]] = node
                at = node.path

    def _make_category(self, path: tuple[str, ...]) -> Category:
        name = path[-1]
        if self.dry_run:
            return Category(name=name)
        slug = unique_slug(model=Category, text=name, fallback=f"category-{digest(name)}")
        category = Category(name=name, slug=slug)
        keep_former_slug(row=category)
        if len(path) == 1:
            return Category.objects.add_root(instance=category)
        # Read again: the number of children in memory may be old.
        parent = Category.objects.get(pk=self._categories[path[:-1]].pk)
        return Category.objects.add_child(parent, instance=category)


def _key_field(model: type[models.Model]) -> str:
    return "code" if model is ProductType else "slug"


def _slug(model: type[models.Model], name: str) -> str:
    if model is Tag:
        return tag_slug(name)
    limit = model._meta.get_field(_key_field(model)).max_length or 50
    slug = slugify(name)
    if not slug or len(slug) > limit:
        return f"{slug[: limit - 9]}-{digest(name)}".lstrip("-")
    return slug


def ensure_attributes(*, product_type: ProductType, values: dict[str, Any]) -> None:
    """Define the attributes that a product type lacks, of the kind their first value shows.

    Lists of choices grow by what a file has, as brands and tags do.
    """
    known = {attribute.code: attribute for attribute in product_type.attributes.all()}
    for code, value in values.items():
        if code not in known:
            defaults = {"name": code, "kind": _kind(value)}
            known[code], _created = Attribute.objects.get_or_create(code=code, defaults=defaults)
            product_type.attributes.add(known[code])
        _add_choices(known[code], value if isinstance(value, list) else [value])


def _add_choices(attribute: Attribute, values: list[Any]) -> None:
    if attribute.kind not in (Attribute.Kind.CHOICE, Attribute.Kind.CHOICES):
        return
    new = [v for v in values if isinstance(v, str) and v not in attribute.choices]
    if new:
        attribute.choices = [*attribute.choices, *dict.fromkeys(new)]
        attribute.save(update_fields=["choices"])


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return Attribute.Kind.BOOLEAN
    if isinstance(value, (int, float)):
        return Attribute.Kind.NUMBER
    return Attribute.Kind.CHOICES if isinstance(value, list) else Attribute.Kind.TEXT
