"""What a method costs by its table."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.shipping.engines.tables import (
    Band,
    NoShippingRate,
    Parcel,
    Surcharge,
    Table,
    at,
    cost,
    explain,
)
from apps.shipping.engines.zones import Place


def _table(*bands, **options):
    return Table("t", "Table", bands, **options)


WEIGHTS = _table(Band(495, 0, 2000), Band(795, 2000, 5000), Band(1295, 5000, 30_000))
CANARIES, MADRID = Place("ES", "GC", "35001"), Place("ES", "M", "28001")


@pytest.mark.parametrize(
    ("weight", "price"),
    [(0, 495), (1999, 495), (2000, 795), (4999, 795), (5000, 1295), (29_999, 1295)],
)
def test_table_by_weight(weight, price):
    assert cost(WEIGHTS, Parcel(weight, 1000)) == price


def test_no_band_no_price():
    with pytest.raises(NoShippingRate):
        cost(WEIGHTS, Parcel(30_000, 1000))


@pytest.mark.parametrize(("goods", "price"), [(0, 695), (2999, 695), (3000, 395), (6000, 0)])
def test_table_by_value(goods, price):
    table = _table(
        Band(695, max_value=3000),
        Band(395, min_value=3000, max_value=6000),
        Band(0, min_value=6000),
    )
    assert cost(table, Parcel(500, goods)) == price


@pytest.mark.parametrize(("pieces", "price"), [(1, 300), (4, 300), (5, 500), (500, 500)])
def test_table_by_pieces(pieces, price):
    table = _table(Band(300, max_pieces=5), Band(500, min_pieces=5))
    assert cost(table, Parcel(500, 0, pieces)) == price


@pytest.mark.parametrize(
    ("weight", "volume", "price"),
    [
        # 40 x 30 x 20 cm are 24,000 cm³: at 5000 cm³/kg 4.8 kg.
        (1000, 24_000_000, 795),
        (4000, 24_000_000, 795),
        (5000, 24_000_000, 1295),
        # A cubic millimetre more than 2 kg's.
        (100, 9_999_999, 795),
        (100, 9_995_000, 495),
    ],
)
def test_the_greater_of_actual_and_volumetric_weight_is_charged(weight, volume, price):
    assert cost(replace(WEIGHTS, divisor=5000), Parcel(weight, 0, 1, volume)) == price


@pytest.mark.parametrize(("weight", "chargeable"), [(0, 0), (1, 500), (500, 500), (501, 1000)])
def test_weight_is_rounded_up_to_the_step(weight, chargeable):
    steps = explain(_table(Band(1), weight_step=500), Parcel(weight, 0))
    assert steps[0].facts["chargeable"] == chargeable


@pytest.mark.parametrize(
    ("weight", "price"), [(5000, 1000), (5001, 1150), (6000, 1150), (6001, 1300), (9999, 1750)]
)
def test_each_started_kilogram_beyond_the_start_costs(weight, price):
    assert cost(_table(Band(1000, 5000, None, per_kg=150)), Parcel(weight, 0)) == price


@pytest.mark.parametrize(
    ("goods", "weight", "price"),
    [(4999, 500, 495), (5000, 500, 0), (5000, 10_000, 0), (5000, 10_001, 495)],
)
def test_free_above_a_value_up_to_a_weight(goods, weight, price):
    table = _table(Band(495, free_above=5000, free_max_weight=10_000))
    assert cost(table, Parcel(weight, goods)) == price


SURCHARGED = _table(
    Band(1000, free_above=10_000),
    surcharges=(
        Surcharge("Fuel", percent=Decimal("12.5")),
        Surcharge("Islands", amount=600, places=("ES-GC", "ES:07000-07999")),
        Surcharge("Heavy", amount=900, over_weight=20_000),
    ),
)


@pytest.mark.parametrize(
    ("parcel", "place", "price"),
    [
        (Parcel(1000, 0), None, 1125),
        (Parcel(1000, 0), MADRID, 1125),
        (Parcel(1000, 0), CANARIES, 1725),
        (Parcel(1000, 0), Place("ES", "PM", "07001"), 1725),
        (Parcel(20_000, 0), MADRID, 1125),
        (Parcel(20_001, 0), CANARIES, 2625),
        # What the goods waive is the price, and a percentage of it; not the ferry.
        (Parcel(1000, 10_000), MADRID, 0),
        (Parcel(1000, 10_000), CANARIES, 600),
    ],
)
def test_surcharges_come_on_top(parcel, place, price):
    assert cost(SURCHARGED, parcel, place) == price


def test_a_price_is_explained():
    table = replace(SURCHARGED, bands=(Band(850, 5000, 30_000, per_kg=75),), divisor=5000)
    steps = explain(table, Parcel(1000, 4000, 1, 30_000_000), CANARIES)
    assert [step.json for step in steps] == [
        {"step": "weight", "amount": 0, "actual": 1000, "volumetric": 6000, "chargeable": 6000},
        {"step": "band", "amount": 850, "min_weight": 5000, "max_weight": 30_000},
        {"step": "per_kg", "amount": 75, "kilograms": 1, "per_kg": 75},
        # 12.5 % of 925 are 115.625.
        {"step": "surcharge", "amount": 116, "name": "Fuel", "percent": "12.5"},
        {"step": "surcharge", "amount": 600, "name": "Islands"},
    ]


def test_a_carriers_price_stands_for_the_bands():
    table = replace(SURCHARGED, quoted=777)
    steps = [step.json for step in explain(table, Parcel(1000, 0), CANARIES)]
    assert steps[1:3] == [
        {"step": "carrier", "amount": 777},
        {"step": "surcharge", "amount": 97, "name": "Fuel", "percent": "12.5"},
    ]
    assert cost(replace(table, bands=()), Parcel(1000, 0)) == 874
    assert cost(table, Parcel(1000, 10_000)) == 0


def test_a_fallback_is_told():
    steps = explain(replace(WEIGHTS, fallback="no_rate"), Parcel(1000, 0))
    assert steps[1].json == {"step": "fallback", "amount": 0, "reason": "no_rate"}


amounts = st.integers(0, 10**9)
grams = st.integers(0, 200_000)
volumes = st.integers(0, 10**9)
surcharges = st.builds(
    Surcharge,
    name=st.just("x"),
    amount=amounts,
    percent=st.decimals(0, 100, places=2),
    places=st.sampled_from([(), ("ES-GC",), ("ES:28*",)]),
    over_weight=st.none() | grams,
)


@st.composite
def tables(draw):
    """Tables by weight whose heavier bands are dearer, to the end of all weights."""
    starts = sorted({0, *draw(st.lists(st.integers(1, 100_000), max_size=4))})
    per_kg = draw(st.integers(0, 1000))
    bands, price = [], 0
    for low, high in zip(starts, [*starts[1:], None], strict=True):
        price += draw(st.integers(0, 10_000))
        bands.append(Band(price, low, high, per_kg=per_kg))
        price += per_kg * -(-((high or low) - low) // 1000)
    return _table(
        *bands,
        divisor=draw(st.sampled_from([0, 4000, 5000, 6000])),
        weight_step=draw(st.sampled_from([0, 100, 500, 1000])),
        surcharges=tuple(draw(st.lists(surcharges, max_size=3))),
    )


parcels = st.builds(Parcel, grams, amounts, st.integers(1, 50), volumes)
places = st.sampled_from([None, CANARIES, MADRID])


@given(tables(), parcels, places)
def test_prices_are_never_negative_and_equal_their_explanation(table, parcel, place):
    price = cost(table, parcel, place)
    steps = explain(table, parcel, place)
    assert price >= 0
    assert price == sum(step.json["amount"] for step in steps)
    assert json.loads(json.dumps([step.json for step in steps])) == [step.json for step in steps]


@given(tables(), parcels, places, grams, volumes)
def test_more_weight_or_volume_never_costs_less(table, parcel, place, weight, volume):
    more = replace(parcel, weight=parcel.weight + weight, volume=parcel.volume + volume)
    assert cost(table, more, place) >= cost(table, parcel, place)


@given(tables(), parcels, amounts, amounts)
def test_worthier_goods_never_ship_for_more(table, parcel, free_above, goods):
    bands = tuple(replace(band, free_above=free_above) for band in table.bands)
    table = replace(table, bands=bands)
    more = replace(parcel, goods=parcel.goods + goods)
    assert cost(table, more) <= cost(table, parcel)


@given(tables(), parcels, st.sampled_from([CANARIES, MADRID]))
def test_a_table_at_a_place_costs_what_the_whole_costs_there(table, parcel, place):
    assert cost(at(table, place), parcel) == cost(table, parcel, place)
