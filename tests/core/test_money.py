"""Money is integers of a currency's own minor units."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.money import (
    CURRENCIES,
    MAX_AMOUNT,
    Money,
    MoneyError,
    allocate,
    decimal_string,
    exponent,
    money_json,
    round_half_up,
    to_decimal,
    to_minor,
)

WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [
        ("EUR", "12.50", 1250),
        ("JPY", "500", 500),
        ("KWD", "1.234", 1234),
        ("CLF", "1.2345", 12345),
        ("EUR", "-0.01", -1),
        ("EUR", "1e2", 10000),
    ],
)
def test_amounts_are_in_minor_units_of_their_currency(currency, text, minor):
    assert to_minor(text, currency) == minor
    assert to_decimal(minor, currency) == Decimal(text)


@pytest.mark.parametrize(
    "value", ["", "x", "NaN", "Infinity", "1e400", "12,50", None, [], "9223372036854775808"]
)
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(MoneyError):
        to_minor(value, "EUR")


@pytest.mark.parametrize(
    ("currency", "text"), [("EUR", "0.001"), ("JPY", "0.5"), ("KWD", "0.0001")]
)
def test_more_decimals_than_the_currency_has_are_refused(currency, text):
    with pytest.raises(MoneyError):
        to_minor(text, currency)


@pytest.mark.parametrize("code", ["EEK", "eur", "", "EURO", "XXX"])
def test_unknown_currencies_are_refused(code):
    with pytest.raises(MoneyError):
        exponent(code)


def test_json_has_the_decimals_of_the_currency():
    assert money_json(1250, "EUR") == {"amount": "12.50", "currency": "EUR"}
    assert [decimal_string(5, c) for c in ("JPY", "EUR", "KWD")] == ["5", "0.05", "0.005"]
    assert decimal_string(-5, "EUR") == "-0.05"
    assert decimal_string(MAX_AMOUNT, "EUR") == "92233720368547758.07"


@pytest.mark.parametrize(
    ("value", "whole"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("0.49", 0)]
)
def test_halves_are_rounded_away_from_zero(value, whole):
    assert round_half_up(Decimal(value)) == whole


@given(st.integers(-MAX_AMOUNT, MAX_AMOUNT), st.sampled_from(CURRENCIES))
def test_a_decimal_is_the_exact_amount(amount, currency):
    assert to_minor(decimal_string(amount, currency), currency) == amount


@given(st.integers(-MAX_AMOUNT, MAX_AMOUNT), WEIGHTS)
def test_parts_sum_to_the_total_and_are_fair(total, weights):
    parts = allocate(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        if whole:
            # Never a whole unit from the exact share.
            assert abs(part * whole - total * weight) < whole
            continue
        assert abs(part - Decimal(total) / len(weights)) < 1


@given(st.integers(0, 10**12), WEIGHTS)
def test_a_refund_is_split_as_the_sale_was(total, weights):
    assert allocate(-total, weights) == [-part for part in allocate(total, weights)]


def test_units_left_over_go_to_the_largest_remainders_then_the_first():
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(10, [1, 2, 4]) == [1, 3, 6]
    assert allocate(5, [0, 0]) == [3, 2]
    assert allocate(0, [1, 2]) == [0, 0]


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(MoneyError):
        allocate(10, weights)


def test_currencies_do_not_mix():
    euro, yen = Money.of("1", "EUR"), Money.of("1", "JPY")
    assert euro + Money.of("0.50", "EUR") == Money(150, "EUR")
    assert euro * 3 - euro == Money(200, "EUR")
    assert -euro < euro
    for mix in (lambda: euro + yen, lambda: euro - yen, lambda: euro < yen):
        with pytest.raises(MoneyError):
            mix()
    with pytest.raises(MoneyError):
        Money(1, "EEK")
    assert euro != Money(1, "EUR")
    assert [m.amount for m in Money(100, "EUR").allocate([1, 2])] == [33, 67]
