"""Listings in a currency whose prices follow the exchange rates."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.pricing.models import CurrencyRule
from apps.pricing.services import delete_currency_rule, save_currency_rule, set_price
from apps.storefront.models import Listing
from apps.storefront.services.listing import rebuild, refresh_scheduled, reprice_derived
from apps.stores.models import ExchangeRate
from apps.stores.services import save_rate
from tests.factories.pricing import CurrencyRuleFactory
from tests.factories.products import ProductFactory
from tests.factories.promotions import PromotionFactory
from tests.factories.stores import StoreFactory


@pytest.fixture
def rule(store):
    store.currencies = ["USD", "JPY"]
    store.save()
    return CurrencyRuleFactory(store=store, round_to=100, minus=1)


def quote(value, currency="USD", *, days_ago=0):
    day = timezone.now().date() - timedelta(days=days_ago)
    save_rate(rate=ExchangeRate(base="EUR", currency=currency, rate=Decimal(value), date=day))


def prices(currency="USD"):
    rows = Listing.objects.filter(currency=currency).order_by("product", "store")
    return list(rows.values_list("price", flat=True))


def test_listings_follow_the_rate_of_the_day(rule, sell, drain, api):
    for amount in (1000, 2000):
        sell(amount)
    assert prices() == []
    quote("1.25", days_ago=1)
    drain()
    assert refresh_scheduled() == 2
    assert (prices(), prices("EUR"), prices("JPY")) == ([1299, 2499], [1000, 2000], [])
    quote("1.5")
    drain()
    assert refresh_scheduled() == 2
    assert prices() == [1499, 2999]
    assert refresh_scheduled() == 0
    found = api.get("/api/v1/products/", {"currency": "USD", "ordering": "price"}).json()
    assert [item["price"] for item in found["results"]] == [
        {"amount": "14.99", "currency": "USD"},
        {"amount": "29.99", "currency": "USD"},
    ]


def test_marking_takes_the_same_statements_for_any_number(rule, sell, drain):
    def statements():
        with CaptureQueriesContext(connection) as seen:
            reprice_derived()
        return len(seen)

    sell(1000)
    quote("1.25")
    drain()
    refresh_scheduled()
    one = statements()
    for amount in range(1, 12):
        sell(amount)
    assert statements() == one
    assert refresh_scheduled() == 12


def test_a_changed_rule_reprices_its_store_alone(rule, sell, drain):
    sell(1000)
    quote("1.25")
    drain()
    refresh_scheduled()
    other = StoreFactory()
    product = ProductFactory(stores=[other])
    set_price(variant=product.variants.get(), currency="EUR", amount=500)
    rebuild(product_ids=[product.pk])
    drain()
    save_currency_rule(rule=rule, changes={"round_to": 1, "minus": 0})
    drain()
    assert refresh_scheduled() == 1
    assert prices() == [1250]
    delete_currency_rule(rule=CurrencyRule.objects.get())
    drain()
    assert refresh_scheduled() == 1
    assert (prices(), prices("EUR")) == ([], [1000, 500])


def test_what_is_priced_in_a_currency_not_sold_in_is_listed_with_its_first_rate(store, drain):
    store.currencies = ["USD"]
    store.save()
    CurrencyRuleFactory(store=store, base="GBP")
    product = ProductFactory(stores=[store])
    set_price(variant=product.variants.get(), currency="GBP", amount=1000)
    rebuild(product_ids=[product.pk])
    drain()
    assert prices() == []
    quote("0.8", "GBP")
    quote("1.2")
    drain()
    assert (prices(), prices("EUR")) == ([1500], [])


def test_an_import_reprices(rule, sell, drain, tmp_path, capsys):
    sell(1000)
    drain()
    day = timezone.now().date().isoformat()
    file = tmp_path / "rates.xml"
    file.write_text(
        '<Cube xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
        f'<Cube time="{day}"><Cube currency="USD" rate="1.2"/></Cube></Cube>'
    )
    call_command("import_rates", str(file))
    drain()
    refresh_scheduled()
    assert prices() == [1199]


def test_a_derived_reduction_refers_to_its_base(rule, sell, drain, api):
    quote("1.25")
    with time_machine.travel(timezone.now() - timedelta(days=20), tick=False):
        product = sell(900)
    variant = product.variants.get()
    set_price(variant=variant, currency="EUR", amount=800, compare_at=1000)
    drain()
    refresh_scheduled()
    page = api.get(f"/api/v1/products/{product.slug}/", {"currency": "USD"}).json()
    shown = [page[name]["amount"] for name in ("price", "compare_at_price", "reference_price")]
    # 10.00, 12.50 and 11.25 dollars, each to the nearest .99.
    assert shown == ["9.99", "12.99", "10.99"]
    (row,) = page["variants"]
    assert row["reference_price"] == {"amount": "10.99", "currency": "USD"}


def test_a_promotion_refers_to_the_lowest_price_before_it(sell, drain, api):
    now = timezone.now()
    with time_machine.travel(now - timedelta(days=50), tick=False):
        product = sell(700)
    variant = product.variants.get()
    for days, amount in ((40, 900), (3, 1000)):
        with time_machine.travel(now - timedelta(days=days), tick=False):
            set_price(variant=variant, currency="EUR", amount=amount)
    PromotionFactory(
        effect={"type": "percentage", "percent": "25", "of": "items"},
        is_catalogue=True,
        starts_at=now - timedelta(days=5),
    )
    rebuild(product_ids=[product.pk])
    (item,) = api.get("/api/v1/products/").json()["results"]
    shown = [item[name]["amount"] for name in ("price", "compare_at_price", "reference_price")]
    assert shown == ["7.50", "10.00", "9.00"]


def test_a_rate_that_changes_nothing_here_marks_nothing(store, sell, drain):
    sell(1000)
    drain()
    quote("1.25")
    drain()
    assert refresh_scheduled() == 0
