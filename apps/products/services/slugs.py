"""What becomes of a slug that is given up: it keeps leading to the row that had it."""

from __future__ import annotations

from collections.abc import Iterable

from apps.products.models import Brand, Category, Collection, FormerSlug, Product

Slugged = Product | Category | Brand | Collection


def keep_former_slug(*, row: Slugged) -> None:
    """To be called in the transaction that saves `row`, before it does.

    The slug that the stored row has still is kept if it changes; the one it gets leads nowhere
    else any more.
    """
    model = type(row)
    kept = None if row._state.adding else model._default_manager.filter(pk=row.pk).first()
    before = kept.slug if kept else None
    if before == row.slug:
        return
    release_slugs(model=model, slugs=[row.slug])
    if before:
        kind = _kind(model)
        FormerSlug.objects.update_or_create(kind=kind, slug=before, defaults={f"{kind}_id": row.pk})


def release_slugs(*, model: type[Slugged], slugs: Iterable[str]) -> None:
    """Rows of `model` take these slugs: nobody is sent from them to an earlier owner."""
    FormerSlug.objects.filter(kind=_kind(model), slug__in=list(slugs)).delete()


def _kind(model: type[Slugged]) -> str:
    return FormerSlug.Kind(model.__name__.lower()).value
