"""Small grounds: ids, addresses, spreadsheets, the audit log, attempt counters."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
import time_machine

from apps.core import audit, ratelimit
from apps.core.addresses import InvalidAddress, clean_address, is_country
from apps.core.context import Actor, acting
from apps.core.errors import RateLimited
from apps.core.ids import uuid7
from apps.core.models import AuditEntry, RateCounter
from apps.core.ratelimit import Limit
from apps.core.spreadsheet import csv_lines, neutral, restore
from tests.factories.stores import SellerFactory

ADDRESS = {
    "first_name": "Pat",
    "last_name": "Person",
    "line1": "Calle Mayor 1",
    "city": "Madrid",
    "region": "Madrid",
    "postal_code": "28013",
    "country": "es",
    "phone": "911 234 567",
}


def test_ids_are_version_7_and_sort_by_time():
    before = time.time_ns() // 1_000_000
    ids = [uuid7()]
    time.sleep(0.002)
    ids.append(uuid7())
    assert [i.version for i in ids] == [7, 7]
    assert {i.variant for i in ids} == {"specified in RFC 4122"}
    assert ids == sorted(ids)
    assert 0 <= (ids[0].int >> 80) - before < 1000
    assert len({uuid7() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("ES", True),
        ("JP", True),
        ("ZZ", False),
        ("XX", False),
        ("es", False),
        ("ESP", False),
        ("", False),
        ("E1", False),
        ("ÉS", False),
    ],
)
def test_countries_are_iso_codes(code, known):
    assert is_country(code) is known


def test_an_address_takes_the_form_of_its_country():
    clean = clean_address(ADDRESS)
    assert (clean["country"], clean["region"], clean["phone"]) == ("ES", "M", "+34911234567")
    assert clean["city"] == "Madrid"
    assert clean["company"] == ""
    assert clean_address({**ADDRESS, "region": "ES-M"})["region"] == "M"


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"country": ""}, {"country": "required"}),
        ({"country": "ZZ"}, {"country": "invalid"}),
        ({"postal_code": "ABC"}, {"postal_code": "invalid"}),
        ({"postal_code": ""}, {"postal_code": "required"}),
        ({"region": "Atlantis"}, {"region": "invalid"}),
        ({"last_name": " ", "line1": None}, {"last_name": "required", "line1": "required"}),
        ({"phone": "call me"}, {"phone": "invalid"}),
        ({"phone": "1"}, {"phone": "invalid"}),
    ],
)
def test_an_address_that_does_not_fit_tells_each_field(change, problems):
    with pytest.raises(InvalidAddress) as refused:
        clean_address({**ADDRESS, **change})
    assert refused.value.problems == problems


def test_an_address_on_its_way_may_be_incomplete_but_not_wrong():
    assert clean_address({"country": "ES"}, partial=True)["country"] == "ES"
    # Before the country is known, the number can't be read yet.
    assert clean_address({"phone": "911 234 567"}, partial=True)["phone"] == "911 234 567"
    with pytest.raises(InvalidAddress):
        clean_address({"country": "ES", "postal_code": "ABC"}, partial=True)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''=1"]
)
def test_formulas_are_neutralised_and_restored(text):
    assert neutral(text) == f"'{text}"
    assert restore(neutral(text)) == text


@pytest.mark.parametrize("value", ["plain", "a=b", "'quoted'", "", 5, -5, None])
def test_what_is_no_formula_stays(value):
    assert neutral(value) == value
    if isinstance(value, str):
        assert restore(value) == value


def test_csv_is_neutralised_line_by_line():
    lines = list(csv_lines(["name"], [["=cmd|' /C calc'!A0"], ["Ann, Bob"]]))
    assert lines == ["name\r\n", "'=cmd|' /C calc'!A0\r\n", '"Ann, Bob"\r\n']


def test_the_audit_log_names_the_actor_and_redacts_secrets(db):
    seller = SellerFactory(name="Acme")
    actor = Actor("merchant@example.com", 7, "203.0.113.9", request_id="r1", is_staff=True)
    with acting(actor):
        audit.record(
            "change",
            seller,
            {
                "name": ["Acme", "Acme 2"],
                "api_key": ["old", "new"],
                "settings": {"webhook_secret": "x", "when": datetime(2030, 1, 1, tzinfo=UTC)},
                "store": seller,
            },
        )
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.actor_user_id, entry.ip, entry.request_id) == (
        "merchant@example.com",
        7,
        "203.0.113.9",
        "r1",
    )
    assert (entry.action, entry.object_type, entry.object_id, entry.object_label) == (
        "change",
        "stores.seller",
        str(seller.pk),
        "Acme",
    )
    assert entry.changes == {
        "name": ["Acme", "Acme 2"],
        "api_key": audit.REDACTED,
        "settings": {"webhook_secret": audit.REDACTED, "when": "2030-01-01T00:00:00Z"},
        "store": "Acme",
    }


@pytest.mark.parametrize("name", ["password", "Secret", "refresh_token", "key_hash", "API_KEY"])
def test_secrets_are_known_by_their_names(name):
    assert audit.redact(name, "value") == audit.REDACTED


def test_the_audit_log_is_append_only(db):
    entry = audit.record("view", SellerFactory())
    entry.actor = "nobody"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


def test_attempts_are_counted_by_who_and_what(db):
    login = Limit("login", by="account", most=3, seconds=60)
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False) as clock:
        for _attempt in range(3):
            login.hit("a@example.com")
        with pytest.raises(RateLimited) as refused:
            login.hit("a@example.com")
        assert refused.value.extra == {"retry_after": 60, "policy": login}
        login.hit("b@example.com")
        Limit("reset", by="account", most=3, seconds=60).hit("a@example.com")
        clock.shift(61)
        login.hit("a@example.com")
        assert ratelimit.prune() == 3
    keys = set(RateCounter.objects.values_list("key", flat=True))
    assert not any("example.com" in key for key in keys)
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("country", "given", "kept"),
    [("MX", "CMX", "CMX"), ("MX", "MX-JAL", "JAL"), ("JP", "13", "13"), ("ES", "ES-GC", "GC")],
)
def test_regions_are_iso_codes(country: str, given: str, kept: str) -> None:
    address = {"last_name": "X", "line1": "Y 1", "city": "Z", "country": country, "region": given}

    assert clean_address(address, partial=True)["region"] == kept
