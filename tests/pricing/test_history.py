"""The price before a reduction (Directive 98/6/EC, article 6a)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from apps.pricing.models import Price, PricePoint
from apps.pricing.selectors import ResolvedPrice, prior_prices, reference_prices
from apps.pricing.services import PriceData, note_promoted, remove_price, set_prices
from apps.promotions.engines.rules import Percentage, Rule, Window
from tests.factories.pricing import CurrencyRuleFactory, PriceListFactory
from tests.factories.products import VariantFactory
from tests.factories.stores import ExchangeRateFactory, StoreFactory

NOW = datetime(2030, 6, 30, 12, tzinfo=UTC)


@pytest.fixture
def variant(db):
    return VariantFactory()


@pytest.fixture
def set_price(variant):
    """`set_price(days_ago, amount, …)`: what staff did then. `compare_at` announces a reduction."""

    def run(days_ago, amount, compare_at=None, *, of=variant, currency="EUR", **fields):
        with time_machine.travel(NOW - timedelta(days=days_ago), tick=False):
            data = PriceData(of.pk, currency, amount, compare_at=compare_at, **fields)
            set_prices([data])

    return run


def reference(variant, store, *, at=NOW, currency="EUR"):
    found = reference_prices(store=store, currency=currency, variant_ids=[variant.pk], before=at)
    return found.get(variant.pk)


def ago(days):
    return NOW - timedelta(days=days)


def test_the_lowest_price_of_the_30_days_before(variant, store, set_price):
    set_price(100, 1000)
    set_price(40, 1200)
    set_price(20, 900)
    set_price(10, 1500)
    set_price(5, 1100, 1500)
    assert reference(variant, store) == 900


def test_what_is_not_reduced_has_none(variant, store, set_price):
    assert reference(variant, store) is None
    set_price(100, 1000)
    set_price(5, 800)
    assert reference(variant, store) is None
    set_price(3, 800, 800)
    assert reference(variant, store) is None


def test_new_goods_have_no_price_before(variant, store, set_price):
    set_price(5, 800, 1000)
    assert reference(variant, store) is None


def test_the_price_at_the_start_of_the_window_counts(variant, store, set_price):
    """It was in force on the first of the 30 days, however long ago it was set."""
    set_price(300, 700)
    set_price(34, 1200)
    set_price(5, 1000, 1200)
    assert reference(variant, store) == 700


def test_a_price_that_ended_as_the_window_began_does_not_count(variant, store, set_price):
    set_price(300, 700)
    set_price(35, 1200)
    set_price(5, 1000, 1200)
    assert reference(variant, store) == 1200


def test_an_earlier_sale_in_the_window_counts(variant, store, set_price):
    set_price(100, 1000)
    set_price(25, 600, 1000)
    set_price(15, 1000)
    set_price(5, 800, 1000)
    assert reference(variant, store) == 600
    assert reference(variant, store, at=ago(20)) == 1000


def test_an_announcement_of_an_old_price_is_measured_from_itself(variant, store, set_price):
    """The price fell long ago; calling it reduced today doesn't bring the old price back."""
    set_price(100, 1000)
    set_price(60, 700)
    set_price(5, 700, 1000)
    assert reference(variant, store) == 700


def test_a_reduction_that_grows_is_measured_from_its_first_step(variant, store, set_price):
    set_price(100, 1000)
    set_price(50, 900, 1000)
    set_price(20, 800, 1000)
    set_price(5, 700, 1000)
    assert [reference(variant, store, at=ago(days)) for days in (60, 50, 20, 0)] == [
        None,
        1000,
        1000,
        1000,
    ]


def test_a_reduction_that_shrank_meanwhile_begins_anew(variant, store, set_price):
    set_price(100, 1000)
    set_price(20, 700, 1000)
    set_price(10, 850, 1000)
    set_price(5, 800, 1000)
    assert reference(variant, store) == 700


def test_a_reduction_that_paused_begins_anew(variant, store, set_price):
    set_price(100, 1000)
    set_price(20, 800, 1000)
    set_price(10, 800)
    set_price(5, 700, 1000)
    assert reference(variant, store) == 800


