"""The One-Stop-Shop return: what was sold where, at which rate, in euro."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from apps.orders.models import Order
from apps.orders.selectors.oss import OSSRow, cross_border_sales, oss_report, quarter_of
from apps.stores.models import ExchangeRate
from apps.taxes.models import TaxSettings

QUARTER = (date(2026, 7, 1), date(2026, 9, 30))


def sale(store, number, country, *rows, at=datetime(2026, 8, 1, tzinfo=UTC), **kwargs):
    """`rows`: (percent, net, tax)."""
    net, tax = sum(row[1] for row in rows), sum(row[2] for row in rows)
    values = {
        "currency": "EUR",
        "status": "confirmed",
        "tax_scheme": "oss",
        "confirmed_at": at,
        **kwargs,
    }
    return Order.objects.create(
        number=f"WEB-{number}",
        store=store,
        email="a@example.com",
        subtotal=net + tax,
        discount=0,
        shipping=0,
        tax=tax,
        total=net + tax,
        tax_included=True,
        tax_country=country,
        quote={
            "taxes": [
                {"name": f"VAT {percent}", "percent": percent, "base": base, "amount": amount}
                for percent, base, amount in rows
            ]
        },
        **values,
    )


@pytest.fixture
def sales(store):
    ExchangeRate.objects.create(
        base="EUR", currency="SEK", rate=Decimal("11.25"), date=date(2026, 9, 30)
    )
    sale(store, 1, "DE", ("19", 10_000, 1900), ("7", 2000, 140))
    sale(store, 2, "DE", ("19", 5000, 950))
    sale(store, 3, "FR", ("20", 1000, 200))
    # 112.50 and 28.13 kronor: 10.00 and 2.50 (2.5004) euro.
    sale(store, 4, "SE", ("25", 11_250, 2813), currency="SEK")
    sale(store, 5, "DE", ("19", 9999, 1900), status="cancelled")
    sale(store, 6, "DE", ("19", 9999, 1900), tax_scheme="domestic")
    sale(store, 7, "DE", ("19", 4000, 760), at=datetime(2026, 10, 1, tzinfo=UTC))
    sale(
        store, 8, "FR", ("21", 3000, 630), tax_scheme="origin", at=datetime(2026, 2, 1, tzinfo=UTC)
    )


def test_sales_are_summed_by_country_and_rate_in_euro(store, sales, django_assert_num_queries):
    # The orders, and one rate for each currency but the euro.
    with django_assert_num_queries(2):
        report = oss_report(store=store, first=QUARTER[0], last=QUARTER[1])
    assert report == [
        OSSRow("DE", "19", 15_000, 2850, 2),
        OSSRow("DE", "7", 2000, 140, 1),
        OSSRow("FR", "20", 1000, 200, 1),
        OSSRow("SE", "25", 1000, 250, 1),
    ]


def test_the_threshold_counts_the_year_at_home_and_abroad(store, sales):
    assert cross_border_sales(store=store, year=2026) == (12_000 + 5000 + 1000 + 1000 + 4000 + 3000)


def test_a_day_belongs_to_the_stores_own_quarter(store, sales):
    store.time_zone = "Pacific/Kiritimati"  # fourteen hours before UTC
    store.save()
    midnight = datetime(2026, 9, 30, 10, 0, tzinfo=UTC)
    sale(store, 9, "IT", ("22", 100, 22), at=midnight)
    report = oss_report(store=store, first=date(2026, 10, 1), last=date(2026, 12, 31))
    assert [row.country for row in report] == ["DE", "IT"]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026Q1", (date(2026, 1, 1), date(2026, 3, 31))),
        ("2028q1", (date(2028, 1, 1), date(2028, 3, 31))),
        ("2026Q4", (date(2026, 10, 1), date(2026, 12, 31))),
    ],
)
def test_a_quarter_is_its_days(text, days):
    assert quarter_of(text) == days


@pytest.mark.parametrize("text", ["2026", "2026Q5", "Q1", "2026Q0", "26Q1", "1e9Q1"])
def test_what_is_no_quarter_is_refused(text):
    with pytest.raises(ValueError, match="is no quarter"):
        quarter_of(text)


def test_the_command_writes_a_sheet(store, sales, capsys):
    call_command("oss_report", store="main", quarter="2026Q3")
    told = capsys.readouterr()
    assert told.out.split() == [
        "country,rate_percent,net_eur,vat_eur,orders",
        "DE,19,150.00,28.50,2",
        "DE,7,20.00,1.40,1",
        "FR,20,10.00,2.00,1",
        "SE,25,10.00,2.50,1",
    ]
    assert told.err.strip() == (
        "2026-07-01 – 2026-09-30: 4 rows. Cross-border sales of 2026 without tax: 260.00 of"
        " 10000.00 EUR."
    )
    for wrong in ({"store": "none", "quarter": "2026Q3"}, {"store": "main", "quarter": "x"}):
        with pytest.raises(CommandError):
            call_command("oss_report", **wrong)


def test_a_currency_without_a_rate_is_told(store, sales):
    sale(store, 9, "DK", ("25", 100, 25), currency="DKK")
    with pytest.raises(CommandError):
        call_command("oss_report", store="main", quarter="2026Q3")


def test_the_report_by_the_api(sales, as_merchant, as_readonly, as_shopper, store):
    url = "/api/v1/admin/reports/oss/"
    query = {"store": store.code, "quarter": "2026Q3"}
    report = as_readonly.get(url, query).json()

    def eur(amount):
        return {"amount": amount, "currency": "EUR"}

    assert (report["first"], report["last"]) == ("2026-07-01", "2026-09-30")
    assert report["results"][0] == {
        "country": "DE",
        "percent": "19",
        "net": eur("150.00"),
        "tax": eur("28.50"),
        "orders": 2,
    }
    assert report["threshold"] == eur("10000.00")
    year = cross_border_sales(store=store, year=2026)
    assert report["cross_border_sales"] == eur(f"{year / 100:.2f}")
    for wrong in ({"quarter": "2026Q5"}, {"store": "nowhere"}, {"page": "2"}):
        assert as_merchant.get(url, {**query, **wrong}).status_code == 400
    assert as_shopper.get(url, query).status_code == 403


def test_the_report_on_the_page_of_the_tax_settings(sales, client, merchant, store):
    client.force_login(merchant)
    known = TaxSettings.objects.create(store=store)
    form = {
        "store": store.pk,
        "keeps_gross": "on",
        "_preview": "oss",
        "oss-quarter": "2026Q3",
    }
    url = f"/admin/taxes/taxsettings/{known.pk}/change/"
    page = client.post(url, form).content.decode()
    assert re.findall(r'<td class="bo-number">([^<]*)</td>', page)[:3] == [
        "19",
        "€150.00",
        "€28.50",
    ]
    page = client.post(url, {**form, "oss-quarter": "soon"}).content.decode()
    assert "A quarter is written like 2026Q3." in page
