"""The audit log's chain: whatever is done to entries behind its back is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from apps.accounts.services.recovery import verification_url
from apps.core import append_only, audit, audit_chain
from apps.core.audit_chain import broken, seal
from apps.core.context import Actor, acting
from apps.core.models import AuditEntry, AuditSeal
from tests.factories.stores import SellerFactory


@pytest.fixture(scope="module", autouse=True)
def _without_triggers(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Who owns the tables takes the triggers away first: what is done then, the chain tells."""

    def execute(statements: list[str]) -> None:
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    removal = append_only.removal(connection)
    execute(removal)
    yield
    execute([*removal, *append_only.installation(connection)])


@pytest.fixture
def sealed(db) -> list[AuditEntry]:
    """Three seals of two entries each."""
    seller = SellerFactory(name="Ñandú & co.")
    entries = []
    for number in range(3):
        with acting(Actor("merchant@example.com", 7, "192.0.2.1", f"request-{number}")):
            entries += [
                audit.record("change", seller, {"commission": [number, {"of": [1.5, None]}]}),
                audit.record("pay", seller, {"when": timezone.now(), "api_key": "k"}),
            ]
        assert seal() == 2
    return entries


def test_whole_log_has_nothing_to_tell(sealed):
    assert [*broken()] == []
    assert [(s.number, s.entries) for s in AuditSeal.objects.order_by("number")] == [
        (1, 2),
        (2, 2),
        (3, 2),
    ]
    assert seal() == 0


def _rows(*entries: AuditEntry):
    return AuditEntry.objects.filter(pk__in=[entry.pk for entry in entries])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("actor", "stranger@example.com"),
        ("actor_user_id", None),
        ("ip", "192.0.2.2"),
        ("request_id", ""),
        ("action", "view"),
        ("object_type", "orders.order"),
        ("object_id", "0"),
        ("object_label", ""),
        ("changes", {}),
        ("created_at", timezone.now() - timedelta(days=1)),
    ],
)
def test_change_of_any_field_is_told(sealed, field, value):
    entry = sealed[3]
    _rows(entry).update(**{field: value})
    assert [*broken()] == [f"Entry {entry.pk} says something else than when it was written."]


def test_change_that_brings_its_digest_along_is_told(sealed):
    entry = sealed[0]
    entry.actor = "stranger@example.com"
    _rows(entry).update(actor=entry.actor, digest=audit.digest(entry))
    assert [*broken()] == ["Seal 1 doesn't fit what it sealed."]


def test_entry_that_is_gone_is_told(sealed):
    _rows(sealed[2]).delete()
    assert [*broken()] == [
        "Seal 2: 2 entries were sealed, 1 are there.",
        "Seal 2 doesn't fit what it sealed.",
    ]


def test_entry_that_is_slipped_in_is_told(sealed):
    late = audit.record("add", SellerFactory())
    _rows(late).update(seal=sealed[0].seal_id or AuditSeal.objects.get(number=1).pk)
    assert [*broken()] == [
        "Seal 1: 2 entries were sealed, 3 are there.",
        "Seal 1 doesn't fit what it sealed.",
    ]


def test_seal_that_is_gone_is_told(sealed):
    gone = AuditSeal.objects.filter(number=2)
    AuditEntry.objects.filter(seal__in=gone).update(seal=None)
    gone.delete()
    assert [*broken()] == ["Seal 2 is missing.", "Seal 3 doesn't fit what it sealed."]


def test_end_that_is_cut_off_is_missed_by_who_noted_it(sealed):
    head = AuditSeal.objects.get(number=3)
    call_command("verify_audit", head=head.digest, stdout=StringIO())
    _rows(*sealed[4:]).delete()
    AuditSeal.objects.filter(pk=head.pk).delete()
    told = StringIO()
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify_audit", head=head.digest, stderr=told)
    assert told.getvalue() == "The seal that was noted isn't in the chain.\n"


def test_entries_that_nobody_seals_are_told(db):
    with time_machine.travel(timezone.now() - audit_chain.LATE - timedelta(minutes=1), tick=False):
        audit.record("add", SellerFactory())
    assert [*broken()] == ["1 entries wait to be sealed since more than a quarter of an hour."]


def test_command_tells_the_head(sealed):
    told = StringIO()
    call_command("verify_audit", stdout=told)
    head = AuditSeal.objects.get(number=3).digest
    assert told.getvalue() == f"3 seals fit; the head is {head}.\n"


def test_many_entries_are_sealed_in_batches(db, monkeypatch):
    monkeypatch.setattr(audit_chain, "BATCH", 2)
    seller = SellerFactory()
    for _ in range(5):
        audit.record("change", seller)
    assert seal() == 5
    assert [s.entries for s in AuditSeal.objects.order_by("number")] == [2, 2, 1]
    assert [*broken()] == []


@pytest.mark.race
def test_who_seals_at_once_seals_each_entry_once(at_once):
    seller = SellerFactory()
    for _ in range(20):
        audit.record("change", seller)
    sealed = at_once(6, lambda n: seal())
    assert sum(sealed) == 20
    assert [*broken()] == []


def _requests() -> list[tuple[str, str, str]]:
    entries = AuditEntry.objects.filter(object_type="request").order_by("pk")
    return [(entry.actor, entry.action, entry.object_label) for entry in entries]


def test_staff_write_that_no_service_tells_is_written_by_its_address(client, merchant):
    """Which language a page is shown in is kept by nobody."""
    client.force_login(merchant)
    address = reverse("shop:language")
    client.post(address, {"language": "es"})
    client.get(address)
    client.post(address + "none/", {"language": "es"})
    assert _requests() == [("merchant@example.com", "post", address)]


def test_tokens_in_addresses_are_not_kept(client, merchant, store):
    """Whoever reads the log must not open what a mail's link opens."""
    client.force_login(merchant)
    client.post(urlsplit(verification_url(merchant)).path)
    kept = ("merchant@example.com", "post", "verify/<uuid:uid>/<str:token>/")
    assert _requests() == [kept]


def test_what_shoppers_do_is_no_change_by_staff(client, shopper):
    client.force_login(shopper)
    client.post(reverse("shop:language"), {"language": "es"})
    assert _requests() == []


def test_write_that_a_service_tells_is_told_once(as_merchant):
    answer = as_merchant.post("/api/v1/admin/customer-groups/", {"code": "pro", "name": "Ñandú"})
    assert answer.status_code == 201
    assert _requests() == []
    assert AuditEntry.objects.count() == 1