def test_a_planned_reduction_begins_with_its_window(variant, store, set_price):
    set_price(200, 1000)
    set_price(100, 800, 1000, valid_from=ago(10), valid_to=ago(-5))
    set_price(20, 900)
    assert reference(variant, store, at=ago(11)) is None
    assert reference(variant, store) == 900
    assert reference(variant, store, at=ago(-6)) is None


def test_a_plan_that_was_dropped_never_was(variant, store, set_price):
    set_price(100, 1000)
    set_price(50, 100, valid_from=ago(20), valid_to=ago(15))
    with time_machine.travel(ago(30), tick=False):
        remove_price(price=Price.objects.get(amount=100))
    set_price(5, 800, 1000)
    assert reference(variant, store) == 1000


def test_a_removed_price_leaves_a_gap(variant, store, set_price):
    set_price(100, 500)
    with time_machine.travel(ago(60), tick=False):
        remove_price(price=Price.objects.get())
    set_price(5, 800, 1000)
    assert reference(variant, store) is None


def test_the_stores_own_prices_come_before_all_stores(variant, store, set_price):
    set_price(100, 1000)
    set_price(50, 1300, store_id=store.pk)
    set_price(20, 600)
    set_price(5, 900, 1300, store_id=store.pk)
    assert reference(variant, store) == 1300
    other = StoreFactory()
    assert reference(variant, other) is None
    set_price(2, 500, 600)
    assert reference(variant, other) == 600
    assert prior_prices(variant_id=variant.pk, at=NOW) == {
        (None, "EUR"): 600,
        (store.pk, "EUR"): 1300,
    }


def test_prices_for_some_and_for_many_pieces_do_not_count(variant, store, set_price):
    set_price(100, 1000)
    set_price(20, 300, price_list_id=PriceListFactory().pk)
    set_price(20, 400, min_quantity=10)
    set_price(20, 500, currency="USD")
    set_price(5, 800, 1000)
    assert reference(variant, store) == 1000


@pytest.mark.parametrize(
    ("currency", "before", "now"), [("JPY", 1980, 1480), ("KWD", 12_990, 9_990), ("HUF", 1, 0)]
)
def test_every_currency_in_its_minor_units(variant, store, set_price, currency, before, now):
    set_price(100, before, currency=currency)
    set_price(5, now, before, currency=currency)
    assert reference(variant, store, currency=currency) == before


def test_a_derived_price_refers_to_its_base(variant, set_price):
    rule = CurrencyRuleFactory(round_to=100, minus=1)
    ExchangeRateFactory(rate=Decimal("1.25"), date=NOW.date())
    set_price(100, 1000)
    set_price(5, 700, 1000)
    assert reference(variant, rule.store, currency="USD") == 1299
    assert reference(variant, StoreFactory(currencies=["USD"]), currency="USD") is None
    # A price of its own isn't reduced.
    set_price(1, 1500, currency="USD")
    assert reference(variant, rule.store, currency="USD") is None


@pytest.fixture
def promote(variant, store):
    """`promote(days_ago, amount, code)`: what lists showed then; no amount: no promotion's."""

    def run(days_ago, amount=None, code="sale", *, starts=None, ends=None):
        times = [None if days is None else ago(days) for days in (starts, ends)]
        rule = Rule(code, code, Percentage(Decimal(10)), window=Window(*times))
        price = ResolvedPrice(amount or 1000, 1000, None, reduced_by=rule if amount else None)
        with time_machine.travel(ago(days_ago), tick=False):
            return note_promoted(store=store, currency="EUR", prices={variant.pk: price})

    return run


@pytest.mark.parametrize(("days", "expected"), [(60, 1000), (29, 1000), (5, 700), (0.1, 700)])
def test_a_promotion_is_measured_from_its_beginning(
    variant, store, set_price, promote, days, expected
):
    set_price(100, 1000)
    set_price(20, 700)
    set_price(10, 900)
    promote(days, 600)
    assert reference(variant, store) == expected


def test_a_promotion_seen_late_began_when_it_said(variant, store, set_price, promote):
    set_price(100, 1000)
    set_price(10.5, 700)
    promote(10, 600, starts=10.9)
    assert reference(variant, store) == 1000


