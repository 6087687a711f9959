"""Which rows staff see: some are limited to some stores, or to some locations.

A room that can be limited to registers where its limits stand (`limit_by`). A model says by
`scope_by` how its rows are reached: {"store": "order__store", "location": "location"}. Wherever
staff choose rows, these are `scoped(rows)`; what a service then does, it does for the whole house.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from apps.core.context import Limits, current_actor

M = TypeVar("M", bound=Model)
# Rows that no store and no location can be told of are their makers' alone: {"user": "created_by"}.
OWN = "user"
# {"user": NOBODY}: no such maker either.
NOBODY = ""
_kinds: dict[str, type[Model]] = {}


def limit_by(kind: str, model: type[Model]) -> None:
    """Register where limits of a kind stand: rows with a `user`, and what it is limited to in
    the foreign key called `kind`."""
    _kinds[kind] = model


def kinds() -> dict[str, type[Model]]:
    """What staff may be limited by, and the table of its limits."""
    return dict(_kinds)


def limits_of(user: Any) -> Limits:
    """What a user is limited to, by kind; empty for whoever sees everything, at no query."""
    if not getattr(user, "is_limited", False):
        return {}
    limits = {}
    for kind, model in _kinds.items():
        rows = model._default_manager.filter(user=user)
        if ids := frozenset(rows.values_list(f"{kind}_id", flat=True)):
            limits[kind] = ids
    return {**limits, OWN: frozenset({user.pk})} if limits else {}


def scoped(rows: QuerySet[M], limits: Limits | None = None) -> QuerySet[M]:
    """Those `rows` that the acting staff may see; or somebody with other `limits`.

    What belongs to no store (or location) in particular is for whoever isn't limited.
    """
    limits = current_actor().limits if limits is None else limits
    paths = scope_of(rows.model)
    condition = Q()
    for kind, ids in limits.items():
        if kind not in paths:
            continue
        if paths[kind] == NOBODY:
            return rows.none()
        condition &= Q(**{f"{paths[kind]}__in": ids})
    return rows.filter(condition) if condition else rows


def sees(obj: Model) -> bool:
    """Whether the acting staff may see an object."""
    if not current_actor().limits:
        return True
    return scoped(type(obj)._default_manager.filter(pk=obj.pk)).exists()


def must_name(model: type[Model]) -> bool:
    """Whether the acting staff have to say which row of `model` they mean: naming none would mean
    all of them."""
    limits = current_actor().limits
    return any(path == "pk" and kind in limits for kind, path in scope_of(model).items())


def narrow(field: Any) -> None:
    """Let a form's choice of rows offer those that the acting staff may see; none of them isn't a
    choice where it would mean all."""
    field.queryset = scoped(field.queryset)
    field.required = field.required or must_name(field.queryset.model)


def scope_of(model: type[Model]) -> Mapping[str, str]:
    """How a model's rows are reached, by kind; empty for what all staff share."""
    return getattr(model, "scope_by", {})
