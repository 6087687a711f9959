"""Which location sends an order: by priority, the nearest, or fewest parcels."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from apps.inventory import services
from apps.inventory.engines.allocation import allocate, distance
from apps.inventory.models import AllocationRule, Hold
from apps.inventory.selectors import sources
from apps.inventory.services import Want
from tests.factories.inventory import LocationFactory, StockLevelFactory
from tests.factories.products import VariantFactory

MADRID = {"country": "ES", "postal_code": "28013"}
WANTED = st.dictionaries(st.integers(1, 3), st.integers(1, 5), min_size=1)
FREE = st.dictionaries(
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(1, 4), st.integers(-1, 6)), unique_by=lambda p: p[0]),
)


@given(WANTED, FREE, st.booleans())
def test_nothing_is_made_up_or_lost(wanted, free, fewest):
    takes, short = allocate(wanted, free, fewest=fewest)
    had = {(variant, place): n for variant in free for place, n in free[variant]}
    for variant, quantity in wanted.items():
        taken = [(place, n) for v, place, n in takes if v == variant]
        assert sum(n for _place, n in taken) == (0 if variant in short else quantity)
        assert all(0 < n <= had[variant, place] for place, n in taken)


@given(WANTED, FREE)
def test_fewest_takes_no_more_places_than_by_preference(wanted, free):
    (by_preference, short), (fewest, short_too) = (
        allocate(wanted, free),
        allocate(wanted, free, fewest=True),
    )
    assert short == short_too
    if not short:
        assert len({p for _v, p, _n in fewest}) <= len({p for _v, p, _n in by_preference})


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        ({"country": "ES", "postal_code": "28001"}, {"country": "ES", "postal_code": "08001"}),
        ({"country": "ES"}, {"country": "PT", "postal_code": "28013"}),
        ({"country": "ES", "postal_code": "28 013"}, {"country": "ES", "postal_code": "28011"}),
    ],
)
def test_distance(nearer, farther):
    assert distance(nearer, MADRID) < distance(farther, MADRID)


@pytest.fixture
def shelves(db):
    """Barcelona comes first and has mugs, Madrid has both, Valencia has books."""
    mug, book = VariantFactory(), VariantFactory()
    for code, priority, postcode, stock in (
        ("barcelona", 1, "08001", {mug: 9}),
        ("madrid", 3, "28001", {mug: 9, book: 9}),
        ("valencia", 2, "46001", {book: 9}),
    ):
        place = LocationFactory(code=code, priority=priority, address={"postal_code": postcode})
        for variant, pieces in stock.items():
            StockLevelFactory(variant=variant, location=place, on_hand=pieces)
    return mug, book


@pytest.mark.usefixtures("invariants")
@pytest.mark.parametrize(
    ("strategy", "senders"),
    [
        (None, ["barcelona", "valencia"]),
        ("priority", ["barcelona", "valencia"]),
        ("nearest", ["madrid", "madrid"]),
        ("fewest", ["madrid", "madrid"]),
    ],
)
def test_the_stores_rule_decides_and_the_quote_knows_it(store, shelves, strategy, senders):
    if strategy:
        AllocationRule.objects.create(store=store, strategy=strategy)
    wants = {variant.pk: 2 for variant in shelves}
    with CaptureQueriesContext(connection) as queries:
        quoted = sources(store_id=store.pk, wanted=wants, destination=MADRID)
    services.hold(
        reference="order:1",
        store_id=store.pk,
        wants=[Want(pk, n) for pk, n in wants.items()],
        destination=MADRID,
    )
    held = Hold.objects.order_by("level__variant_id").values_list(
        "level__location__code", "quantity"
    )
    assert list(held) == [(code, 2) for code in senders]
    assert [(source.code, n) for _variant, source, n in quoted] == list(held)
    assert len(queries) == 1
