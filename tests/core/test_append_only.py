"""The audit log's triggers: no way to change or delete what was written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from django.utils import timezone

from apps.core import audit
from apps.core.audit_chain import broken, seal
from apps.core.models import AuditEntry, AuditSeal
from tests.factories.stores import SellerFactory

FIELDS = [field for field in AuditEntry._meta.concrete_fields if field.name not in ("id", "seal")]


@pytest.fixture
def entry(db: None) -> AuditEntry:
    return audit.record("change", SellerFactory(name="Ñandú"), {"name": ["Nandu", "Ñandú"]})


@pytest.fixture
def sealed(entry: AuditEntry) -> AuditEntry:
    assert seal() == 1
    entry.refresh_from_db()
    return entry


def _refused(write: Callable[[], object]) -> None:
    with pytest.raises(DatabaseError, match="is append-only"), transaction.atomic():
        write()


def _sql(statement: str) -> Callable[[], object]:
    def execute() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return execute


def test_no_field_of_an_entry_can_be_changed(entry: AuditEntry) -> None:
    for field in FIELDS:
        value = {
            "actor": entry.actor.upper(),
            "actor_user_id": 7,
            "changes": {},
            "created_at": entry.created_at - timedelta(microseconds=1),
        }.get(field.name, "x")
        rows = AuditEntry.objects.filter(pk=entry.pk)
        _refused(lambda rows=rows, name=field.name, value=value: rows.update(**{name: value}))
    _refused(_sql("UPDATE core_auditentry SET id = id + 1"))


def test_nothing_can_be_deleted(sealed: AuditEntry) -> None:
    _refused(lambda: AuditEntry.objects.all().delete())
    _refused(lambda: AuditSeal.objects.all()._raw_delete("default"))
    _refused(_sql("DELETE FROM core_auditentry"))
    if connection.vendor == "postgresql":
        connection.check_constraints()
        _refused(_sql("TRUNCATE core_auditentry, core_auditseal"))
    assert [*broken()] == []


def test_a_seal_is_set_once(sealed: AuditEntry) -> None:
    assert sealed.seal_id is not None
    other = AuditSeal.objects.create(number=2, entries=0, digest="")
    rows = AuditEntry.objects.filter(pk=sealed.pk)
    _refused(lambda: rows.update(seal=other))
    _refused(lambda: rows.update(seal=None))
    _refused(lambda: AuditSeal.objects.update(digest=""))
    _refused(_sql("UPDATE core_auditseal SET number = number + 1"))


def test_search_reads_no_more_than_it_finds(entry: AuditEntry) -> None:
    """Every term is looked up by an index, whatever it is; the log has millions of entries."""
    page = site.get_model_admin(AuditEntry)
    request = RequestFactory().get("/")
    for term in (entry.actor, entry.action, entry.object_id, entry.object_label):
        found, _duplicates = page.get_search_results(request, AuditEntry.objects.all(), term)
        assert entry in found
        if connection.vendor == "sqlite":
            assert "SCAN" not in found.order_by().explain()
    since = AuditEntry.objects.filter(created_at__gte=timezone.now())
    if connection.vendor == "sqlite":
        assert "SCAN" not in since.order_by().explain()
