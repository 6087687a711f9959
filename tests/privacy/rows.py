"""A row of everything that holds something of a person, and a marker in each of its texts."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import uuid4

from django.db import models
from django.utils import timezone

from apps.core.fields import SealedField
from apps.core.models import AuditEntry
from apps.core.personal import Person, personal, texts

_numbers = count(1)


def marker() -> str:
    return f"Mark{next(_numbers):05d}x"


class Rows:
    """Makes what is missing; `known` are the rows that others hang on, `given` values by model."""

    def __init__(self, known: list[models.Model], given: dict[str, dict[str, Any]]) -> None:
        self.known = {type(row): row for row in known}
        self.given = given

    def make(self, model: type[models.Model]) -> models.Model:
        if model in self.known:
            return self.known[model]
        values = dict(self.given.get(model._meta.label_lower, {}))
        for field in model._meta.concrete_fields:
            if field.name not in values and (value := self._value(field)) is not None:
                values[field.name] = value
        row = model._base_manager.create(**values)
        self.known[model] = row
        return row

    def _value(self, field: models.Field) -> Any:
        if field.is_relation:
            target = field.related_model
            hangs = (
                target in {e.model for e in personal()} and target._meta.label != "accounts.User"
            )
            if target is field.model or (field.null and not hangs):
                return None
            return self.make(target)
        if field.primary_key or field.has_default() or field.null or field.auto_created:
            return None
        if field.choices and not field.blank:
            return field.choices[0][0]
        if isinstance(field, models.DateTimeField):
            return timezone.now()
        if isinstance(field, models.DateField):
            return timezone.localdate()
        if isinstance(field, models.UUIDField):
            return uuid4()
        if isinstance(field, (models.BooleanField, models.IntegerField)):
            return 1
        if isinstance(field, (models.CharField, models.TextField)) and not field.blank:
            return f"u{next(_numbers)}"[: field.max_length]
        return None


def mark(person: Person) -> dict[str, set[str]]:
    """Write a marker into every text of every row of `person`; the markers by field.

    What finds the rows stays as it is.
    """
    written: dict[str, set[str]] = {}
    for entry in personal():
        finds = {entry.where.email, *entry.where.mentions}
        rows = list(entry.rows(person))
        assert rows, f"{entry.label}: the test has no row of it"
        if entry.model is AuditEntry:
            # Nobody writes there afterwards (`core.append_only`).
            continue
        for field in texts(entry.model):
            if field.name in finds or field.name in _FIXED or not _takes(entry, field):
                continue
            for row in rows:
                said = marker()
                value: Any = said
                if isinstance(field, models.JSONField):
                    value = {"said": said}
                elif isinstance(field, models.BinaryField):
                    value = said.encode()
                entry.model._base_manager.filter(pk=row.pk).update(**{field.name: value})
                written.setdefault(f"{entry.label}.{field.name}", set()).add(said)
    return written


# By which rows and files are found, and codes.
_FIXED = {
    *("email", "password", "number", "vat_number", "currency", "token", "renditions"),
    *("customer_key", "reporter", "voter"),
}


def _takes(entry: Any, field: models.Field) -> bool:
    fits = field.max_length is None or field.max_length >= 12
    return (
        fits
        and field.name in entry.names
        and not isinstance(field, (models.FileField, SealedField))
    )
