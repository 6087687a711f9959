"""Patterns of places, and which zone an address belongs to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.shipping.engines.zones import Level, PatternError, Place, level, parse


def _place(country, region="", postal_code=""):
    return Place.of({"country": country, "region": region, "postal_code": postal_code})


@pytest.mark.parametrize(
    ("pattern", "place", "fits"),
    [
        ("*", _place("JP"), True),
        ("ES", _place("ES", "GC", "35001"), True),
        ("ES", _place("PT"), False),
        ("ES-GC", _place("ES", "GC"), True),
        ("ES-GC", _place("ES", "ES-GC"), True),
        ("ES-GC", _place("ES", "M"), False),
        ("ES-GC", _place("ES"), False),
        ("ES:35001", _place("ES", "", "35001"), True),
        ("ES:35001", _place("ES", "", "35002"), False),
        ("ES:35001", _place("FR", "", "35001"), False),
        ("ES:35000-35999", _place("ES", "", "35000"), True),
        ("ES:35000-35999", _place("ES", "", "35999"), True),
        ("ES:35000-35999", _place("ES", "", "34999"), False),
        ("ES:35000-35999", _place("ES", "", "36000"), False),
        ("ES:35000-35999", _place("ES", "", "355"), False),
        ("ES:35000-35999", _place("ES"), False),
        ("GB:BT*", _place("GB", "", "bt1 1aa"), True),
        ("GB:BT*", _place("GB", "", "B1 1BT"), False),
        ("GB:SW1A 1AA", _place("GB", "", "sw1a1aa"), True),
        ("PL:00-950", _place("PL", "", "00950"), True),
        ("PT:9000-000..9999-999", _place("PT", "", "9500-321"), True),
        ("PT:9000-000..9999-999", _place("PT", "", "8999-999"), False),
        ("US:96701", _place("US", "HI", "96701-1234"), True),
        ("US:96700-96799", _place("US", "HI", "96701-1234"), True),
        ("BR:01310-100", _place("BR", "SP", "01310100"), True),
    ],
)
def test_pattern_fits_a_place(pattern, place, fits):
    assert parse(pattern).fits(place) is fits


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" es-gc ", "ES-GC"),
        ("gb: bt *", "GB:BT*"),
        ("gb:sw1a 1aa", "GB:SW1A1AA"),
        ("pt:9000-000..9999-999", "PT:9000000-9999999"),
        ("es:35000 - 35999", "ES:35000-35999"),
        ("pl:00-950", "PL:00950"),
        ("*", "*"),
    ],
)
def test_patterns_are_kept_in_one_spelling(typed, kept):
    assert str(parse(typed)) == kept
    assert parse(kept) == parse(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Spain", "unknown_place"),
        ("", "unknown_place"),
        ("ES-", "invalid_region"),
        ("ES-ABCD", "invalid_region"),
        ("Spain:1", "unknown_place"),
        ("ES:", "invalid_postcodes"),
        ("ES:*", "invalid_postcodes"),
        ("ES:3*5", "invalid_postcodes"),
        ("ES:35..3599", "invalid_postcodes"),
        ("ES:35000-35999*", "invalid_postcodes"),
        ("ES:35999-35000", "reversed_range"),
        ("ES:" + "1" * 50, "unknown_place"),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_reason(typed, code):
    with pytest.raises(PatternError) as error:
        parse(typed)
    assert error.value.code == code


def test_the_closest_pattern_of_a_zone_counts():
    patterns = ["*", "ES", "ES-GC", "ES:35000-35999"]
    assert level(patterns, _place("ES", "GC", "35100")) is Level.POSTCODE
    assert level(patterns, _place("ES", "GC", "38001")) is Level.REGION
    assert level(patterns, _place("ES", "M", "28001")) is Level.COUNTRY
    assert level(patterns, _place("FR")) is Level.EVERYWHERE
    assert level(patterns[1:], _place("FR")) is Level.NOWHERE


def test_an_exclusion_beats_every_pattern():
    patterns, without = ["*", "ES", "ES:35001"], ["ES-GC", "US"]
    assert level(patterns, _place("ES", "GC", "35001"), without) is Level.NOWHERE
    assert level(patterns, _place("ES", "TF", "35001"), without) is Level.POSTCODE
    assert level(patterns, _place("US"), without) is Level.NOWHERE


codes = st.text("ABC019", min_size=1, max_size=5)


@given(codes, codes, codes)
def test_prefix_and_exact_agree_with_strings(code, other, rest):
    place = Place("XX", "", code + rest)
    assert parse(f"XX:{other}*").fits(place) is (code + rest).startswith(other)
    assert parse(f"XX:{code}{rest}").fits(place)


@given(*[st.integers(0, 99_999)] * 3)
def test_ranges_of_numbers_are_ranges(low, high, number):
    low, high = sorted((low, high))
    place = Place("XX", "", f"{number:05}")
    assert parse(f"XX:{low:05}-{high:05}").fits(place) is (low <= number <= high)


@given(st.text(max_size=60))
def test_reading_never_fails_otherwise(text):
    try:
        pattern = parse(text)
    except PatternError:
        return
    assert parse(str(pattern)) == pattern
