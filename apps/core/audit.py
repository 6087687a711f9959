"""The audit log: money, permissions and every change by staff, append-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from apps.core.context import current_actor
from apps.core.models import AuditEntry

_SECRET_WORDS = ("password", "secret", "token", "key", "hash")
REDACTED = "•••"


def record(action: str, obj: models.Model, changes: dict[str, Any] | None = None) -> AuditEntry:
    """Write one entry about `obj` in the current transaction.

    `changes` maps field names to `[before, after]` or to a value; secrets are redacted by name.
    """
    actor = current_actor()
    return AuditEntry.objects.create(
        actor=actor.label[:254],
        actor_user_id=actor.user_id,
        ip=actor.ip,
        request_id=actor.request_id,
        action=action,
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        object_label=str(obj)[:200],
        changes={name: redact(name, value) for name, value in (changes or {}).items()},
    )


def assign(row: models.Model, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Set the fields of a row; what they were before, if it isn't new."""
    before = {} if row._state.adding else {name: getattr(row, name) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    return before


def note(
    row: models.Model, adding: bool, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Write that a row was added, or what was changed in it."""
    if adding:
        record("add", row)
        return
    changes = {n: [before[n], value] if n in before else value for n, value in after.items()}
    record("change", row, changes)


def redact(name: str, value: Any) -> Any:
    """`value` as JSON, or dots if its name says that it is a secret."""
    if any(word in name.lower() for word in _SECRET_WORDS):
        return REDACTED
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(k): redact(str(k), v) for k, v in value.items()}
    if isinstance(value, models.Model):
        return str(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    try:
        return DjangoJSONEncoder().default(value)
    except TypeError:
        return str(value)
