"""What products are sorted by: slugs, brands and tags."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.core.events import publish
from apps.products.events import ProductsRelabelled
from apps.products.models import Brand, Tag
from apps.products.services.slugs import keep_former_slug

# Products named by one event; their listings are rebuilt together.
BATCH = 200
L = TypeVar("L", Brand, Tag)


class SlugTaken(Conflict):
    code = "slug_taken"
    message = _("This slug is in use already.")


class SkuTaken(Conflict):
    code = "sku_taken"
    message = _("This SKU is in use already.")


@contextmanager
def unique_or(error: type[Conflict], field: str) -> Iterator[None]:
    """Turn the database's refusal of a second value into `error`; the transaction lives on."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as refused:
        raise error(field=field) from refused


def unique_slug(*, model: type[models.Model], text: str, fallback: str) -> str:
    """A free slug made from `text`: "red-shirt", else "red-shirt-2", …

    `fallback` is its base when `text` has no letter that can be part of a slug.
    """
    length = model._meta.get_field("slug").max_length or 50  # type: ignore[union-attr]
    base = slugify(text)[: length - 8].strip("-_") or fallback
    rows = model._default_manager.filter(slug__startswith=base)
    taken = set(rows.values_list("slug", flat=True))
    if base not in taken:
        return base
    number = 2
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def publish_relabelled(products: QuerySet[Any]) -> None:
    """Tell that these products show another label now, in events of bounded size."""
    ids = [str(public_id) for public_id in products.values_list("public_id", flat=True).distinct()]
    for start in range(0, len(ids), BATCH):
        publish(ProductsRelabelled(product_ids=ids[start : start + BATCH]))


def save_brand(*, brand: Brand) -> Brand:
    """Save a brand (with a slug of its name, if it has none) and tell who shows it."""
    return _save(brand, "brand")


def save_tag(*, tag: Tag) -> Tag:
    """Save a tag (with a slug of its name, if it has none) and tell who searches by it."""
    return _save(tag, "tag")


@transaction.atomic
def _save(label: L, fallback: str) -> L:
    if not label.slug:
        label.slug = unique_slug(model=type(label), text=label.name, fallback=fallback)
    if isinstance(label, Brand):
        keep_former_slug(row=label)
    adding = label._state.adding
    with unique_or(SlugTaken, "slug"):
        label.save()
    if not adding:
        publish_relabelled(label.products.all())
    return label


@transaction.atomic
def delete_label(*, label: Brand | Tag) -> None:
    """Delete a brand or tag; its products stay, without it."""
    publish_relabelled(label.products.all())
    label.delete()


def tags_named(*, names: Iterable[str]) -> list[Tag]:
    """The tags of these names, made where they are missing; equal slugs are one tag."""
    wanted: dict[str, str] = {}
    for name in names:
        if name := name.strip()[:100]:
            wanted.setdefault(tag_slug(name), name)
    found = {tag.slug: tag for tag in Tag.objects.filter(slug__in=list(wanted))}
    for slug, name in wanted.items():
        if slug not in found:
            found[slug], _created = Tag.objects.get_or_create(slug=slug, defaults={"name": name})
    return [found[slug] for slug in wanted]


def tag_slug(name: str) -> str:
    """The slug that makes two spellings one tag; a digest for names without Latin letters."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return slugify(name)[:100].strip("-_") or f"tag-{digest[:12]}"
