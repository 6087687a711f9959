"""The back office's pages of taxes."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.taxes.models import TaxExemption, TaxRate, TaxSettings, VATCheck
from tests.factories.customers import CustomerFactory
from tests.factories.products import ProductFactory
from tests.factories.taxes import (
    TaxClassFactory,
    TaxExemptionFactory,
    TaxRateFactory,
    TaxSettingsFactory,
    VATCheckFactory,
)


@pytest.fixture
def as_owner(client, merchant):
    client.force_login(merchant)
    return client


def test_rates_are_checked_on_the_form(as_owner):
    form = {
        "tax_class": TaxClassFactory().pk,
        "country": "es",
        "region": "gc",
        "postcode_from": "35 0",
        "postcode_to": "",
        "level": "country",
        "applies": "all",
        "source": "",
        "name": "IGIC 7 %",
        "percent": "7",
        "valid_from": "",
        "valid_to": "",
    }
    url = reverse("admin:taxes_taxrate_add")
    assert as_owner.get(url).status_code == 200
    for wrong in (
        {"country": "XX"},
        {"region": "ES-GC"},
        {"percent": "101"},
        {"level": "galaxy"},
        {"applies": "never"},
        {"postcode_from": "", "postcode_to": "351"},
        {"postcode_to": "349"},
        {"valid_from": "2030-01-02", "valid_to": "2030-01-01"},
    ):
        page = as_owner.post(url, {**form, **wrong})
        assert page.status_code == 200
        assert page.context["errors"]
    assert as_owner.post(url, form).status_code == 302
    rate = TaxRate.objects.get()
    assert (rate.country, rate.region, rate.percent) == ("ES", "GC", 7)
    assert rate.postcode_from == "350"


def test_settings_take_lists_of_places(as_owner, store):
    form = {
        "store": store.pk,
        "region": "",
        "vat_number": "ESB12345674",
        "oss_from": "2026-01-01",
        "registrations": "gb, CH",
        "nexus": "",
    }
    url = reverse("admin:taxes_taxsettings_add")
    assert as_owner.get(url).status_code == 200
    for wrong in (
        {"registrations": "GB, XX"},
        {"nexus": "California"},
        {"vat_number": "12"},
        {"region": "ES-M"},
    ):
        page = as_owner.post(url, {**form, **wrong})
        assert (page.status_code, bool(page.context["errors"])) == (200, True)
    assert as_owner.post(url, form).status_code == 302
    known = TaxSettings.objects.get()
    assert (known.registrations, known.nexus, known.keeps_gross) == (["GB", "CH"], [], False)
    page = as_owner.get(reverse("admin:taxes_taxsettings_change", args=[known.pk]))
    assert b'value="GB, CH"' in page.content


def test_settings_are_tried_on_an_address_before_they_are_saved(as_owner, store):
    TaxRateFactory()
    TaxRateFactory(country="DE", name="MwSt 19 %", percent=19)
    form = {
        "store": store.pk,
        "region": "",
        "vat_number": "",
        "registrations": "",
        "nexus": "",
        "_preview": "place",
        "place-country": "de",
    }
    url = reverse("admin:taxes_taxsettings_add")
    found = []
    for oss_from in ("", "2020-01-01"):
        page = as_owner.post(url, {**form, "oss_from": oss_from})
        result = page.context["previews"][0]["result"]
        found.append((result["answer"].scheme, [rate.name for _code, rate in result["rates"]]))
    assert found == [("origin", ["IVA 21 %"]), ("oss", ["MwSt 19 %"])]
    assert b"MwSt 19 %" in page.content
    assert not TaxSettings.objects.exists()


def test_a_vat_number_is_checked_again(as_owner, settings):
    settings.VIES_URL = ""
    check = VATCheckFactory(verdict="unknown")
    url = reverse("admin:taxes_vatcheck_do", args=[check.pk, "again"])
    as_owner.post(url, {"once": "1"})
    assert list(VATCheck.objects.order_by("pk").values_list("verdict", "fault")) == [
        ("unknown", ""),
        ("unknown", "NOT_ASKED"),
    ]


def test_exemptions_are_checked_on_the_form(as_owner):
    form = {
        "customer": CustomerFactory().pk,
        "country": "us",
        "region": "ca",
        "certificate": "R-1",
        "reason": "Resale",
        "valid_from": "2030-01-01",
        "valid_to": "2030-12-31",
        "is_active": "on",
    }
    url = reverse("admin:taxes_taxexemption_add")
    assert as_owner.get(url).status_code == 200
    for wrong in ({"country": "XX"}, {"region": "US-CA"}, {"valid_to": "2029-12-31"}):
        page = as_owner.post(url, {**form, **wrong})
        assert (page.status_code, bool(page.context["errors"])) == (200, True)
    assert as_owner.post(url, form).status_code == 302
    made = TaxExemption.objects.get()
    assert (made.country, made.region, made.certificate) == ("US", "CA", "R-1")


def test_checks_of_vat_numbers_are_read_only(as_owner):
    check = VATCheckFactory()
    page = as_owner.get(reverse("admin:taxes_vatcheck_change", args=[check.pk]))
    assert (page.status_code, page.context["has_change_permission"]) == (200, False)
    assert as_owner.get(reverse("admin:taxes_vatcheck_add")).status_code == 403


def test_a_class_in_use_is_not_deleted(as_owner):
    rated = TaxRateFactory().tax_class
    sold = TaxClassFactory(code="books")
    ProductFactory(tax_class="books")
    url = "admin:taxes_taxclass_delete"
    for used in (rated, sold):
        assert as_owner.post(reverse(url, args=[used.pk]), {"post": "yes"}).status_code == 403
    unused = TaxClassFactory(code="food")
    assert as_owner.post(reverse(url, args=[unused.pk]), {"post": "yes"}).status_code == 302


@pytest.mark.parametrize("name", ["taxclass", "taxrate", "taxsettings", "taxexemption", "vatcheck"])
def test_lists_open_and_cost_the_same(as_owner, name, django_assert_max_num_queries):
    for country in ("ES", "PT", "FR", "IT"):
        TaxRateFactory(country=country)
        TaxSettingsFactory()
        TaxExemptionFactory()
        VATCheckFactory()
    with django_assert_max_num_queries(10):
        page = as_owner.get(reverse(f"admin:taxes_{name}_changelist"))
    assert page.status_code == 200
