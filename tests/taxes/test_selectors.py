"""Which rates of the table apply at a place on a day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from apps.taxes.engines.rates import due
from apps.taxes.engines.territories import territory
from apps.taxes.selectors import rates_in, split_vat_number
from tests.factories.taxes import TaxClassFactory, TaxRateFactory

TODAY = date(2030, 1, 1)
DAY = timedelta(days=1)


def _at(country, region="", on=TODAY):
    place = territory({"country": country, "region": region})
    found = due(rates_in([country]), place=place, on=on)
    return {code: [(rate.name, rate.percent) for rate in rates] for code, rates in found.items()}


def test_a_country_taxes_each_class_by_its_rates(db):
    TaxRateFactory()
    TaxRateFactory(tax_class=TaxClassFactory(code="books"), name="IVA 4 %", percent=4)
    TaxRateFactory(country="PT", name="IVA 23 %", percent=23)
    assert _at("ES") == {
        "standard": [("IVA 21 %", Decimal(21))],
        "books": [("IVA 4 %", Decimal(4))],
    }
    assert _at("US") == {}


def test_a_region_overrides_its_country_class_by_class(db):
    TaxRateFactory(country="PT", name="IVA 23 %", percent=23)
    TaxRateFactory(country="PT", tax_class=TaxClassFactory(code="books"), name="IVA 6 %", percent=6)
    TaxRateFactory(country="PT", region="30", name="IVA 22 %", percent=22)
    assert _at("PT", "30") == {
        "standard": [("IVA 22 %", Decimal(22))],
        "books": [("IVA 6 %", Decimal(6))],
    }
    assert _at("PT", "11")["standard"] == [("IVA 23 %", Decimal(23))]


def test_several_taxes_of_one_place_are_all_borne(db):
    TaxRateFactory(country="CA", region="QC", name="GST", percent=5)
    TaxRateFactory(country="CA", region="QC", name="QST", percent=Decimal("9.975"))
    assert _at("CA", "QC") == {"standard": [("GST", Decimal(5)), ("QST", Decimal("9.975"))]}


def test_a_rate_is_valid_from_its_first_to_its_last_day(db):
    TaxRateFactory(name="old", percent=18, valid_to=TODAY - DAY)
    TaxRateFactory(name="new", percent=21, valid_from=TODAY, valid_to=TODAY + DAY)
    days = (-1, 0, 1, 2)
    found = [_at("ES", on=TODAY + n * DAY).get("standard") for n in days]
    assert found == [
        [("old", Decimal(18))],
        [("new", Decimal(21))],
        [("new", Decimal(21))],
        None,
    ]


def test_a_region_whose_rate_has_ended_is_taxed_by_its_country(db):
    TaxRateFactory(country="PT", name="IVA 23 %", percent=23)
    TaxRateFactory(country="PT", region="30", name="old", percent=7, valid_to=TODAY - DAY)
    assert _at("PT", "30") == {"standard": [("IVA 23 %", Decimal(23))]}


def test_an_excluded_territory_bears_only_what_names_it(db):
    TaxRateFactory()
    TaxRateFactory(tax_class=TaxClassFactory(code="books"), name="IVA 4 %", percent=4)
    TaxRateFactory(region="GC", name="IGIC 7 %", percent=7)
    assert _at("ES", "GC") == {"standard": [("IGIC 7 %", Decimal(7))]}


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("ESB12345674", ("ES", "B12345674")),
        ("gr 094259216", ("EL", "094259216")),
        ("EL094259216", ("EL", "094259216")),
        ("xi-110.305.878", ("XI", "110305878")),
        ("IE6433435F", ("IE", "6433435F")),
        ("GB110305878", None),
        ("US123456789", None),
        ("ES1", None),
        ("ES1234567890123", None),
        ("12345674", None),
        ("", None),
    ],
)
def test_a_vat_number_is_split_as_vies_takes_it(typed, parts):
    assert split_vat_number(typed) == parts


def test_rates_cost_one_query(db, django_assert_num_queries):
    for country in ("ES", "PT", "FR"):
        TaxRateFactory(country=country)
    with django_assert_num_queries(1):
        rates_in(["ES", "PT"])


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_percentage_is_of_a_hundred(db, percent):
    with pytest.raises(IntegrityError), transaction.atomic():
        TaxRateFactory(percent=percent)
