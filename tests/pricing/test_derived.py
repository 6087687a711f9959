"""Prices in a currency without prices of its own: converted, rounded, never wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.pricing.models import MAX_PRICE, CurrencyRule
from apps.pricing.selectors import FrozenRate, Tier, prices_for, rounded
from apps.pricing.services import (
    CurrencyRuleExists,
    InvalidCurrencyRule,
    delete_currency_rule,
    save_currency_rule,
)
from tests.factories.pricing import CurrencyRuleFactory, PriceFactory, PriceListFactory
from tests.factories.products import VariantFactory
from tests.factories.stores import ExchangeRateFactory, StoreFactory

NOW = datetime(2030, 6, 3, 12, tzinfo=UTC)
DAY = NOW.date()
HOUR = timedelta(hours=1)
VALUES = st.decimals(min_value=0, max_value=10**12, allow_nan=False, places=6)


@st.composite
def _steps(draw):
    round_to = draw(st.integers(1, 100_000))
    return round_to, draw(st.integers(0, round_to - 1))


@given(VALUES, _steps())
def test_a_price_ends_as_the_rule_says_and_is_never_nothing(value, steps):
    round_to, minus = steps
    price = rounded(value, round_to=round_to, minus=minus)
    assert price == rounded(value, round_to=round_to, minus=minus)
    if value == 0:
        assert price == 0
    else:
        assert price > 0
        assert (price + minus) % round_to == 0


@given(VALUES, VALUES, _steps())
def test_a_dearer_price_stays_as_dear(one, two, steps):
    round_to, minus = steps
    low, high = sorted((one, two))
    assert rounded(low, round_to=round_to, minus=minus) <= rounded(
        high, round_to=round_to, minus=minus
    )


@given(VALUES, _steps())
def test_no_allowed_price_is_nearer(value, steps):
    round_to, minus = steps
    price = rounded(value, round_to=round_to, minus=minus)
    if value > 0:
        away = abs(price - value)
        assert away <= abs(price + round_to - value)
        assert price - round_to <= 0 or away <= abs(price - round_to - value)


@pytest.mark.parametrize(
    ("value", "round_to", "minus", "price"),
    [
        ("1234.4", 1, 0, 1234),
        ("1234.5", 1, 0, 1235),
        # Euros and dollars: .99, .95, the next 0.05, whole ones.
        ("1234", 100, 1, 1199),
        ("1249", 100, 1, 1299),
        ("1250", 100, 1, 1299),
        ("1234", 100, 5, 1195),
        ("1232", 5, 0, 1230),
        ("1232.5", 5, 0, 1235),
        ("1249.9", 100, 0, 1200),
        ("0.1", 100, 1, 99),
        ("0.1", 5, 0, 5),
        # Yen and won, which have no coins: …980, whole hundreds.
        ("1980.4", 1000, 20, 1980),
        ("2490", 1000, 20, 2980),
        ("15449", 100, 0, 15400),
        ("15450", 100, 0, 15500),
        # Kuwaiti dinars of a thousand fils: .990, the next 0.05.
        ("12345", 1000, 10, 11990),
        ("12500", 1000, 10, 12990),
        ("12374", 50, 0, 12350),
        ("12375", 50, 0, 12400),
    ],
)
def test_rounding_in_minor_units(value, round_to, minus, price):
    assert rounded(Decimal(value), round_to=round_to, minus=minus) == price


@pytest.fixture
def variant(db):
    return VariantFactory()


def selling(*currencies, **fields):
    return StoreFactory(currencies=list(currencies), **fields)


def resolve(variant, store, currency="USD", *, at=NOW, group_id=None):
    found = prices_for(
        store=store, currency=currency, variant_ids=[variant.pk], at=at, group_id=group_id
    )
    return found.get(variant.pk)


def test_a_price_is_derived_by_the_days_rate(variant):
    store = CurrencyRuleFactory().store
    PriceFactory(variant=variant, amount=1000, compare_at=1500)
    ExchangeRateFactory(rate=Decimal("1.1"), date=DAY - timedelta(days=3))
    ExchangeRateFactory(rate=Decimal("1.2345"), date=DAY)
    ExchangeRateFactory(rate=Decimal("2"), date=DAY + timedelta(days=1))
    price = resolve(variant, store)
    assert (price.amount, price.compare_at) == (1235, 1852)
    assert price.rate == FrozenRate("EUR", "USD", Decimal("1.2345"), DAY)
    assert price.tiers == (Tier(1, 1235, 1852),)
    # Over a weekend, or while the bank is silent, the last one counts.
    earlier = resolve(variant, store, at=NOW - timedelta(days=1))
    assert (earlier.amount, earlier.rate.date) == (1100, DAY - timedelta(days=3))
    assert resolve(variant, store, "EUR").rate is None


@pytest.mark.parametrize(
    ("currency", "rate", "round_to", "minus", "price"),
    [
        ("JPY", "160.25", 1, 0, 3203),
        ("JPY", "160.25", 1000, 20, 2980),
        ("KRW", "1500.5", 100, 0, 30_000),
        ("HUF", "390.125", 100, 0, 779_900),
        ("HUF", "390.125", 10_000, 1000, 779_000),
        ("KWD", "0.3512", 1, 0, 7020),
        ("KWD", "0.3512", 1000, 10, 6990),
        ("CHF", "0.9512", 5, 0, 1900),
    ],
)
def test_each_currency_in_its_own_minor_units(variant, currency, rate, round_to, minus, price):
    store = selling(currency)
    CurrencyRuleFactory(store=store, currency=currency, round_to=round_to, minus=minus)
    # 19.99 euros.
    PriceFactory(variant=variant, amount=1999)
    ExchangeRateFactory(currency=currency, rate=Decimal(rate), date=DAY)
    assert resolve(variant, store, currency).amount == price


def test_euros_are_derived_from_yen_and_dinars_from_dollars(variant):
    store = selling("EUR", "KWD", default_currency="JPY")
    CurrencyRuleFactory(store=store, currency="EUR", base="JPY")
    CurrencyRuleFactory(store=store, currency="KWD", base="USD")
    for currency, value in (("JPY", "160"), ("USD", "1.25"), ("KWD", "0.4")):
        ExchangeRateFactory(currency=currency, rate=Decimal(value), date=DAY)
    PriceFactory(variant=variant, currency="JPY", amount=3201)
    PriceFactory(variant=variant, currency="USD", amount=1000)
    assert resolve(variant, store, "EUR").amount == 2001
    kuwait = resolve(variant, store, "KWD")
    assert (kuwait.amount, kuwait.rate.value) == (3200, Decimal("0.32"))


def test_the_surcharge_comes_before_the_rounding(variant):
    store = selling("USD")
    CurrencyRuleFactory(store=store, surcharge=Decimal("2.5"), round_to=100, minus=1)
    PriceFactory(variant=variant, amount=1000)
    ExchangeRateFactory(rate=Decimal("1.22"), date=DAY)
    # 12.20 would be 11.99; 12.505 is 12.99.
    assert resolve(variant, store).amount == 1299
    assert resolve(variant, store).rate.value == Decimal("1.22")


def test_a_price_of_its_own_comes_first(variant):
    store = CurrencyRuleFactory().store
    ExchangeRateFactory(date=DAY)
    PriceFactory(variant=variant, amount=1000)
    opens, closes = NOW + HOUR, NOW + 2 * HOUR
    PriceFactory(variant=variant, currency="USD", amount=999, valid_from=opens, valid_to=closes)
    derived, own = resolve(variant, store), resolve(variant, store, at=opens)
    assert (derived.amount, derived.next_change_at) == (1250, opens)
    assert (own.amount, own.next_change_at, own.rate) == (999, closes, None)
    assert resolve(variant, store, at=closes).amount == 1250


def test_lists_and_tiers_are_derived_too(variant):
    store = CurrencyRuleFactory().store
    vip = PriceListFactory()
    ExchangeRateFactory(rate=Decimal(2), date=DAY)
    PriceFactory(variant=variant, amount=1000)
    PriceFactory(variant=variant, amount=800, min_quantity=10)
    PriceFactory(variant=variant, amount=700, price_list=vip)
    assert resolve(variant, store).tiers == (Tier(1, 2000, None), Tier(10, 1600, None))
    assert resolve(variant, store, group_id=vip.group_id).amount == 1400


def test_what_is_free_stays_free(variant):
    store = CurrencyRuleFactory(round_to=100, minus=1).store
    ExchangeRateFactory(date=DAY)
    PriceFactory(variant=variant, amount=0)
    assert resolve(variant, store).amount == 0


def test_there_is_no_price_rather_than_a_wrong_one(variant):
    store = CurrencyRuleFactory().store
    PriceFactory(variant=variant, amount=1000)
    assert resolve(variant, store) is None
    ExchangeRateFactory(date=DAY + timedelta(days=1))
    assert resolve(variant, store) is None
    ExchangeRateFactory(date=DAY)
    assert resolve(variant, store).amount == 1250
    # Other stores, other currencies, and rules that are switched off derive nothing.
    assert resolve(variant, selling("USD")) is None
    assert resolve(variant, store, "JPY") is None
    rule = CurrencyRule.objects.get()
    save_currency_rule(rule=rule, changes={"mode": "fixed"})
    assert resolve(variant, store) is None


def test_a_price_that_no_one_could_keep_is_none(variant):
    store = CurrencyRuleFactory().store
    PriceFactory(variant=variant, amount=MAX_PRICE)
    ExchangeRateFactory(rate=Decimal("1.25"), date=DAY)
    assert resolve(variant, store) is None


def test_a_basket_costs_one_query_and_three_with_derived_prices(django_assert_num_queries, store):
    rule = CurrencyRuleFactory()
    ExchangeRateFactory(date=DAY)
    variants = VariantFactory.create_batch(8)
    for variant in variants:
        PriceFactory(variant=variant)

    def ask(where, currency):
        ids = [variant.pk for variant in variants]
        return prices_for(store=where, currency=currency, variant_ids=ids, at=NOW)

    with django_assert_num_queries(1):
        assert len(ask(store, "EUR")) == 8
    with django_assert_num_queries(1):
        assert ask(store, "USD") == {}
    with django_assert_num_queries(3):
        assert len(ask(rule.store, "USD")) == 8
    for variant in variants:
        PriceFactory(variant=variant, currency="USD")
    with django_assert_num_queries(1):
        assert len(ask(rule.store, "USD")) == 8


# Rules.


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"base": "USD"}, "base"),
        ({"currency": "GBP"}, "currency"),
        ({"surcharge": Decimal(-1)}, "surcharge"),
        ({"surcharge": Decimal("100.001")}, "surcharge"),
        ({"round_to": 0}, "round_to"),
        ({"minus": 1}, "minus"),
        ({"minus": -1}, "minus"),
        ({"round_to": 100, "minus": 100}, "minus"),
    ],
)
def test_an_impossible_rule_is_refused(db, changes, field):
    with pytest.raises(InvalidCurrencyRule) as refused:
        CurrencyRuleFactory(**changes)
    assert refused.value.field == field
    assert not CurrencyRule.objects.exists()


def test_a_store_has_one_rule_for_a_currency(db):
    rule = CurrencyRuleFactory()
    with pytest.raises(CurrencyRuleExists):
        CurrencyRuleFactory(store=rule.store)
    delete_currency_rule(rule=rule)
    assert CurrencyRuleFactory(store=rule.store).mode == "derived"


def test_a_rate_of_another_day_is_told_by_its_date(variant):
    store = CurrencyRuleFactory().store
    PriceFactory(variant=variant)
    ExchangeRateFactory(date=date(2029, 1, 1))
    assert resolve(variant, store).rate.date == date(2029, 1, 1)
