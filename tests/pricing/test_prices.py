"""Prices are set with a line in the history, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from apps.core.context import Actor, acting
from apps.core.models import OutboxMessage
from apps.core.money import MoneyError
from apps.customers.services.profile import GroupInUse, delete_group
from apps.pricing import services
from apps.pricing.models import Price, PricePoint
from apps.pricing.services import InvalidPrice, PriceData, PriceExists
from apps.pricing.services.prices import MAX_PRICE
from tests.factories.pricing import PriceFactory, PriceListFactory
from tests.factories.products import VariantFactory

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def variant(db):
    return VariantFactory()


def _history():
    return list(PricePoint.objects.order_by("pk").values_list("amount", "min_quantity"))


def test_setting_a_price_writes_its_history(variant):
    with acting(Actor(label="clerk@example.com")):
        assert services.set_price(variant=variant, currency="EUR", amount=1000) is True
    assert services.set_price(variant=variant, currency="EUR", amount=1000) is False
    assert services.set_price(variant=variant, currency="EUR", amount=900, compare_at=1000) is True
    assert (Price.objects.get().amount, Price.objects.get().compare_at) == (900, 1000)
    assert _history() == [(1000, 1), (900, 1)]
    assert PricePoint.objects.earliest("pk").actor == "clerk@example.com"


def test_a_removed_price_ends_in_the_history(variant):
    services.remove_price(price=PriceFactory(variant=variant))
    assert _history() == [(1000, 1), (None, 1)]
    assert not Price.objects.exists()


def test_every_part_of_the_scope_is_a_price_of_its_own(variant, store):
    base = {"variant_id": variant.pk, "amount": 1}
    rows = [
        PriceData(currency="EUR", **base),
        PriceData(currency="USD", **base),
        PriceData(currency="EUR", store_id=store.pk, **base),
        PriceData(currency="EUR", price_list_id=PriceListFactory().pk, **base),
        PriceData(currency="EUR", min_quantity=2, **base),
        PriceData(currency="EUR", valid_from=NOW, **base),
    ]
    assert services.set_prices(rows) == [True] * 6
    assert services.set_prices(rows) == [False] * 6
    assert Price.objects.count() == 6


def test_one_moment_is_one_start_in_every_time_zone(variant):
    there = NOW.astimezone(timezone(timedelta(hours=5)))
    assert services.set_price(variant=variant, currency="EUR", amount=1, valid=(NOW, None))
    assert not services.set_price(variant=variant, currency="EUR", amount=1, valid=(there, None))
    assert Price.objects.count() == 1


def test_the_last_of_two_prices_for_one_scope_stays(variant):
    rows = [PriceData(variant.pk, "EUR", amount) for amount in (100, 200)]
    assert services.set_prices(rows) == [True, True]
    assert Price.objects.get().amount == 200
    assert _history() == [(200, 1)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": -1},
        {"amount": MAX_PRICE + 1},
        {"compare_at": -1},
        {"min_quantity": 0},
        {"valid_from": NOW, "valid_to": NOW},
    ],
)
def test_an_impossible_price_sets_none(variant, wrong):
    good = PriceData(VariantFactory().pk, "EUR", 1)
    bad = {"variant_id": variant.pk, "currency": "EUR", "amount": 1, **wrong}
    with pytest.raises(InvalidPrice):
        services.set_prices([good, PriceData(**bad)])
    assert not Price.objects.exists()
    assert not PricePoint.objects.exists()


def test_an_unknown_currency_is_refused(variant):
    with pytest.raises(MoneyError):
        services.set_price(variant=variant, currency="XXX", amount=1)


def test_changing_what_names_a_price_ends_the_old_one(variant):
    price = PriceFactory(variant=variant)
    moved = services.change_price(
        price=price, data=PriceData(variant.pk, "EUR", 1000, min_quantity=5)
    )
    assert (moved.pk, moved.public_id) == (price.pk, price.public_id)
    assert Price.objects.get().scope == moved.scope_text()
    assert _history() == [(1000, 1), (None, 1), (1000, 5)]


def test_a_price_does_not_move_onto_another(variant):
    price = PriceFactory(variant=variant)
    PriceFactory(variant=variant, min_quantity=5)
    with pytest.raises(PriceExists):
        services.change_price(price=price, data=PriceData(variant.pk, "EUR", 1, min_quantity=5))
    with pytest.raises(PriceExists):
        services.add_price(data=PriceData(variant.pk, "EUR", 1))
    assert _history() == [(1000, 1), (1000, 5)]


def test_many_prices_cost_the_same(db, django_assert_max_num_queries):
    variants = VariantFactory.create_batch(30)
    rows = [PriceData(v.pk, "EUR", 100) for v in variants]
    costs = [PriceData(v.pk, "EUR", 200) for v in variants]
    with django_assert_max_num_queries(9):
        services.set_prices(rows)
    with django_assert_max_num_queries(9):
        services.set_prices(costs)
    assert PricePoint.objects.count() == 60


def test_a_change_is_published_for_its_product(variant):
    services.set_price(variant=variant, currency="EUR", amount=1)
    OutboxMessage.objects.all().delete()
    services.set_price(variant=variant, currency="EUR", amount=1)
    assert not OutboxMessage.objects.filter(name="price.changed").exists()
    services.set_price(variant=variant, currency="EUR", amount=2)
    told = OutboxMessage.objects.filter(name="price.changed")
    assert told.values("event_id").distinct().count() == 1
    assert told[0].payload == {"product_ids": [str(variant.product.public_id)]}


def test_a_group_whose_list_priced_something_is_not_deleted(variant):
    """Its history would read as a price for everybody."""
    price_list = PriceListFactory()
    services.remove_price(price=PriceFactory(variant=variant, price_list=price_list))
    with pytest.raises(GroupInUse):
        delete_group(group=price_list.group)


def test_history_is_written_once(variant):
    services.set_price(variant=variant, currency="EUR", amount=1)
    point = PricePoint.objects.get()
    with pytest.raises(TypeError):
        point.save()
    with pytest.raises(TypeError):
        point.delete()
