"""Which price wins: list over store over everybody, by quantity, at a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.pricing.selectors import Tier, prices_for
from tests.factories.pricing import PriceFactory, PriceListFactory
from tests.factories.products import VariantFactory
from tests.factories.stores import StoreFactory

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def variant(db):
    return VariantFactory()


@pytest.fixture
def vip(db):
    return PriceListFactory(code="vip", priority=1)


def resolve(variant, store, *, group_id=None, at=NOW, currency="EUR"):
    found = prices_for(
        store=store, currency=currency, variant_ids=[variant.pk], group_id=group_id, at=at
    )
    return found.get(variant.pk)


def test_a_variant_without_a_price_in_the_currency_is_left_out(variant, store):
    PriceFactory(variant=variant, currency="USD")
    assert resolve(variant, store) is None
    assert resolve(variant, store, currency="USD").amount == 1000


def test_the_most_specific_price_wins(variant, store, vip):
    everywhere = PriceFactory(variant=variant, amount=1000)
    assert resolve(variant, store).amount == everywhere.amount
    PriceFactory(variant=variant, amount=900, store=store)
    PriceFactory(variant=variant, amount=100, store=StoreFactory())
    assert resolve(variant, store).amount == 900
    PriceFactory(variant=variant, amount=1200, price_list=vip)
    assert resolve(variant, store).amount == 900
    assert resolve(variant, store, group_id=vip.group_id).amount == 1200
    PriceFactory(variant=variant, amount=1300, price_list=vip, store=store)
    assert resolve(variant, store, group_id=vip.group_id).amount == 1300


def test_the_list_of_the_highest_priority_wins(variant, store, vip):
    PriceFactory(variant=variant, amount=1000)
    PriceFactory(variant=variant, amount=500, price_list=vip, store=store)
    better = PriceListFactory(group=vip.group, priority=2)
    PriceFactory(variant=variant, amount=800, price_list=better)
    assert resolve(variant, store, group_id=vip.group_id).amount == 800
    better.is_active = False
    better.save()
    assert resolve(variant, store, group_id=vip.group_id).amount == 500


def test_the_list_of_another_group_is_not_for_everybody(variant, store, vip):
    PriceFactory(variant=variant, amount=500, price_list=vip)
    assert resolve(variant, store) is None
    assert resolve(variant, store, group_id=vip.group_id + 1) is None


def test_a_window_opens_and_closes_to_the_second(variant, store):
    PriceFactory(variant=variant, amount=1000)
    PriceFactory(variant=variant, amount=700, compare_at=1000, valid_from=NOW, valid_to=NOW + HOUR)
    second = timedelta(seconds=1)
    amounts = [
        resolve(variant, store, at=at).amount
        for at in (NOW - second, NOW, NOW + HOUR - second, NOW + HOUR)
    ]
    assert amounts == [1000, 700, 700, 1000]
    assert resolve(variant, store).compare_at == 1000


def test_the_latest_start_wins(variant, store):
    PriceFactory(variant=variant, amount=1000)
    PriceFactory(variant=variant, amount=900, valid_from=NOW - 2 * HOUR)
    PriceFactory(variant=variant, amount=950, valid_from=NOW - HOUR)
    assert resolve(variant, store).amount == 950
    assert resolve(variant, store, at=NOW - HOUR - HOUR / 2).amount == 900


def test_next_change_is_the_next_window_that_opens_or_closes(variant, store, vip):
    PriceFactory(variant=variant, amount=1000)
    assert resolve(variant, store).next_change_at is None
    PriceFactory(variant=variant, amount=1, valid_from=NOW + 3 * HOUR)
    PriceFactory(variant=variant, amount=2, valid_from=NOW - HOUR, valid_to=NOW + 2 * HOUR)
    PriceFactory(variant=variant, amount=3, price_list=vip, valid_from=NOW + HOUR)
    assert resolve(variant, store).next_change_at == NOW + 2 * HOUR
    assert resolve(variant, store, group_id=vip.group_id).next_change_at == NOW + HOUR
    assert resolve(variant, store, at=NOW + 2 * HOUR).next_change_at == NOW + 3 * HOUR
    assert resolve(variant, store, at=NOW + 3 * HOUR).next_change_at is None


def _steps(price, quantities=(1, 4, 5, 9, 10, 100)):
    return [price.for_quantity(quantity).amount for quantity in quantities]


def test_tiers_begin_at_their_quantity(variant, store):
    for quantity, amount in ((1, 1000), (5, 900), (10, 800)):
        PriceFactory(variant=variant, amount=amount, min_quantity=quantity)
    price = resolve(variant, store)
    assert _steps(price) == [1000, 1000, 900, 900, 800, 800]
    assert price.tiers[1] == Tier(5, 900, None)


def test_a_variant_with_tiers_alone_is_not_for_sale(variant, store, vip):
    PriceFactory(variant=variant, amount=900, min_quantity=5)
    assert resolve(variant, store) is None
    PriceFactory(variant=variant, amount=1000, price_list=vip)
    assert _steps(resolve(variant, store, group_id=vip.group_id)) == [1000] * 6


def test_tiers_for_everybody_do_not_apply_over_more_specific_prices(variant, store, vip):
    """Neither cheaper nor dearer than what was agreed for fewer pieces."""
    PriceFactory(variant=variant, amount=1000)
    PriceFactory(variant=variant, amount=900, min_quantity=10)
    PriceFactory(variant=variant, amount=700, price_list=vip)
    assert _steps(resolve(variant, store)) == [1000, 1000, 1000, 1000, 900, 900]
    assert _steps(resolve(variant, store, group_id=vip.group_id)) == [700] * 6
    PriceFactory(variant=variant, amount=800, store=store)
    assert _steps(resolve(variant, store)) == [800] * 6
    assert _steps(resolve(variant, StoreFactory()))[-1] == 900


def test_a_list_may_have_tiers_over_the_price_for_everybody(variant, store, vip):
    PriceFactory(variant=variant, amount=1000)
    PriceFactory(variant=variant, amount=600, price_list=vip, min_quantity=5)
    PriceFactory(variant=variant, amount=800, min_quantity=10)
    price = resolve(variant, store, group_id=vip.group_id)
    assert _steps(price) == [1000, 1000, 600, 600, 600, 600]
    assert _steps(resolve(variant, store)) == [1000, 1000, 1000, 1000, 800, 800]


def test_a_basket_costs_one_query(store, vip, django_assert_num_queries):
    variants = VariantFactory.create_batch(12)
    for variant in variants:
        PriceFactory(variant=variant)
        PriceFactory(variant=variant, store=store, price_list=vip, min_quantity=3)
    with django_assert_num_queries(1):
        found = prices_for(
            store=store,
            currency="EUR",
            variant_ids=[v.pk for v in variants],
            group_id=vip.group_id,
            at=NOW,
        )
    assert set(found) == {v.pk for v in variants}
