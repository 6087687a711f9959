"""Where a product lies, and when it arrives."""

from __future__ import annotations

from datetime import time

import pytest
from django.utils import timezone

from apps.inventory.models import Location, StockLevel
from apps.inventory.services import receive
from apps.shipping.models import ShippingRate
from tests.factories.shipping import HolidayFactory, PickupPointFactory, ShippingMethodFactory
from tests.flows.conftest import ADDRESS

PATH = "/api/v1/products/lamp/availability/"
# A Friday afternoon, after the cut-off.
NOW = timezone.datetime(2026, 11, 20, 16, 0, tzinfo=timezone.get_fixed_timezone(0))


@pytest.fixture
def lamp(sell, store, location, time_machine):
    """3 pieces in a warehouse, sent in 1 to 2 days or fetched at a corner shop and at a kiosk."""
    time_machine.move_to(NOW, tick=False)
    product = sell(1000, stock=3, slug="lamp", name="Lamp")
    zone = {"zone__places": ["ES"], "store": store}
    post = {"min_days": 1, "max_days": 2, "cutoff_time": time(14)}
    methods = [
        ShippingMethodFactory(code="slow", name="Slow", min_days=4, max_days=6, **zone),
        ShippingMethodFactory(code="post", name="Post", **zone, **post),
        ShippingMethodFactory(code="fetch", kind="pickup", min_days=0, max_days=0, **zone),
    ]
    for method in methods:
        ShippingRate.objects.get_or_create(method=method, currency="EUR", defaults={"price": 1})
    Location.objects.create(code="corner", name="Corner")
    for name, code in (("Corner", "corner"), ("Kiosk", "")):
        PickupPointFactory(method=methods[2], name=name, location_code=code, address=ADDRESS)
    return product


def of_lamp(api, **query):
    response = api.get(PATH, query)
    assert response.status_code == 200, response.content
    body = response.json()
    (variant,) = body["variants"]
    names = {point["id"]: point["name"] for point in body["pickup_points"]}
    there = {names[p["point"]]: (p["availability"], p["ready"]) for p in variant["pickup"]}
    return variant["availability"], variant["delivery"], there


def test_quickest_delivery_and_points_are_told(api, lamp, django_assert_num_queries):
    HolidayFactory(country="ES", date="2026-11-24")
    with django_assert_num_queries(9):
        state, delivery, there = of_lamp(api)
    assert state == "in_stock"
    assert (delivery["method"], delivery["name"]) == ("post", "Post")
    # It leaves on Monday; Tuesday is a holiday.
    assert (delivery["earliest"], delivery["latest"]) == ("2026-11-25", "2026-11-26")
    assert there == {"Corner": ("none", None), "Kiosk": ("in_stock", "2026-11-20")}


def test_stock_is_told_by_states(api, lamp):
    variant = lamp.variants.get()
    level = StockLevel.objects.get()
    level.low_stock_threshold = 3
    level.save()
    receive(variant=variant, location=Location.objects.get(code="corner"), quantity=1)
    state, _delivery, there = of_lamp(api)
    assert (state, there["Corner"]) == ("in_stock", ("in_stock", "2026-11-20"))
    StockLevel.objects.filter(location__code="corner").update(held=1)
    state, _delivery, there = of_lamp(api)
    assert (state, there["Corner"], there["Kiosk"][0]) == ("limited", ("none", None), "limited")


def test_backorder_promises_no_day(api, lamp):
    StockLevel.objects.update(held=3, backorder_limit=5)
    assert of_lamp(api) == ("backorder", None, {})


def test_place_is_the_stores_or_the_one_asked_for(api, lamp):
    assert of_lamp(api, country="es", postal_code="28013")[1]["method"] == "post"
    assert of_lamp(api, country="FR") == ("in_stock", None, {})
    for wrong in ({"country": "XX"}, {"postal_code": "1" * 21}, {"city": "Madrid"}):
        assert api.get(PATH, wrong).status_code == 400
    assert api.get("/api/v1/products/nothing/availability/").status_code == 404


def test_too_heavy_for_a_method_goes_by_another(api, lamp):
    lamp.variants.update(weight=9_000)
    ShippingRate.objects.filter(method__code="post").update(max_weight=5_000)
    assert of_lamp(api)[1]["method"] == "slow"


def test_file_is_not_sent(api, lamp):
    lamp.variants.update(requires_shipping=False)
    assert of_lamp(api) == ("in_stock", None, {})
