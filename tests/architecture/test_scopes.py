"""What belongs to a store or a location says so, or staff who are limited would see it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model

from apps.core.admin import ScopedMixin
from apps.core.scopes import NOBODY, kinds, scope_of
from tests.permissions.operations import routes


def target(kind: str) -> type[Model]:
    """The model that a kind of limits names."""
    return kinds()[kind]._meta.get_field(kind).related_model


def path_to(model: type[Model], goal: type[Model]) -> str | None:
    """The shortest way over foreign keys, or None."""
    seen, queue = {model}, deque([(model, ())])
    while queue:
        here, path = queue.popleft()
        if here is goal:
            return "__".join(path) or "pk"
        for field in here._meta.fields:
            if field.is_relation and field.related_model not in seen:
                seen.add(field.related_model)
                queue.append((field.related_model, (*path, field.name)))
    return None


def end_of(model: type[Model], path: str) -> Field | type[Model]:
    for name in path.split("__"):
        if name == "pk":
            return model
        field = model._meta.get_field(name)
        if not field.is_relation:
            return field
        model = field.related_model
    return model


def seen_by_staff() -> Iterator[type[Model]]:
    """Models with an admin page, and those of the staff's part of the API."""
    yield from (model for model in admin.site._registry if model.__module__.startswith("apps."))
    for _route, pattern in routes():
        view = getattr(pattern.callback, "cls", None)
        queryset = getattr(view, "queryset", None)
        # Only staff need permissions.
        if queryset is not None and view.required_permissions:
            yield queryset.model


def test_kinds_are_stores_and_locations():
    assert {kind: target(kind)._meta.label for kind in kinds()} == {
        "store": "stores.Store",
        "location": "inventory.Location",
    }


def test_what_staff_see_of_a_store_or_a_location_says_how_it_is_reached():
    missing = {
        f"{model._meta.label}: {path}"
        for model in seen_by_staff()
        for kind in kinds()
        if (path := path_to(model, target(kind))) and kind not in scope_of(model)
    }
    assert missing == set()


def test_paths_lead_to_what_they_say():
    wrong = []
    for model in set(seen_by_staff()):
        for kind, path in scope_of(model).items():
            if path == NOBODY or kind not in kinds():
                continue
            try:
                end = end_of(model, path)
            except FieldDoesNotExist:
                end = None
            if end is not target(kind):
                wrong.append(f"{model._meta.label}.{path}")
    assert wrong == []


def test_a_model_that_says_nothing_is_found():
    """The other way round: the search itself finds paths."""
    order = next(m for m in seen_by_staff() if m._meta.label == "fulfillment.Fulfillment")
    assert path_to(order, target("store")) == "order__store"
    assert path_to(order, target("location")) == "location"


def test_every_page_of_the_back_office_is_scoped():
    pages = [page for model, page in admin.site._registry.items()]
    ours = [page for page in pages if page.model.__module__.startswith("apps.")]
    assert [str(page) for page in ours if not isinstance(page, ScopedMixin)] == []
    inlines = {inline for page in ours for inline in page.inlines}
    assert [str(inline) for inline in inlines if not issubclass(inline, ScopedMixin)] == []
