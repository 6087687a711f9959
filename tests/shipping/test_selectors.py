"""Which methods ship to an address."""

from __future__ import annotations

import pytest

from apps.shipping.selectors import methods_to
from tests.factories.shipping import ShippingMethodFactory, ShippingRateFactory, ZoneFactory
from tests.factories.stores import StoreFactory


@pytest.fixture
def method(store):
    """`method("code", "ES", "PT")`: a method of the store to these places."""

    def make(code, *places, currency="EUR", **kwargs):
        kwargs.setdefault("store", store)
        made = ShippingMethodFactory(code=code, zone=ZoneFactory(places=list(places)), **kwargs)
        ShippingRateFactory(method=made, currency=currency)
        return made

    return make


def _codes(store, country, region="", currency="EUR"):
    address = {"country": country, "region": region}
    return [m.code for m in methods_to(store=store, currency=currency, address=address)]


def test_the_most_specific_zones_win(store, method):
    method("islands", "ES-GC", "ES-TF")
    method("spain", "ES")
    method("iberia", "ES", "PT")
    method("world", "*")
    assert _codes(store, "ES", "GC") == ["islands"]
    assert _codes(store, "ES", "M") == ["spain", "iberia"]
    assert _codes(store, "PT") == ["iberia"]
    assert _codes(store, "JP", "GC") == ["world"]


def test_without_a_zone_nothing_ships(store, method):
    method("spain", "ES")
    assert _codes(store, "FR") == []


def test_methods_of_other_stores_and_inactive_ones_are_left_out(store, method):
    method("spain", "ES", store=StoreFactory())
    method("closed", "ES", is_active=False)
    assert _codes(store, "ES") == []


def test_methods_without_a_rate_in_the_currency_are_left_out(store, method):
    method("euro", "ES")
    method("dollar", "ES", currency="USD")
    assert _codes(store, "ES", currency="USD") == ["dollar"]
    assert _codes(store, "ES", currency="JPY") == []


def test_methods_come_in_their_order_with_the_bands_of_the_currency(store, method):
    method("second", "ES", position=2)
    first = method("first", "ES", position=1)
    ShippingRateFactory(method=first, min_weight=5000, price=900)
    ShippingRateFactory(method=first, currency="USD", price=1)
    found = methods_to(store=store, currency="EUR", address={"country": "ES"})
    assert [m.code for m in found] == ["first", "second"]
    assert [(band.min_weight, band.price) for band in found[0].bands] == [(0, 495), (5000, 900)]


def test_methods_cost_three_queries(store, method, django_assert_num_queries):
    for number in range(5):
        method(f"m{number}", "ES")
    with django_assert_num_queries(3):
        assert len(_codes(store, "ES")) == 5
