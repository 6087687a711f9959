"""Fields of the catalogue's API: other rows by slug, and free JSON that every engine can store."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MAX_DEPTH, MAX_NODES = 10, 2000
# A PositiveIntegerField of the smallest engine.
MAX_INTEGER = 2_147_483_647
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
SLUG = RegexValidator(r"^[-a-zA-Z0-9_]+\Z", _("Letters, digits, hyphens and underscores."))


class SlugField(serializers.CharField):
    """A slug of our own rows: what an address can hold."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 200)
        super().__init__(**kwargs)
        self.validators.append(SLUG)


class BySlug(serializers.CharField):
    """One row of `model`, named by its slug (or code)."""

    default_error_messages = {"does_not_exist": _("There is no {value}.")}

    def __init__(self, model: type[models.Model], *, key: str = "slug", **kwargs: Any) -> None:
        self.model, self.key = model, key
        super().__init__(max_length=200, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if value is None or not isinstance(value, str):
            return value
        row = self.model._default_manager.filter(**{self.key: value}).first()
        if row is None:
            self.fail("does_not_exist", value=value)
        return row

    def to_representation(self, value: Any) -> str:
        return str(getattr(value, self.key))


class ManyBySlug(serializers.ListField):
    """Rows of `model` in the order of their slugs (or codes), read in one statement."""

    child = serializers.CharField(max_length=200)
    default_error_messages = {"does_not_exist": _("There is no {value}.")}

    def __init__(self, model: type[models.Model], *, key: str = "slug", **kwargs: Any) -> None:
        self.model, self.key = model, key
        kwargs.setdefault("max_length", 1000)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> list[models.Model]:
        slugs = super().to_internal_value(data)
        rows = self.model._default_manager.filter(**{f"{self.key}__in": slugs})
        found = {getattr(row, self.key): row for row in rows}
        for slug in slugs:
            if slug not in found:
                self.fail("does_not_exist", value=slug)
        return [found[slug] for slug in dict.fromkeys(slugs)]

    def to_representation(self, data: Any) -> list[str]:
        rows: Sequence[Any] = data.all() if isinstance(data, models.Manager) else data
        return [str(getattr(row, self.key)) for row in rows]


@extend_schema_field({"type": "object", "additionalProperties": True})
class JSONObjectField(serializers.JSONField):
    """An object of the caller's own making, small and storable on every engine."""

    default_error_messages = {
        "object": _("An object is expected."),
        "unstorable": _("It is too large, too deep, or has a character that can't be stored."),
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        value = super().to_internal_value(data)
        if not isinstance(value, dict):
            self.fail("object")
        if not storable(value):
            self.fail("unstorable")
        return value


def storable(value: Any) -> bool:
    """Whether JSON is shallow and small, with finite numbers and no NUL or lone surrogate."""
    level, nodes = [value], 0
    for _depth in range(MAX_DEPTH):
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below += [*node.keys(), *node.values()]
            elif isinstance(node, list):
                below += node
            elif not _plain(node):
                return False
        nodes += len(below)
        if not below:
            return True
        if nodes > MAX_NODES:
            return False
        level = below
    return False


def _plain(node: Any) -> bool:
    if isinstance(node, str):
        return len(node) <= 10_000 and not _UNSTORABLE.search(node)
    if isinstance(node, float):
        return math.isfinite(node)
    return not isinstance(node, int) or abs(node) < 2**63
