"""Duties: which rate counts, what is free, files, and where the estimate is shown."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.products.models import Variant
from apps.shipping.engines.duties import Goods, Rate, closest, estimate
from apps.shipping.models import DutyRate, DutyThreshold, ShippingMethod, Zone
from apps.shipping.selectors import Duties, estimate_duties
from apps.shipping.services import InvalidDuty, import_duties
from apps.stores.models import ExchangeRate
from apps.taxes.engines.territories import bears_duties, territory
from tests.factories.shipping import DutyRateFactory, DutyThresholdFactory
from tests.flows.conftest import ADDRESS, Buyer, build_shop

DAY = date(2026, 11, 20)
ADMIN = "/api/v1/admin"
MUG = Goods("MUG", 3600, "6912.00", "PT")
US = {"country": "US", "region": "NY", "city": "New York", "postal_code": "10001"}


@pytest.mark.parametrize(
    ("rates", "points"),
    [
        ([], None),
        ([("", "", "", 1)], 1),
        ([("", "", "", 1), ("69", "", "", 2), ("691200", "", "", 3), ("691300", "", "", 4)], 3),
        ([("69", "PT", "", 1), ("6912", "", "", 2)], 2),
        ([("6912", "", "", 1), ("6912", "PT", "", 2), ("6912", "CN", "", 3)], 2),
        ([("6912", "", "", 1), ("6912", "", "NY", 2)], 2),
        ([("7", "", "", 1)], None),
    ],
)
def test_the_closest_rate_counts(rates, points):
    found = closest(MUG, [Rate(*rate) for rate in rates])
    assert (found and found.basis_points) == points


def test_each_kind_is_rounded_half_up_and_what_is_unknown_is_named():
    goods = [Goods("A", 1050, "1"), Goods("B", 1050, "1"), Goods("C", 99, "2"), Goods("D", 1)]
    found = estimate(goods, [Rate("1", "", "", 1000), Rate("2", "", "", 0)], "EUR")
    assert found == Duties(210, "EUR", ("D",))


@pytest.mark.django_db
def test_thresholds_in_their_own_currency():
    DutyRateFactory(country="GB", basis_points=1000)
    DutyThresholdFactory()
    ask = {"country": "GB", "currency": "EUR", "on": DAY}

    def duties(value):
        found = estimate_duties(goods=[Goods("A", value, "1")], **ask)
        return found.amount, found.is_free

    # Without an exchange rate nothing is known to be below.
    assert duties(100) == (10, False)
    ExchangeRate.objects.create(base="EUR", currency="GBP", rate=Decimal("0.9"), date=DAY)
    assert [duties(value) for value in (15000, 15001)] == [(0, True), (1500, False)]


@pytest.mark.django_db
def test_a_regions_own_row_comes_before_its_countrys_and_the_unions():
    DutyRateFactory(country="EU", basis_points=100)
    DutyRateFactory(country="DE", hs_prefix="69", basis_points=200)
    DutyThresholdFactory(country="EU", currency="EUR", amount=15000)
    goods = [Goods("A", 20000, "6912"), Goods("B", 10000, "1")]

    def amount(goods, **place):
        return estimate_duties(goods=goods, currency="EUR", on=DAY, **place).amount

    assert amount(goods, country="DE", in_union=True) == 500
    assert amount(goods, country="DE") == 400
    assert amount(goods[1:], country="FR", in_union=True) == 0
    DutyThresholdFactory(country="FR", currency="EUR", amount=0)
    assert amount(goods[1:], country="FR", in_union=True) == 100


@pytest.mark.parametrize(
    ("start", "end", "bears"),
    [
        (("ES", "", ""), ("DE", "", ""), False),
        # Outside of the VAT area, inside of the customs union.
        (("ES", "", ""), ("ES", "GC", "35001"), False),
        (("ES", "", ""), ("ES", "CE", "51001"), True),
        (("ES", "", ""), ("CH", "", "8001"), True),
        (("US", "", ""), ("US", "NY", ""), False),
        (("CH", "", ""), ("MC", "", ""), True),
        (("IE", "", ""), ("GB", "NIR", "BT1 1AA"), False),
    ],
)
def test_where_duties_are_due(start, end, bears):
    places = [
        territory(dict(zip(("country", "region", "postal_code"), p, strict=True)))
        for p in (start, end)
    ]
    assert bears_duties(*places) is bears


FILE = b"""country,hs_prefix,origin,percent
US,6912.00,,9.80
us,,,2.5%
EU,61,CN,12
"""


@pytest.mark.django_db
def test_a_file_is_tried_taken_and_taken_again(tmp_path):
    DutyRateFactory(country="US", basis_points=100)
    done = import_duties(body=FILE, dry_run=True)
    assert (done.created, done.updated, done.unchanged) == (2, 1, 0)
    assert DutyRate.objects.get().basis_points == 100
    path, said = tmp_path / "duties.csv", StringIO()
    path.write_bytes(FILE)
    call_command("import_duties", path, "--dry-run", stdout=said)
    call_command("import_duties", path, stdout=said)
    call_command("import_duties", path, stdout=said)
    assert said.getvalue().splitlines() == [
        "2 created, 1 updated, 0 unchanged (dry run: nothing written)",
        "2 created, 1 updated, 0 unchanged",
        "0 created, 0 updated, 3 unchanged",
    ]
    assert set(DutyRate.objects.values_list("country", "hs_prefix", "origin", "basis_points")) == {
        ("US", "691200", "", 980),
        ("US", "", "", 250),
        ("EU", "61", "CN", 1200),
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("XX,1,,1", 3),
        ("US,1a,,1", 3),
        ("US,1,Spain,1", 3),
        ("US,1,,many", 3),
        ("US,1,,1.234", 3),
        ("US,1,,-1", 3),
        ("US,1,,1001", 3),
        ("US,1,,1,2", 3),
        ("US,,,3", 3),
    ],
)
def test_a_wrong_row_takes_the_whole_file_away(row, line):
    with pytest.raises(InvalidDuty) as error:
        import_duties(body=f"country,hs_prefix,origin,percent\nUS,,,2\n{row}\n".encode())
    assert error.value.extra == {"line": line}
    assert not DutyRate.objects.exists()


@pytest.mark.django_db
def test_other_files_are_refused(tmp_path):
    for body in (b"", b"a,b\n1,2\n", b"country,percent\n\xff,1\n"):
        with pytest.raises(InvalidDuty):
            import_duties(body=body)
    with pytest.raises(CommandError):
        call_command("import_duties", tmp_path / "none.csv")


@pytest.mark.django_db
def test_rates_and_thresholds_by_api(as_merchant):
    body = {"country": "US", "hs_prefix": "6912", "basis_points": 980}
    made = as_merchant.post(f"{ADMIN}/duty-rates/", body)
    assert (made.status_code, made.json()["origin"]) == (201, "")
    url = f"{ADMIN}/duty-rates/{made.json()['id']}/"
    assert as_merchant.post(f"{ADMIN}/duty-rates/", body).json()["code"] == "duty_exists"
    assert as_merchant.patch(url, {"basis_points": 0}).json()["basis_points"] == 0
    wrong = as_merchant.patch(url, {"hs_prefix": "69.12"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_duty")
    assert as_merchant.patch(url, {"country": "ZZ"}).status_code == 400
    listed = as_merchant.get(f"{ADMIN}/duty-rates/?country=US").json()["results"]
    assert [row["basis_points"] for row in listed] == [0]
    assert as_merchant.delete(url).status_code == 204

    made = as_merchant.post(
        f"{ADMIN}/duty-thresholds/", {"country": "GB", "currency": "GBP", "amount": "135.00"}
    ).json()
    assert made["amount"] == {"amount": "135.00", "currency": "GBP"}
    url = f"{ADMIN}/duty-thresholds/{made['id']}/"
    changed = as_merchant.patch(url, {"amount": "140"}).json()
    assert changed["amount"] == {"amount": "140.00", "currency": "GBP"}
    assert as_merchant.patch(url, {"currency": "JPY"}).status_code == 400
    too_fine = as_merchant.patch(url, {"currency": "JPY", "amount": "1.5"})
    assert too_fine.status_code == 400
    assert DutyThreshold.objects.get().amount == 14000


@pytest.fixture
def abroad(api, store):
    """A cart of three mugs, 36.00, on the way to New York."""
    build_shop(store)
    Zone.objects.update(places=["ES", "US"])
    Variant.objects.filter(sku="MUG").update(hs_code="6912.00", origin_country="PT")
    buyer = Buyer(api)
    buyer.fill(("MUG", 3), shipping_address={**ADDRESS, **US})
    return buyer


@pytest.mark.django_db
def test_a_cart_shows_the_estimate_and_the_till_does_not(
    abroad, api, django_assert_max_num_queries
):
    url = f"/api/v1/carts/{abroad.cart_id}/"
    total = api.get(url).json()["totals"]["total"]
    DutyRateFactory(country="US", hs_prefix="6912", basis_points=980)
    ShippingMethod.objects.update(duties_paid=True)
    assert api.get(f"{url}duties/").json() == {
        "duties": {
            "terms": "DDP",
            "is_estimate": True,
            "amount": {"amount": "3.53", "currency": "EUR"},
            "is_free": False,
            "unknown": [],
        }
    }
    assert api.get(url).json()["totals"]["total"] == total
    DutyRate.objects.all().delete()
    ShippingMethod.objects.update(duties_paid=False)
    found = api.get(f"{url}duties/").json()["duties"]
    assert (found["terms"], found["unknown"]) == ("DAP", ["MUG"])
    api.patch(url, {"shipping_address": ADDRESS}, format="json")
    assert api.get(f"{url}duties/").json() == {"duties": None}
