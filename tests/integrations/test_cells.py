"""Cells into values: what may mean two things is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.spreadsheet import neutral, restore
from apps.integrations.channels import cells
from apps.integrations.channels.base import Context, Refused

EUR = Context("EUR")
SEMICOLONS = Context("EUR", decimal_comma=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", "12"),
        ("12.5", "12.5"),
        ("12,5", "12.5"),
        ("1,234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("1 234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1.234", "1.234"),
        ("0.005", "0.005"),
    ],
)
def test_number_is_read(text, value):
    assert cells.number(text, EUR, "c") == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1,234", "-1", "-0.00", "+1", "1e400", "NaN", "Infinity", "0x10", "1_000", "٣"),
        *("1,2,3", "1.2.3", "12,34.5", "€5", "=1+1", "1..2", ",5", "5,", "1,234.567,8"),
    ],
)
def test_number_that_may_mean_anything_is_refused(text):
    with pytest.raises(Refused):
        cells.number(text, EUR, "c")


def test_point_before_three_digits_is_refused_where_the_comma_is_the_decimal_sign():
    assert cells.number("1.23", SEMICOLONS, "c") == Decimal("1.23")
    with pytest.raises(Refused):
        cells.number("1.234", SEMICOLONS, "c")


def test_price_has_the_decimals_of_its_currency():
    assert cells.money("12,5", EUR, "c") == 1250
    assert cells.money("500", Context("JPY"), "c") == 500
    assert cells.money("1.234", Context("KWD"), "c") == 1234
    for text, currency in [("0.005", "EUR"), ("1.5", "JPY"), ("9" * 15, "EUR")]:
        if text == "9" * 15:
            assert cells.money(text, Context(currency), "c") == 99999999999999900
            continue
        with pytest.raises(Refused):
            cells.money(text, Context(currency), "c")


@pytest.mark.parametrize(
    ("text", "unit", "grams"),
    [("1", "kg", 1000), ("1.5", "lb", 680), ("16", "oz", 454), ("226.796185", "g", 227)],
)
def test_weight_is_in_grams_to_the_nearest(text, unit, grams):
    assert cells.grams(text, unit, EUR, "c") == grams


def test_unknown_unit_is_refused():
    with pytest.raises(Refused):
        cells.grams("1", "stone", EUR, "c")


@pytest.mark.parametrize(
    ("text", "value"), [("TRUE", True), ("no", False), ("1", True), ("0", False), ("", None)]
)
def test_boolean_is_read(text, value):
    assert cells.boolean(text, "c") is value


@pytest.mark.parametrize("text", ["1.5", "1e3", "0x10", "٣", "--1", "1_0", "9" * 13])
def test_integer_that_is_none_is_refused(text):
    with pytest.raises(Refused):
        cells.integer(text, "c", negative=True)


def test_stock_below_zero_is_nothing():
    assert [cells.pieces(text, "c") for text in ("-5", "0", "12", "12.0")] == [0, 0, 12, 12]


def test_date_is_the_shops_day(settings):
    settings.TIME_ZONE = "Europe/Madrid"
    assert cells.moment("2026-07-01", "c") == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert cells.moment("2026-07-01", "c", end_of_day=True) == datetime(
        2026, 7, 1, 21, 59, 59, tzinfo=UTC
    )
    assert cells.moment("2026-07-01T00:00:00+00:00", "c") == datetime(2026, 7, 1, tzinfo=UTC)
    for text in ("2026-02-30", "01/07/2026", "soon", "2026-13-01T00:00:00Z"):
        with pytest.raises(Refused):
            cells.moment(text, "c")


@pytest.mark.parametrize(
    "text",
    ["{", '{"a": NaN}', '{"a": 1e999}', '{"a": "\\u0000"}', '{"a": "\\ud800"}', "[" * 100_000],
)
def test_json_no_database_can_keep_is_refused(text):
    with pytest.raises(Refused):
        cells.json_value(text, "c")


def test_lists_and_paths_are_read():
    assert cells.words("a, b ,, a,c\\, d") == ["a", "b", "c, d"]
    assert cells.path("Food, Beverages & Tobacco > Cakes") == ("Food, Beverages & Tobacco", "Cakes")
    assert cells.paths("A > B, C\\, D > E\\>F") == [("A", "B"), ("C, D", "E>F")]


trimmed = st.text(min_size=1, max_size=12).map(str.strip).filter(bool)


@given(st.lists(st.lists(trimmed, min_size=1, max_size=4).map(tuple), max_size=4, unique=True))
def test_paths_are_read_as_they_were_written(paths):
    text = ", ".join(cells.joined(path, " > ") for path in paths)
    assert cells.paths(text) == paths


@given(st.lists(trimmed, max_size=5, unique=True))
def test_words_are_read_as_they_were_written(words):
    assert cells.words(cells.joined(words, ", ")) == words


@given(st.text(alphabet="'=+-@\t\r\nab", max_size=6))
def test_restored_cell_is_what_was_neutralised(text):
    assert restore(neutral(text)) == text
    assert not neutral(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.text(max_size=40), st.text(max_size=40))
def test_slugs_of_different_texts_differ(one, other):
    same = one.strip().lower() == other.strip().lower()
    assert (cells.slug_of(one) == cells.slug_of(other)) is same


def test_slug_that_is_one_already_stays():
    assert cells.slug_of(" Ocean-Blue-Shirt ") == "ocean-blue-shirt"
    assert cells.slug_of("Café") != "cafe"
    assert cells.slug_of("短袖衬衫").isascii()
