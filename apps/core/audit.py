"""The audit log: money, permissions and every change by staff, append-only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC
from ipaddress import ip_address, ip_network
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from apps.core.context import Actor, current_actor
from apps.core.models import AuditEntry
from apps.core.personal import personal_names

_SECRET_WORDS = ("password", "secret", "token", "key", "hash")
REDACTED = "•••"
# What the chain vouches for, in this order.
_SEALED = (
    "actor",
    "actor_user_id",
    "ip",
    "request_id",
    "action",
    "object_type",
    "object_id",
    "object_label",
    "changes",
)
_written: ContextVar[list[str] | None] = ContextVar("audit_written", default=None)


def record(action: str, obj: models.Model, changes: dict[str, Any] | None = None) -> AuditEntry:
    """Write one entry about `obj` in the current transaction.

    `changes` maps field names to `[before, after]` or to a value. Secrets are redacted by name,
    and what is personal in the object (`core.personal`): an entry is never changed, not even to
    forget somebody.
    """
    personal = personal_names(obj._meta.model)
    return _write(
        action=action,
        object_type=obj._meta.label_lower,
        object_id=str(obj.pk),
        object_label=label_of(obj),
        changes={
            name: REDACTED if name in personal else redact(name, value)
            for name, value in (changes or {}).items()
        },
    )


def record_request(method: str, path: str) -> AuditEntry:
    """Write that a request changed something, where no service wrote what."""
    return _write(
        action=method.lower(), object_type="request", object_id=path[:80], object_label=path[:200]
    )


@contextmanager
def listening() -> Iterator[list[str]]:
    """The actions that are written while the block runs."""
    actions: list[str] = []
    token = _written.set(actions)
    try:
        yield actions
    finally:
        _written.reset(token)


def digest(entry: AuditEntry) -> str:
    """SHA-256 of what an entry says, in hexadecimal."""
    said = [getattr(entry, name) for name in _SEALED]
    said.append(entry.created_at.astimezone(UTC).isoformat())
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def label_of(obj: models.Model) -> str:
    """What staff call it, unless that says who a person is."""
    label = str(obj)
    said = (getattr(obj, name) for name in personal_names(obj._meta.model))
    if any(isinstance(value, str) and value and value in label for value in said):
        return f"{obj._meta.verbose_name} {obj.pk}"[:200]
    return label[:200]


def _where(actor: Actor) -> str:
    """Where staff were; of others the network: a part of the address, which names nobody."""
    try:
        version = ip_address(actor.ip).version
    except ValueError:
        return ""
    if actor.is_staff:
        return actor.ip
    bits = 24 if version == 4 else 48
    return str(ip_network((actor.ip, bits), strict=False).network_address)


def _write(**said: Any) -> AuditEntry:
    actor = current_actor()
    entry = AuditEntry(
        actor=actor.label[:254],
        actor_user_id=actor.user_id,
        ip=_where(actor),
        request_id=actor.request_id,
        **said,
    )
    entry.digest = digest(entry)
    entry.save(force_insert=True)
    if (actions := _written.get()) is not None:
        actions.append(entry.action)
    return entry


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
