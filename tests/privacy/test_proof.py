"""Somebody is marked in every text of every table, has a copy, is erased, and is searched for."""

from __future__ import annotations

import io
import json
import logging
from datetime import date
from typing import Any
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone
from django.utils.crypto import salted_hmac

from apps.core import audit, outbox
from apps.core.context import Actor, acting
from apps.core.emails import email_key
from apps.core.personal import Person, personal
from apps.core.secrets import seal
from apps.customers.models import ErasureRequest, KeptRecord
from apps.customers.services import erasing, exporting
from apps.customers.services.people import person_of
from tests.factories.products import VariantFactory
from tests.privacy.rows import Rows, mark

EMAIL = "marked.person@example.com"
PASSWORD = "a very long word"


@pytest.fixture
def person(shopper: Any, store: Any) -> Person:
    """The shopper, with a row of everything."""
    shopper.email = shopper.customer.email = EMAIL
    shopper.email_verified_at = timezone.now()
    shopper.set_password(PASSWORD)
    shopper.save()
    shopper.customer.save()
    rows = Rows(
        [shopper, shopper.customer, store],
        {
            "core.outboxmessage": {"payload": {"email": EMAIL}, "status": "done"},
            "accounts.secondfactor": {"seed": seal({"seed": "x"})},
            "notifications.notification": {"recipient": EMAIL, "status": "sent"},
            "customers.address": {"vat_number": "ESB12345674", "country": "ES"},
            "taxes.vatcheck": {"country": "ES", "number": "B12345674"},
            "promotions.redemption": {"customer_key": email_key(EMAIL), "slot": 1},
            "orders.order": {"status": "completed", "email": EMAIL, "total": 1},
            "returns.returnrequest": {"status": "closed"},
            "reviews.reviewreport": {"reporter": _hash("reviews.reporter", shopper.customer.pk)},
            "reviews.reviewvote": {"voter": _hash("reviews.voter", shopper.customer.pk)},
            "wishlists.alert": {"email": EMAIL},
            "fraud.fraudrule": {"kind": "blocked", "values": [EMAIL, "other@example.com"]},
            "accounts.challenge": {"user": shopper},
            "fraud.assessment": {"email": EMAIL},
            "checkout.cart": {"email": EMAIL},
            "returns.withdrawal": {"email": EMAIL},
            "customers.personalexport": {"email": EMAIL},
            "payments.payoutline": {"gross": 1, "fee": 0, "net": 1},
            "payments.storedvalue": {"kind": "store_credit", "account_key": "1:EUR"},
            "payments.providerevent": {"payload": {"email": EMAIL}},
            "wishlists.wishlistitem": {"variant": VariantFactory()},
            "invoices.invoice": {"net": 1, "tax": 0, "total": 1, "corrects": None},
        },
    )
    with acting(Actor(shopper.label, shopper.pk, "203.0.113.77")):
        audit.record("change", shopper.customer, {"first_name": ["Mark-before", "Mark-after"]})
    for entry in reversed(personal()):
        if not entry.rows(person_of(shopper.customer)).exists():
            rows.make(entry.model)
    return person_of(shopper.customer)


def test_a_marked_person_is_exported_whole_and_then_gone(
    person, shopper, client_for, caplog, django_capture_on_commit_callbacks
):
    caplog.set_level(logging.DEBUG)
    files = _files()
    said = mark(person)
    cache.set("nothing-of-them", "is kept here")

    archive = io.BytesIO()
    exporting.write_export(archive, person)
    with ZipFile(archive) as opened:
        names = set(opened.namelist())
        document = opened.read("data.json").decode()
    hidden = {f"{e.label}.{name}" for e in personal() for name in e.hidden}
    blobs = {"fulfillment.shippinglabel.document", "returns.returnlabel.document"}
    missing = {
        field
        for field, markers in said.items()
        if field not in hidden | blobs and not all(m in document for m in markers)
    }
    assert missing == set()
    assert len([n for n in names if n.startswith("files/")]) == len(files)
    assert EMAIL in document

    shopper.refresh_from_db()
    api = client_for(shopper)
    with django_capture_on_commit_callbacks(execute=True):
        answer = api.delete("/api/v1/me/", {"password": PASSWORD})
        assert answer.status_code == 204, answer.content
        outbox.drain()
        assert erasing.run_erasures() == 1
        outbox.drain()

    kept = set(KeptRecord.objects.values_list("model", "row"))
    listed: set[str] = set()
    for entry in personal():
        for model, pk in kept:
            if model == entry.label:
                row = entry.model._base_manager.get(pk=pk)
                listed |= {_text(getattr(row, name)) for name in entry.keeps}
    everywhere = {m for markers in said.values() for m in markers}
    expected = {m for m in everywhere if any(m in text for text in listed)}
    found = _everything_stored()
    assert {m for m in everywhere if m in found} == expected
    # A list of who is refused keeps them, and is listed as such; nothing else has the address.
    assert found.count(EMAIL) == 1
    assert "Mark-before" not in found
    assert "203.0.113.77" not in found
    assert "Sam" not in found
    assert {r.reason for r in KeptRecord.objects.all()} == {"tax", "published", "audit", "fraud"}
    assert [name for storage, name in files if storage.exists(name)] == [
        name for _storage, name in files if name.startswith("invoices/")
    ]
    logs = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert [m for m in [*everywhere, EMAIL] if m in logs] == []
    assert [m for m in [*everywhere, EMAIL] if m in repr(getattr(cache, "_cache", {}))] == []

    # Again changes nothing; and after the longest term nothing of the books is left either.
    request = ErasureRequest.objects.get()
    assert (request.status, request.emails, request.user_pk) == ("done", [], None)
    with django_capture_on_commit_callbacks(execute=True):
        assert erasing.run_erasures() == 0
        erasing.empty_expired(today=date(2100, 1, 1))
    found = _everything_stored()
    left = {field for field, markers in said.items() if any(m in found for m in markers)}
    assert left == {"reviews.review.title", "reviews.review.text"}
    assert [name for storage, name in files if storage.exists(name)] == []


def _hash(salt: str, pk: int) -> str:
    return salted_hmac(salt, f"customer:{pk}", algorithm="sha256").hexdigest()


def _files() -> list[tuple[Any, str]]:
    """A file for each row that has one."""
    written = []
    for label in ("reviews.ReviewPhoto", "returns.ReturnPhoto"):
        model = apps.get_model(label)
        name = storages[model.storage].save(f"{model.folder}/x.webp", ContentFile(b"picture"))
        model.objects.update(renditions=[{"width": 1, "height": 1, "path": name}])
        written.append((storages[model.storage], name))
    invoice = apps.get_model("invoices.Invoice").objects.get()
    storages["private"].save(invoice.file_name, ContentFile(b"paper"))
    return [*written, (storages["private"], invoice.file_name)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _everything_stored() -> str:
    """Every value of every table, Django's and others' too."""
    values = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            for row in cursor.fetchall():
                values += [
                    bytes(v).decode(errors="replace")
                    if isinstance(v, (bytes, memoryview))
                    else str(v)
                    for v in row
                ]
    sessions = apps.get_model("sessions.Session").objects.all()
    values += [str(SessionStore(s.session_key).load()) for s in sessions]
    return "\n".join(values)
