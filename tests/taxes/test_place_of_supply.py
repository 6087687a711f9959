"""Which tax a sale bears, and where: decisions as the tax offices would make them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from time_machine import travel

from apps.taxes.models import TaxExemption, TaxRate, TaxSettings, VATCheck
from apps.taxes.selectors import TaxQuestion, decide, split_vat_number
from tests.factories.customers import CustomerFactory
from tests.factories.stores import StoreFactory
from tests.factories.taxes import TaxClassFactory

TODAY = date(2026, 11, 21)
# Country, region, postcodes, level, applies, name, percent.
TABLE = (
    ("ES", "", "", "", "country", "all", "IVA 21 %", 21),
    ("ES", "GC", "", "", "country", "all", "IGIC 7 %", 7),
    ("DE", "", "", "", "country", "all", "MwSt 19 %", 19),
    ("FR", "", "", "", "country", "all", "TVA 20 %", 20),
    ("GR", "", "", "", "country", "all", "ΦΠΑ 24 %", 24),
    ("PT", "", "", "", "country", "all", "IVA 23 %", 23),
    ("PT", "30", "", "", "country", "all", "IVA 22 % (Madeira)", 22),
    ("GB", "", "", "", "country", "all", "VAT 20 %", 20),
    ("CH", "", "", "", "country", "all", "MWST 8.1 %", "8.1"),
    ("US", "CA", "", "", "state", "all", "California", "7.25"),
    ("US", "CA", "90001", "90899", "county", "all", "Los Angeles County", "2.25"),
    ("US", "CA", "902", "", "city", "all", "Beverly Hills", "0.25"),
    ("US", "NY", "", "", "state", "all", "New York", 4),
    ("CA", "", "", "", "country", "all", "GST", 5),
    ("CA", "ON", "", "", "country", "all", "HST", 13),
    ("CA", "BC", "", "", "state", "all", "PST", 7),
    ("CA", "QC", "", "", "state", "all", "QST", "9.975"),
    ("IN", "", "", "", "country", "same_region", "CGST", 9),
    ("IN", "", "", "", "state", "same_region", "SGST", 9),
    ("IN", "", "", "", "country", "other_region", "IGST", 18),
    ("AU", "", "", "", "country", "all", "GST", 10),
    ("JP", "", "", "", "country", "all", "消費税", 10),
)


@pytest.fixture
def table(db):
    standard = TaxClassFactory()
    for country, region, low, high, level, applies, name, percent in TABLE:
        TaxRate.objects.create(
            tax_class=standard,
            country=country,
            region=region,
            postcode_from=low,
            postcode_to=high,
            level=level,
            applies=applies,
            name=name,
            percent=Decimal(percent),
        )


def seller(country, **settings):
    store = StoreFactory(country=country)
    if settings:
        TaxSettings.objects.create(store=store, **settings)
        store.refresh_from_db()
    return store


def answer(store, country="", region="", postal_code="", **kwargs):
    vat_number = kwargs.pop("vat_number", "")
    address = {
        "country": country,
        "region": region,
        "postal_code": postal_code,
        "vat_number": vat_number,
    }
    given = {name: value for name, value in address.items() if value}
    return decide(TaxQuestion(store=store, address=given, on=TODAY, **kwargs))


def told(found):
    return found.scheme, [rate.name for rate in found.rates.get("standard", ())]


OSS = {"oss_from": date(2026, 7, 1)}
EXPORT = ("export", [])


@pytest.mark.parametrize(
    ("home", "settings", "to", "expected"),
    [
        # Inside of one country, and before there is an address.
        ("ES", {}, (), ("domestic", ["IVA 21 %"])),
        ("ES", {}, ("ES", "M", "28013"), ("domestic", ["IVA 21 %"])),
        ("ES", {"region": "M"}, ("ES", "B"), ("domestic", ["IVA 21 %"])),
        ("PT", {}, ("PT", "30"), ("domestic", ["IVA 22 % (Madeira)"])),
        ("DE", {}, ("DE", "BY", "80331"), ("domestic", ["MwSt 19 %"])),
        ("CH", {}, ("CH",), ("domestic", ["MWST 8.1 %"])),
        ("AU", {}, ("AU", "NSW"), ("domestic", ["GST"])),
        ("JP", {}, ("JP", "13"), ("domestic", ["消費税"])),
        # Consumers in another Member State: below the threshold, then in the One-Stop-Shop.
        ("ES", {}, ("DE",), ("origin", ["IVA 21 %"])),
        ("ES", OSS, ("DE",), ("oss", ["MwSt 19 %"])),
        ("ES", OSS, ("GR",), ("oss", ["ΦΠΑ 24 %"])),
        ("ES", {"oss_from": TODAY}, ("FR",), ("oss", ["TVA 20 %"])),
        ("ES", {"oss_from": TODAY + timedelta(1)}, ("FR",), ("origin", ["IVA 21 %"])),
        ("ES", {"registrations": ["FR"]}, ("FR",), ("destination", ["TVA 20 %"])),
        ("ES", OSS | {"registrations": ["FR"]}, ("FR",), ("destination", ["TVA 20 %"])),
        ("ES", OSS, ("PT", "30"), ("oss", ["IVA 22 % (Madeira)"])),
        # Monaco is France's; Northern Ireland is the EU's, for goods.
        ("ES", OSS, ("MC",), ("oss", ["TVA 20 %"])),
        ("FR", {}, ("MC",), ("domestic", ["TVA 20 %"])),
        ("ES", OSS, ("GB", "NIR"), ("oss", ["VAT 20 %"])),
        ("ES", OSS, ("GB", "", "BT1 5GS"), ("oss", ["VAT 20 %"])),
        ("GB", {}, ("GB", "NIR"), ("domestic", ["VAT 20 %"])),
        ("GB", {}, ("IM", "", "IM1 1AA"), ("domestic", ["VAT 20 %"])),
        ("ES", OSS, ("IM", "", "IM1 1AA"), EXPORT),
        # Parts of Member States that the EU's VAT doesn't reach.
        ("ES", {}, ("ES", "GC"), ("export", ["IGIC 7 %"])),
        ("ES", {}, ("ES", "", "38001"), EXPORT),
        ("ES", {}, ("ES", "CE"), EXPORT),
        ("ES", OSS, ("FR", "", "97400"), EXPORT),
        ("ES", OSS, ("DE", "", "27498"), EXPORT),
        ("ES", OSS, ("IT", "", "23041"), EXPORT),
        ("ES", OSS, ("IT", "", "22061"), EXPORT),
        ("ES", OSS, ("FI", "01"), EXPORT),
        ("DE", {}, ("DE", "", "78266"), EXPORT),
        # Out of the EU, and into it.
        ("ES", {}, ("GB", "ENG"), EXPORT),
        ("ES", {}, ("CH",), EXPORT),
        ("ES", {}, ("US", "CA"), EXPORT),
        ("ES", {"registrations": ["GB"]}, ("GB",), ("destination", ["VAT 20 %"])),
        ("GB", {}, ("ES",), EXPORT),
        ("CH", {}, ("DE",), EXPORT),
        # The United States: where there is nexus, state, county and city together.
        ("US", {"nexus": ["CA"]}, ("US", "CA"), ("domestic", ["California"])),
        (
            "US",
            {"nexus": ["CA"]},
            ("US", "CA", "90210-1234"),
            ("domestic", ["California", "Los Angeles County", "Beverly Hills"]),
        ),
        (
            "US",
            {"nexus": ["CA"]},
            ("US", "CA", "90802"),
            ("domestic", ["California", "Los Angeles County"]),
        ),
        ("US", {"nexus": ["CA"]}, ("US", "CA", "94103"), ("domestic", ["California"])),
        ("US", {"nexus": ["CA"]}, ("US", "NY", "10001"), ("none", [])),
        ("US", {}, ("US", "NY", "10001"), ("domestic", ["New York"])),
        ("US", {}, ("US", "OR"), ("domestic", [])),
        # Canada: GST and the province's, or HST instead of both.
        ("CA", {}, ("CA", "AB"), ("domestic", ["GST"])),
        ("CA", {}, ("CA", "BC"), ("domestic", ["GST", "PST"])),
        ("CA", {}, ("CA", "QC"), ("domestic", ["GST", "QST"])),
        ("CA", {}, ("CA", "ON"), ("domestic", ["HST"])),
        # India: within the seller's state, or to another.
        ("IN", {"region": "MH"}, ("IN", "MH"), ("domestic", ["CGST", "SGST"])),
        ("IN", {"region": "MH"}, ("IN", "KA"), ("domestic", ["IGST"])),
    ],
)
def test_a_sale_is_taxed_where_the_law_says(table, home, settings, to, expected):
    assert told(answer(seller(home, **settings), *to)) == expected


def checked(country, number, verdict="valid", days=0):
    with travel(datetime(2026, 11, 21, tzinfo=UTC) - timedelta(days=days), tick=False):
        VATCheck.objects.create(country=country, number=number, verdict=verdict)


@pytest.mark.parametrize(
    ("checks", "number", "scheme"),
    [
        ([("DE", "123456789")], "DE 123.456.789", "reverse_charge"),
        ([("DE", "123456789")], "de123456789", "reverse_charge"),
        ([("EL", "094259216")], "GR094259216", "reverse_charge"),
        ([("DE", "123456789", "invalid")], "DE123456789", "oss"),
        # Silence is no yes.
        ([("DE", "123456789", "unknown")], "DE123456789", "oss"),
        ([], "DE123456789", "oss"),
        ([("DE", "123456789", "valid", 31)], "DE123456789", "oss"),
        ([("DE", "123456789", "valid", 29)], "DE123456789", "reverse_charge"),
        # The last word counts; a fault afterwards takes nothing back.
        ([("DE", "1", "valid", 2), ("DE", "1", "invalid", 1)], "DE1", "oss"),
        ([("DE", "12", "valid", 2), ("DE", "12", "unknown", 1)], "DE12", "reverse_charge"),
        # The seller's own country taxes its own businesses.
        ([("ES", "B12345674")], "ESB12345674", "oss"),
        ([("DE", "123456789")], "not a number", "oss"),
    ],
)
def test_a_business_with_a_number_that_vies_knows_accounts_for_the_tax(
    table, checks, number, scheme
):
    for check in checks:
        checked(*check)
    with travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False):
        found = answer(seller("ES", **OSS), "DE", vat_number=number)
    assert found.scheme == scheme
    assert bool(found.rates) is (scheme != "reverse_charge")
    assert found.reprices is (scheme == "reverse_charge")
    assert ("article 138" in str(found.note)) is (scheme == "reverse_charge")


def test_a_business_number_changes_nothing_at_home_or_outside_of_the_union(table):
    checked("DE", "123456789")
    with travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False):
        assert answer(seller("ES"), "ES", vat_number="DE123456789").scheme == "domestic"
        assert answer(seller("ES"), "US", vat_number="DE123456789").scheme == "export"


@pytest.mark.parametrize(
    ("changes", "scheme"),
    [
        ({}, "exempt"),
        ({"region": "TX"}, "domestic"),
        ({"region": "NY"}, "exempt"),
        ({"country": "CA"}, "domestic"),
        ({"is_active": False}, "domestic"),
        ({"valid_to": TODAY}, "exempt"),
        ({"valid_to": TODAY - timedelta(1)}, "domestic"),
        ({"valid_from": TODAY + timedelta(1)}, "domestic"),
    ],
)
def test_an_exempt_customer_pays_none_while_the_certificate_is_good(table, changes, scheme):
    customer = CustomerFactory()
    values = {"country": "US", "certificate": "X-1", **changes}
    TaxExemption.objects.create(customer=customer, **values)
    found = answer(seller("US"), "US", "NY", customer_id=customer.pk)
    assert (found.scheme, found.reprices) == (scheme, scheme == "exempt")
    assert answer(seller("US"), "US", "NY", customer_id=CustomerFactory().pk).scheme == "domestic"


@pytest.mark.parametrize(
    ("settings", "to", "reprices"),
    [
        (OSS, ("DE",), False),
        (OSS | {"keeps_gross": False}, ("DE",), True),
        ({"keeps_gross": False}, ("DE",), False),
        ({"keeps_gross": False}, ("ES",), False),
        ({"keeps_gross": False}, ("CH",), True),
        ({}, ("CH",), False),
    ],
)
def test_consumers_abroad_pay_the_same_or_the_same_without_tax(table, settings, to, reprices):
    found = answer(seller("ES", **settings), *to)
    assert found.reprices is reprices
    assert [rate.name for rate in found.home["standard"]] == ["IVA 21 %"]


def test_it_is_explained(table):
    found = answer(seller("ES", **OSS), "DE")
    facts = {"scheme": "oss", "from": "ES", "to": "DE", "region": "", "oss_from": "2026-07-01"}
    assert found.steps == (("place_of_supply", facts),)


def test_a_decision_costs_one_statement(table, django_assert_num_queries):
    store = type(seller("ES", **OSS)).objects.select_related("tax_settings").get(country="ES")
    with django_assert_num_queries(1):
        answer(store, "DE")
    with django_assert_num_queries(3):
        answer(store, "DE", vat_number="DE123456789", customer_id=1)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("DE123456789", ("DE", "123456789")),
        (" fr 40 303 265 045 ", ("FR", "40303265045")),
        ("GR-094259216", ("EL", "094259216")),
        ("XI123456789", ("XI", "123456789")),
        ("IE6388047V", ("IE", "6388047V")),
        ("GB123456789", None),
        ("CHE123456789", None),
        ("", None),
        ("DE<script>", None),
        ("DE" + "1" * 20, None),
    ],
)
def test_a_vat_number_is_taken_apart_as_vies_wants_it(text, parts):
    assert split_vat_number(text) == parts
