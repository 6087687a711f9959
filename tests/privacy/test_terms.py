"""What has had its time goes, whoever's it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.checkout.models import Cart
from apps.core.models import OutboxMessage
from apps.core.personal import terms
from apps.customers.services.retention import apply_terms
from apps.customers.tasks import apply_terms as task
from apps.notifications.models import Notification
from apps.notifications.services import notify
from apps.payments.models import ProviderEvent
from tests.architecture.house import ROOT

pytestmark = pytest.mark.django_db


def _event(name: str, status: str) -> ProviderEvent:
    return ProviderEvent.objects.create(
        gateway="stripe", event_id=name, type="x", status=status, payload={"who": "Ana"}
    )


def test_what_is_over_goes_and_the_rest_stays(store, capsys):
    settled, open_event = _event("a", "done"), _event("b", "review")
    carts = [
        Cart.objects.create(store=store, currency="EUR", status=status)
        for status in ("ordered", "open")
    ]
    for number, status in enumerate(("done", "dead")):
        OutboxMessage.objects.create(
            name=f"n{number}", receiver="r", payload={}, status=status, due_at=timezone.now()
        )
    assert apply_terms() == 0

    later = timezone.now() + timedelta(days=181)
    assert apply_terms(now=later) == 3

    settled.refresh_from_db()
    open_event.refresh_from_db()
    assert (settled.payload, open_event.payload) == ({}, {"who": "Ana"})
    assert list(Cart.objects.all()) == [carts[1]]
    assert [m.status for m in OutboxMessage.objects.all()] == ["dead"]
    assert apply_terms(now=later) == 0


def test_a_dry_run_only_counts(store, capsys):
    old = _event("a", "done")
    long_ago = timezone.now() - timedelta(days=181)
    ProviderEvent.objects.filter(pk=old.pk).update(created_at=long_ago)

    call_command("retention", "--dry-run")

    assert "payments.providerevent: 1 older than 180 days" in capsys.readouterr().out
    old.refresh_from_db()
    assert old.payload == {"who": "Ana"}
    call_command("retention")
    assert "1 rows done" in capsys.readouterr().out
    assert task() == 0


def test_every_term_is_documented():
    text = (ROOT / "docs" / "privacy.md").read_text()
    named = {"checkout.cart": "that became an order"}
    missing = [
        term.label
        for term in terms()
        if named.get(term.label, f"`{term.label}`") not in text or f"{term.days} days" not in text
    ]
    assert missing == []


def test_nobody_is_written_to_without_an_address(db):
    """Orders of people who were erased have none any more."""
    told = notify(kind="orders/placed", recipient="", language="en", context={}, dedupe_key="x")
    assert told is None
    assert Notification.objects.count() == 0