def test_what_joins_a_promotion_is_reduced_from_then_on(variant, store, set_price, promote):
    set_price(100, 1000)
    set_price(20, 700)
    promote(10, 600, starts=25)
    assert reference(variant, store) == 700


def test_a_promotion_that_was_stopped_begins_anew(variant, store, set_price, promote):
    set_price(100, 1000)
    promote(50, 800, starts=50.1)
    promote(20)
    promote(5, 700, starts=50.1)
    assert reference(variant, store) == 800


def test_a_promotion_on_a_reduced_price_goes_on_with_its_reduction(
    variant, store, set_price, promote
):
    set_price(100, 1000)
    set_price(20, 800, 1000)
    promote(5, 700)
    assert reference(variant, store) == 1000


@pytest.mark.parametrize(("ended", "expected"), [(10, 800), (34, 800), (36, 1000)])
def test_an_earlier_promotions_price_was_one(variant, store, set_price, promote, ended, expected):
    set_price(100, 1000)
    promote(50, 800)
    promote(ended)
    promote(5, 900)
    assert reference(variant, store) == expected


def test_a_promotion_that_ended_as_planned_needs_no_word(variant, store, set_price, promote):
    set_price(100, 1000)
    promote(50, 800, ends=40)
    assert reference(variant, store) is None
    promote(5, 900)
    assert reference(variant, store) == 1000


def test_an_earlier_promotion_counts_for_a_price_announced_as_reduced(
    variant, store, set_price, promote
):
    set_price(100, 1000)
    promote(20, 800)
    promote(10)
    set_price(5, 900, 1000)
    assert reference(variant, store) == 800
    assert prior_prices(variant_id=variant.pk, at=NOW) == {(None, "EUR"): 1000}


def test_a_promotion_that_grows_is_one_reduction(variant, store, set_price, promote):
    set_price(100, 1000)
    promote(20, 900)
    promote(10, 800, "more")
    promote(5, 700, "most")
    assert reference(variant, store) == 1000


def test_one_that_shrinks_is_a_new_one(variant, store, set_price, promote):
    set_price(100, 1000)
    promote(20, 700)
    promote(10, 800, "less")
    assert reference(variant, store) == 700


def test_a_pause_between_two_begins_anew(variant, store, set_price, promote):
    set_price(100, 1000)
    promote(20, 900, ends=15)
    promote(10, 800, "more")
    assert reference(variant, store) == 900


def test_a_line_for_each_change_and_no_more(variant, store, promote, django_assert_num_queries):
    assert [promote(9), promote(8, 900), promote(7, 900), promote(6, 900, "other")] == [0, 1, 0, 1]
    assert [promote(5, 800, "other"), promote(4), promote(3)] == [1, 1, 0]
    points = PricePoint.objects.order_by("pk").values_list("promotion", "amount")
    assert list(points) == [("sale", 900), ("other", 900), ("other", 800), ("other", None)]
    price = ResolvedPrice(1000, None, None)
    prices = {each.pk: price for each in VariantFactory.create_batch(5)}
    with django_assert_num_queries(1):
        note_promoted(store=store, currency="EUR", prices=prices)


def test_many_variants_cost_the_same(store, set_price, django_assert_num_queries):
    variants = VariantFactory.create_batch(6)
    for variant in variants:
        set_price(100, 1000, of=variant)
        set_price(5, 800, 1000, of=variant)
    ids = [variant.pk for variant in variants]
    with django_assert_num_queries(1):
        found = reference_prices(store=store, currency="EUR", variant_ids=ids, before=NOW)
    assert found == dict.fromkeys(ids, 1000)


def test_derived_prices_of_many_variants_cost_the_same(db, set_price, django_assert_num_queries):
    rule = CurrencyRuleFactory(currency="USD", base="EUR")
    ExchangeRateFactory(currency="USD", rate=Decimal("1.25"), date=ago(2).date())
    variants = VariantFactory.create_batch(4)
    for variant in variants:
        set_price(100, 1000, of=variant)
        set_price(5, 800, 1000, of=variant)
    ids = [variant.pk for variant in variants]
    with django_assert_num_queries(3):
        found = reference_prices(store=rule.store, currency="USD", variant_ids=ids, before=NOW)
    assert found == dict.fromkeys(ids, 1250)
