"""Promises of stock: held, committed, released, shipped."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.errors import Conflict
from apps.inventory import services
from apps.inventory.models import Hold, StockLevel, StockMovement
from apps.inventory.selectors import availability
from apps.inventory.services import InsufficientStock, InvalidQuantity, Want
from tests.factories.inventory import LocationFactory, StockLevelFactory
from tests.factories.products import VariantFactory
from tests.factories.stores import StoreFactory

pytestmark = pytest.mark.usefixtures("invariants")


@pytest.fixture
def near(db):
    return LocationFactory(code="near", priority=1)


@pytest.fixture
def far(db):
    return LocationFactory(code="far", priority=2)


@pytest.fixture
def hold(store):
    """`hold(variant, 3)` or `hold({variant: 3, other: 1}, reference=…)`."""

    def run(variants, quantity=1, *, reference="order:1", **kwargs):
        wanted = variants if isinstance(variants, dict) else {variants: quantity}
        wants = [Want(variant.pk, pieces) for variant, pieces in wanted.items()]
        return services.hold(reference=reference, store_id=store.pk, wants=wants, **kwargs)

    return run


def _numbers(level):
    level.refresh_from_db()
    return level.on_hand, level.held, level.committed, level.available


def test_hold_takes_what_is_available_and_no_more(hold, near, store):
    level = StockLevelFactory(location=near, on_hand=5)
    hold(level.variant, 3)
    assert _numbers(level) == (5, 3, 0, 2)
    with pytest.raises(InsufficientStock) as refused:
        hold(level.variant, 3, reference="order:2")
    assert refused.value.extra == {"unavailable": [{"sku": level.variant.sku, "available": 2}]}
    assert _numbers(level) == (5, 3, 0, 2)
    assert availability(store_id=store.pk, variant_ids=[level.variant_id]) == {level.variant_id: 2}


def test_hold_is_all_or_nothing(hold, near):
    plenty = StockLevelFactory(location=near, on_hand=5)
    scarce = StockLevelFactory(location=near, on_hand=1)
    none = VariantFactory()
    with pytest.raises(InsufficientStock) as refused:
        hold({plenty.variant: 2, scarce.variant: 2, none: 1})
    missing = {row["sku"]: row["available"] for row in refused.value.extra["unavailable"]}
    assert missing == {scarce.variant.sku: 1, none.sku: 0}
    assert _numbers(plenty) == (5, 0, 0, 5)
    assert not Hold.objects.exists()


def test_hold_adds_up_lines_of_one_variant(hold, near, store):
    level = StockLevelFactory(location=near, on_hand=5)
    wants = [Want(level.variant_id, 3), Want(level.variant_id, 3)]
    with pytest.raises(InsufficientStock):
        services.hold(reference="order:1", store_id=store.pk, wants=wants)


@pytest.mark.parametrize("quantity", [0, -1, 2_000_000_001])
def test_hold_refuses_impossible_quantities(hold, near, quantity):
    level = StockLevelFactory(location=near, on_hand=5)
    with pytest.raises(InvalidQuantity):
        hold(level.variant, quantity)


def test_hold_again_for_the_same_reference_is_a_retry(hold, near):
    level = StockLevelFactory(location=near, on_hand=5)
    first = hold(level.variant, 3)
    again = hold(level.variant, 3)
    assert [h.pk for h in first] == [h.pk for h in again]
    assert _numbers(level) == (5, 3, 0, 2)


def test_hold_needs_none_where_stock_is_not_tracked(hold):
    variant = VariantFactory(track_inventory=False)
    assert hold(variant, 1000) == []


def test_hold_prefers_one_location_that_has_everything(hold, near, far):
    variant = VariantFactory()
    few = StockLevelFactory(variant=variant, location=near, on_hand=2)
    many = StockLevelFactory(variant=variant, location=far, on_hand=5)
    hold(variant, 3)
    assert (_numbers(few)[1], _numbers(many)[1]) == (0, 3)
    hold(variant, 2, reference="order:2")
    assert (_numbers(few)[1], _numbers(many)[1]) == (2, 3)


def test_hold_splits_over_locations_the_preferred_ones_first(hold, near, far):
    variant = VariantFactory()
    levels = [
        StockLevelFactory(variant=variant, location=place, on_hand=3) for place in (far, near)
    ]
    hold(variant, 5)
    assert [_numbers(level)[1] for level in levels] == [2, 3]


def test_hold_leaves_other_stores_and_inactive_locations_alone(hold, near, far):
    variant = VariantFactory()
    for place in (near, far):
        StockLevelFactory(variant=variant, location=place, on_hand=3)
    near.stores.add(StoreFactory())
    far.is_active = False
    far.save()
    with pytest.raises(InsufficientStock):
        hold(variant, 1)


def test_backorders_are_promised_up_to_their_limit_and_shipped_when_they_arrive(hold, near):
    level = StockLevelFactory(location=near, on_hand=1, backorder_limit=2)
    hold(level.variant, 3)
    with pytest.raises(InsufficientStock):
        hold(level.variant, 1, reference="order:2")
    services.commit(reference="order:1")
    assert _numbers(level) == (1, 0, 3, 0)
    with pytest.raises(InsufficientStock):
        services.ship(reference="order:1", quantities={level.variant_id: 3}, key="s1")
    services.receive(variant=level.variant, location=near, quantity=2)
    services.ship(reference="order:1", quantities={level.variant_id: 3}, key="s1")
    assert _numbers(level) == (0, 0, 0, 2)


def test_commit_keeps_the_pieces_for_a_confirmed_order(hold, near):
    level = StockLevelFactory(location=near, on_hand=5)
    hold(level.variant, 3)
    assert services.commit(reference="order:1") == 1
    assert services.commit(reference="order:1") == 0
    assert _numbers(level) == (5, 0, 3, 2)
    assert Hold.objects.get().expires_at is None


def test_commit_of_nothing_says_so(db):
    assert services.commit(reference="order:none") == 0


@pytest.mark.parametrize("committed", [False, True])
def test_release_gives_back_once(hold, near, committed):
    level = StockLevelFactory(location=near, on_hand=5)
    hold(level.variant, 3)
    if committed:
        services.commit(reference="order:1")
    assert services.release(reference="order:1") == 3
    assert services.release(reference="order:1") == 0
    assert _numbers(level) == (5, 0, 0, 5)


def test_hold_after_release_takes_again(hold, near):
    level = StockLevelFactory(location=near, on_hand=5)
    hold(level.variant, 3)
    services.release(reference="order:1")
    hold(level.variant, 4)
    assert _numbers(level) == (5, 4, 0, 1)
    assert services.commit(reference="order:1") == 1
    assert _numbers(level) == (5, 0, 4, 1)


@pytest.mark.parametrize("first", [2, 3])
def test_hold_after_shipping_remembers_what_shipped(hold, near, first):
    level = StockLevelFactory(location=near, on_hand=9)
    hold(level.variant, 3)
    services.commit(reference="order:1")
    services.ship(reference="order:1", quantities={level.variant_id: first}, key="s1")
    services.release(reference="order:1")
    hold(level.variant, 1)
    assert _numbers(level) == (9 - first, 1, 0, 8 - first)
    services.commit(reference="order:1")
    services.ship(reference="order:1", quantities={level.variant_id: 1}, key="s2")
    kept = Hold.objects.get()
    assert (kept.quantity, kept.shipped, kept.state) == (first + 1, first + 1, "shipped")
    assert _numbers(level) == (8 - first, 0, 0, 8 - first)


def test_ship_takes_off_the_shelf_with_a_movement(hold, near):
    level = StockLevelFactory(location=near, on_hand=5)
    hold(level.variant, 3)
    services.commit(reference="order:1")
    services.ship(reference="order:1", quantities={level.variant_id: 2}, key="shipment:1")
    assert _numbers(level) == (3, 0, 1, 2)
    movement = StockMovement.objects.latest("pk")
    assert (movement.delta, movement.on_hand_after, movement.reason) == (-2, 3, "ship")
    assert (movement.reference, movement.key) == ("order:1", f"shipment:1:{level.pk}")
    services.ship(reference="order:1", quantities={level.variant_id: 1}, key="shipment:2")
    assert _numbers(level) == (2, 0, 0, 2)
    assert Hold.objects.get().state == Hold.State.SHIPPED


def test_ship_refuses_more_than_is_committed(hold, near):
    level = StockLevelFactory(location=near, on_hand=5)
    hold(level.variant, 3)
    with pytest.raises(Conflict):
        services.ship(reference="order:1", quantities={level.variant_id: 1}, key="s0")
    services.commit(reference="order:1")
    with pytest.raises(Conflict):
        services.ship(reference="order:1", quantities={level.variant_id: 4}, key="s1")
    assert _numbers(level) == (5, 0, 3, 2)


@pytest.mark.parametrize("quantity", [0, -1])
def test_ship_refuses_impossible_quantities(hold, near, quantity):
    level = StockLevelFactory(location=near, on_hand=5)
    hold(level.variant, 3)
    services.commit(reference="order:1")
    with pytest.raises(InvalidQuantity):
        services.ship(reference="order:1", quantities={level.variant_id: quantity}, key="s1")
    assert _numbers(level) == (5, 0, 3, 2)


def test_ship_leaves_untracked_variants_alone(db):
    variant = VariantFactory(track_inventory=False)
    services.ship(reference="order:1", quantities={variant.pk: 3}, key="s1")
    assert not StockMovement.objects.exists()


def test_ship_empties_several_locations(hold, near, far):
    variant = VariantFactory()
    levels = [
        StockLevelFactory(variant=variant, location=place, on_hand=3) for place in (near, far)
    ]
    hold(variant, 5)
    services.commit(reference="order:1")
    services.ship(reference="order:1", quantities={variant.pk: 4}, key="s1")
    assert sum(_numbers(level)[0] for level in levels) == 2
    services.ship(reference="order:1", quantities={variant.pk: 1}, key="s2")
    assert [_numbers(level) for level in levels] == [(0, 0, 0, 0), (1, 0, 0, 1)]


def test_release_after_a_part_shipped_gives_back_the_rest(hold, near):
    level = StockLevelFactory(location=near, on_hand=5)
    hold(level.variant, 3)
    services.commit(reference="order:1")
    services.ship(reference="order:1", quantities={level.variant_id: 2}, key="s1")
    assert services.release(reference="order:1") == 1
    assert _numbers(level) == (3, 0, 0, 3)


def test_expired_holds_are_released_and_others_stay(hold, near):
    level = StockLevelFactory(location=near, on_hand=9)
    now = timezone.now()
    hold(level.variant, 1, reference="order:old", expires_at=now - timedelta(seconds=1))
    hold(level.variant, 2, reference="order:new", expires_at=now + timedelta(minutes=1))
    hold(level.variant, 4, reference="order:paid", expires_at=now - timedelta(seconds=1))
    services.commit(reference="order:paid")
    assert services.release_expired(now=now) == 1
    assert services.release_expired(now=now) == 0
    assert _numbers(level) == (9, 2, 4, 3)


def test_a_hold_lives_for_thirty_minutes(hold, near):
    level = StockLevelFactory(location=near, on_hand=5)
    before = timezone.now()
    hold(level.variant)
    assert (
        timedelta(0)
        <= Hold.objects.get().expires_at - before - timedelta(minutes=30)
        < (timedelta(seconds=10))
    )


def test_holding_costs_the_same_for_any_number_of_lines(hold, near, django_assert_max_num_queries):
    variants = [StockLevelFactory(location=near, on_hand=5).variant for _ in range(10)]
    # One guarded UPDATE for each line, the rest together.
    with django_assert_max_num_queries(12 + 10):
        hold(dict.fromkeys(variants, 1))
    assert StockLevel.objects.filter(held=1).count() == 10
