"""Triggers that keep the audit log append-only, whoever writes to the database.

An entry is never deleted and never changed, but for its seal, which is set once
(`apps.core.audit_chain`); a seal is neither. They are installed after each `migrate`. Who owns the
tables can take triggers away again, and MariaDB's TRUNCATE fires none: the chain tells of both.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from apps.core.models import AuditEntry, AuditSeal

# Model → the field that is set once.
_GUARDED: dict[type[Model], str] = {AuditEntry: "seal", AuditSeal: ""}
# Another value, with NULL as one, and in the very same letters.
_DIFFERS = {
    "postgresql": "NEW.{0} IS DISTINCT FROM OLD.{0}",
    "mysql": "NOT (BINARY NEW.{0} <=> BINARY OLD.{0})",
    "sqlite": "NEW.{0} IS NOT OLD.{0}",
}
_TRIGGER = {
    "postgresql": (
        "CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW WHEN ({when})"
        " EXECUTE FUNCTION commerce_append_only()"
    ),
    "mysql": (
        "CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW IF {when} THEN"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{table} is append-only'; END IF"
    ),
    "sqlite": (
        "CREATE TRIGGER {name} BEFORE {verb} ON {table} WHEN {when}"
        " BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    ),
}
_FUNCTION = """CREATE OR REPLACE FUNCTION commerce_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"""


def install_after_migrate(*, using: str, **kwargs: Any) -> None:
    """Receiver of `post_migrate`; a migration may have taken the tables away, a flush has not."""
    if "plan" not in kwargs:
        return
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        if not {model._meta.db_table for model in _GUARDED} <= {*tables}:
            return
        for statement in (*removal(connection), *installation(connection)):
            cursor.execute(statement)


def installation(connection: BaseDatabaseWrapper) -> list[str]:
    """The statements that make the triggers."""
    vendor = connection.vendor
    statements = [_FUNCTION] if vendor == "postgresql" else []
    for model, settable in _GUARDED.items():
        table = model._meta.db_table
        conditions = {"UPDATE": _changed(vendor, model, settable), "DELETE": "1 = 1"}
        for verb, when in conditions.items():
            name = _name(table, verb)
            statements.append(_TRIGGER[vendor].format(name=name, verb=verb, table=table, when=when))
        if vendor == "postgresql":
            statements.append(
                f"CREATE TRIGGER {_name(table, 'TRUNCATE')} BEFORE TRUNCATE ON {table}"
                " EXECUTE FUNCTION commerce_append_only()"
            )
    return statements


def removal(connection: BaseDatabaseWrapper) -> list[str]:
    """The statements that take the triggers away."""
    on = " ON {}" if connection.vendor == "postgresql" else ""
    verbs = ["UPDATE", "DELETE", *(["TRUNCATE"] if on else [])]
    return [
        f"DROP TRIGGER IF EXISTS {_name(model._meta.db_table, verb)}"
        + on.format(model._meta.db_table)
        for model in _GUARDED
        for verb in verbs
    ]


def _name(table: str, verb: str) -> str:
    return f"{table}_no_{verb.lower()}"


def _changed(vendor: str, model: type[Model], settable: str) -> str:
    """An update that does more than set `settable`, which was NULL."""
    conditions = [
        _DIFFERS[vendor].format(field.column)
        for field in model._meta.local_concrete_fields
        if field.name != settable
    ]
    if settable:
        [column] = [f.column for f in model._meta.local_concrete_fields if f.name == settable]
        conditions.append(f"OLD.{column} IS NOT NULL")
    return " OR ".join(conditions)
