"""Tax classes and rates, for staff."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.core.models import AuditEntry
from apps.taxes.models import TaxExemption, TaxRate, TaxSettings
from apps.taxes.services import save_settings
from tests.factories.customers import CustomerFactory
from tests.factories.products import ProductFactory
from tests.factories.taxes import (
    TaxClassFactory,
    TaxExemptionFactory,
    TaxRateFactory,
    VATCheckFactory,
)

URL = "/api/v1/admin/"


def test_classes_are_made_renamed_and_deleted(as_merchant):
    body = {"code": "books", "name": "Books"}
    answer = as_merchant.post(f"{URL}tax-classes/", body)
    assert (answer.status_code, answer.json()) == (201, body)
    again = as_merchant.post(f"{URL}tax-classes/", body)
    assert (again.status_code, again.json()["code"]) == (409, "tax_class_taken")
    one = f"{URL}tax-classes/books/"
    assert as_merchant.patch(one, {"name": "Libros"}).json() == {"code": "books", "name": "Libros"}
    assert as_merchant.patch(one, {"code": "x"}).status_code == 400
    assert as_merchant.delete(one).status_code == 204
    assert as_merchant.get(one).status_code == 404
    trail = AuditEntry.objects.filter(object_type="taxes.taxclass").order_by("pk")
    assert list(trail.values_list("action", "actor")) == [
        (action, "merchant@example.com") for action in ("add", "change", "delete")
    ]


def test_a_class_in_use_is_not_deleted(as_merchant, store):
    TaxClassFactory(code="books")
    ProductFactory(tax_class="books")
    TaxRateFactory(tax_class=TaxClassFactory(code="food"))
    TaxClassFactory(code=store.shipping_tax_class)
    for code in ("books", "food", store.shipping_tax_class):
        answer = as_merchant.delete(f"{URL}tax-classes/{code}/")
        assert (answer.status_code, answer.json()["code"]) == (409, "tax_class_in_use")


def test_rates_are_made_changed_and_deleted(as_merchant):
    TaxClassFactory()
    body = {
        "tax_class": "standard",
        "country": "ES",
        "region": "GC",
        "postcode_from": "350",
        "postcode_to": "355",
        "level": "state",
        "applies": "same_region",
        "name": "IGIC 7 %",
        "percent": "7.0000",
        "valid_from": "2020-01-01",
        "valid_to": None,
        "source": "Agencia Tributaria Canaria, 2026",
    }
    answer = as_merchant.post(f"{URL}tax-rates/", body)
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in body} == body
    one = f"{URL}tax-rates/{made['id']}/"
    changed = as_merchant.patch(one, {"percent": "9.5"}, headers={"If-Match": answer["ETag"]})
    assert changed.json()["percent"] == "9.5000"
    stale = as_merchant.patch(one, {"percent": "8"}, headers={"If-Match": answer["ETag"]})
    assert stale.status_code == 412
    assert as_merchant.delete(one).status_code == 204
    assert not TaxRate.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"country": "XX"},
        {"country": "es"},
        {"region": "ES-GC"},
        {"region": "toolong"},
        {"percent": "-1"},
        {"percent": "101"},
        {"percent": "1.00001"},
        {"percent": "NaN"},
        {"valid_from": "2021-01-01", "valid_to": "2020-01-01"},
        {"tax_class": "none"},
        {"rate": 5},
        {"level": "galaxy"},
        {"applies": "never"},
        {"postcode_to": "351"},
        {"postcode_from": "352", "postcode_to": "351"},
        {"postcode_from": "35", "postcode_to": "351"},
    ],
)
def test_rates_refuse_what_makes_no_sense(as_merchant, change):
    TaxClassFactory()
    body = {"tax_class": "standard", "country": "ES", "name": "IVA", "percent": "21", **change}
    assert as_merchant.post(f"{URL}tax-rates/", body).status_code == 400
    assert not TaxRate.objects.exists()


def test_rates_are_filtered_and_cost_the_same(as_merchant, django_assert_num_queries):
    for country in ("ES", "PT", "FR", "IT"):
        TaxRateFactory(country=country)
    TaxRateFactory(tax_class=TaxClassFactory(code="books"), percent=4)
    with django_assert_num_queries(4):
        results = as_merchant.get(f"{URL}tax-rates/").json()["results"]
    assert len(results) == 5
    query = "country=ES&tax_class=books"
    results = as_merchant.get(f"{URL}tax-rates/?{query}").json()["results"]
    assert [r["percent"] for r in results] == ["4.0000"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "tax-classes/"),
        ("get", "tax-rates/"),
        ("get", "tax-exemptions/"),
        ("get", "vat-checks/"),
        ("post", "tax-classes/"),
        ("post", "tax-rates/"),
        ("delete", "tax-classes/standard/"),
    ],
)
def test_taxes_are_for_staff(
    api, as_shopper, as_readonly, client_for, staff_without_permissions, method, path
):
    TaxClassFactory()
    assert getattr(api, method)(URL + path).status_code == 401
    for client in (as_shopper, client_for(staff_without_permissions)):
        assert getattr(client, method)(URL + path).status_code == 403
    expected = 200 if method == "get" else 403
    assert getattr(as_readonly, method)(URL + path).status_code == expected


def test_settings_of_a_store_are_read_and_changed(as_merchant, store):
    url = f"{URL}tax-settings/{store.code}/"
    unset = {
        "store": store.code,
        "region": "",
        "vat_number": "",
        "oss_from": None,
        "registrations": [],
        "nexus": [],
        "keeps_gross": True,
        "engine": "",
    }
    assert as_merchant.get(url).json() == unset
    assert not TaxSettings.objects.exists()
    changes = {"oss_from": "2026-01-01", "registrations": ["GB"], "vat_number": "ESB12345674"}
    assert as_merchant.patch(url, changes).json() == {**unset, **changes}
    assert as_merchant.patch(url, {"nexus": ["CA"]}).json() == {**unset, **changes, "nexus": ["CA"]}
    assert as_merchant.get(f"{URL}tax-settings/nowhere/").status_code == 404
    trail = AuditEntry.objects.filter(object_type="taxes.taxsettings").order_by("pk")
    assert list(trail.values_list("action", flat=True)) == ["add", "change"]


@pytest.mark.race
def test_first_settings_at_once_are_all_kept(at_once, store):
    changes = [{"region": "CA"}, {"nexus": ["CA"]}, {"keeps_gross": False}]
    at_once(3, lambda n: save_settings(store=store, changes=changes[n]))
    known = TaxSettings.objects.get()
    assert (known.region, known.nexus, known.keeps_gross) == ("CA", ["CA"], False)
    trail = AuditEntry.objects.filter(object_type="taxes.taxsettings")
    assert sorted(trail.values_list("action", flat=True)) == ["add", "change", "change"]


@pytest.mark.parametrize(
    "change",
    [
        {"region": "IN-MH"},
        {"vat_number": "12345674"},
        {"registrations": ["XX"]},
        {"registrations": "GB"},
        {"nexus": ["ca"]},
        {"nexus": [["CA"]]},
        {"engine": "nobody"},
        {"store": "other"},
    ],
)
def test_settings_refuse_what_makes_no_sense(as_merchant, store, change):
    assert as_merchant.patch(f"{URL}tax-settings/{store.code}/", change).status_code == 400
    assert not TaxSettings.objects.exists()


def test_exemptions_are_made_changed_and_deleted(as_merchant):
    body = {
        "customer": str(CustomerFactory().public_id),
        "country": "US",
        "region": "CA",
        "certificate": "R-1",
        "reason": "Resale",
        "valid_from": "2030-01-01",
        "valid_to": None,
        "is_active": True,
    }
    answer = as_merchant.post(f"{URL}tax-exemptions/", body)
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in body} == body
    one = f"{URL}tax-exemptions/{made['id']}/"
    changed = as_merchant.patch(one, {"is_active": False}, headers={"If-Match": answer["ETag"]})
    assert changed.json()["is_active"] is False
    stale = as_merchant.patch(one, {"is_active": True}, headers={"If-Match": answer["ETag"]})
    assert stale.status_code == 412
    assert as_merchant.patch(one, {"valid_to": "2029-01-01"}).json()["code"] == (
        "invalid_tax_exemption"
    )
    for wrong in ({"country": "XX"}, {"customer": str(uuid4())}, {"customer": "me"}):
        assert as_merchant.post(f"{URL}tax-exemptions/", {**body, **wrong}).status_code == 400
    assert as_merchant.delete(one).status_code == 204
    assert not TaxExemption.objects.exists()


def test_lists_are_filtered_and_cost_the_same(as_merchant, django_assert_num_queries):
    exemption = TaxExemptionFactory()
    VATCheckFactory(country="FR", verdict="invalid")
    for _n in range(3):
        TaxExemptionFactory(country="PT")
        VATCheckFactory()
    for path, query, number in (
        ("tax-exemptions/", f"customer={exemption.customer.public_id}", 1),
        ("tax-exemptions/", "country=PT", 3),
        ("vat-checks/", "verdict=invalid", 1),
        ("vat-checks/", "country=DE&number=136695976", 3),
    ):
        with django_assert_num_queries(4):
            assert len(as_merchant.get(f"{URL}{path}").json()["results"]) == 4
        assert len(as_merchant.get(f"{URL}{path}?{query}").json()["results"]) == number


def test_checks_of_vat_numbers_are_read_only(as_merchant):
    check = VATCheckFactory(name="ACME GmbH", consultation="WAPI1", answer="<xml/>")
    one = f"{URL}vat-checks/{check.public_id}/"
    found = as_merchant.get(one).json()
    assert (found["verdict"], found["name"], found["consultation"]) == (
        "valid",
        "ACME GmbH",
        "WAPI1",
    )
    assert "answer" not in found
    assert as_merchant.delete(one).status_code == 405
    assert as_merchant.post(f"{URL}vat-checks/", {}).status_code == 405
