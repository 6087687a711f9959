"""Carriers: who is asked when, what a quote knows of it, and what stands in for them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils.module_loading import import_string

from apps.core.remote import CalledInTransaction, _local
from apps.shipping.carriers.base import (
    Address,
    Carrier,
    CarrierError,
    CarrierRate,
    LabelRequest,
    Package,
    RateRequest,
)
from apps.shipping.engines.tables import NoShippingRate, Parcel, cost, explain
from apps.shipping.selectors import cached_rate, methods_to, table_for
from apps.shipping.services import carriers, refresh_rates
from tests.factories.shipping import (
    ShippingMethodFactory,
    ShippingRateFactory,
    ShippingSurchargeFactory,
)

AT = datetime(2027, 6, 7, 10, tzinfo=UTC)
ADDRESS = {"country": "ES", "region": "M", "postal_code": "28013"}
PARCEL = Parcel(1500, 5000, 2, 1_000_000)


class Post(Carrier):
    """A carrier of the tests: prices by weight, and it fails when it is told to."""

    asked: list[RateRequest] = []
    error: Exception | None = None
    hold: threading.Event | None = None

    def rates(self, request):
        type(self).asked.append(request)
        if self.hold is not None:
            self.hold.wait(timeout=30)
        if self.error is not None:
            raise self.error
        weight = sum(package.weight for package in request.packages)
        return [
            CarrierRate("slow", "Slow", weight // 2, request.currency),
            CarrierRate("fast", "Fast", weight, request.currency),
            CarrierRate("abroad", "Abroad", 1, "USD"),
        ]


@pytest.fixture
def post(settings):
    settings.SHIPPING_CARRIERS = {
        **settings.SHIPPING_CARRIERS,
        "post": "tests.shipping.test_carriers.Post",
    }
    _local.clear()
    # The class as the application imports it.
    found = import_string("tests.shipping.test_carriers.Post")
    found.asked, found.error, found.hold = [], None, None
    yield found
    found.error = found.hold = None


@pytest.fixture
def method(store, post):
    """Carried by the post; its own table asks 9.95."""
    made = ShippingMethodFactory(store=store, carrier="post", service="fast")
    ShippingRateFactory(method=made, price=995)
    return made


def _refresh(store, at=AT, **changes):
    asked = {"currency": "EUR", "address": ADDRESS, "parcel": PARCEL, **changes}
    return refresh_rates(store=store, at=at, **asked)


def _table(store, parcel=PARCEL, address=ADDRESS):
    [method] = methods_to(store=store, currency="EUR", address=address)
    return table_for(method=method, currency="EUR", address=address, parcel=parcel)


def _fallback(store, **where):
    steps = [step.json for step in explain(_table(store, **where), PARCEL)]
    return [step["reason"] for step in steps if step["step"] == "fallback"]


def test_a_quote_reads_what_the_carrier_said(store, method, post):
    assert _refresh(store) == 1
    assert cost(_table(store), PARCEL) == 1500
    place, package = Address("ES", "M", "28013"), Package(1500, 2, 1_000_000)
    assert post.asked == [RateRequest("EUR", Address("ES"), place, (package,))]


def test_surcharges_come_on_top_of_a_carriers_price(store, method):
    ShippingSurchargeFactory(method=method, amount=200)
    _refresh(store)
    assert cost(_table(store), PARCEL) == 1700


def test_reading_asks_nobody(store, method, post):
    assert cost(_table(store), PARCEL) == 995
    assert _fallback(store) == ["carrier_unavailable"]
    assert post.asked == []


def test_one_question_for_all_services_of_a_carrier(store, method, post):
    slow = ShippingMethodFactory(store=store, zone=method.zone, carrier="post", service="slow")
    assert _refresh(store) == 1
    assert len(post.asked) == 1
    found = methods_to(store=store, currency="EUR", address=ADDRESS)
    prices = {
        m.pk: cached_rate(method=m, currency="EUR", address=ADDRESS, parcel=PARCEL) for m in found
    }
    assert prices == {method.pk: 1500, slow.pk: 750}


def test_answers_are_kept_by_place_and_parcel(store, method, post):
    _refresh(store)
    assert _refresh(store, at=AT + timedelta(seconds=899)) == 0
    assert _refresh(store, parcel=Parcel(1500, 1, 2, 1_000_000)) == 0
    assert len(post.asked) == 1
    assert _refresh(store, at=AT + timedelta(seconds=900)) == 1
    assert _refresh(store, parcel=Parcel(1501, 5000, 2, 1_000_000)) == 1
    assert _refresh(store, address={**ADDRESS, "postal_code": "28014"}) == 1
    assert _fallback(store, address={**ADDRESS, "postal_code": "28015"}) == ["carrier_unavailable"]
    assert len(post.asked) == 4


def test_without_a_cache_the_own_table_stands_in(store, method, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert _refresh(store) == 1
    assert (cost(_table(store), PARCEL), _fallback(store)) == (995, ["carrier_unavailable"])


def test_an_answer_that_ran_out_falls_back(store, method):
    _refresh(store)
    cache.clear()
    assert (cost(_table(store), PARCEL), _fallback(store)) == (995, ["carrier_unavailable"])


@pytest.mark.parametrize("service", ["express", "abroad"])
def test_what_the_carrier_does_not_take_is_not_offered(store, method, service):
    """It named no such service; or has no price in the currency, which is the same."""
    method.service = service
    method.save()
    _refresh(store)
    with pytest.raises(NoShippingRate):
        _table(store)


@pytest.mark.parametrize("error", [CarrierError("down", permanent=False), KeyError("rates")])
def test_a_carrier_that_fails_falls_back_and_is_asked_again(store, method, post, error):
    post.error = error
    assert _refresh(store) == 0
    assert _fallback(store) == ["carrier_unavailable"]
    post.error = None
    assert _refresh(store) == 1
    assert _fallback(store) == []


def test_a_refusal_is_remembered_and_opens_nothing(store, method, post):
    post.error = CarrierError("no such postcode", permanent=True)
    assert [_refresh(store) for _ in range(10)] == [0] * 10
    assert len(post.asked) == 1
    assert (cost(_table(store), PARCEL), _fallback(store)) == (995, ["carrier_unavailable"])
    post.error = None
    assert _refresh(store, address={**ADDRESS, "postal_code": "28014"}) == 1


def test_a_carrier_that_keeps_failing_is_left_alone(store, method, post):
    post.error = CarrierError("down", permanent=False)
    for number in range(8):
        _refresh(store, parcel=Parcel(1000 + number, 5000))
    assert len(post.asked) == 5


def test_who_is_late_is_not_waited_for(store, method, post, monkeypatch):
    post.hold = threading.Event()
    monkeypatch.setattr(carriers, "PATIENCE", 0.05)
    try:
        assert _refresh(store) == 0
    finally:
        post.hold.set()
    assert _fallback(store) == ["carrier_unavailable"]


@pytest.mark.django_db(transaction=True)
def test_carriers_are_not_asked_inside_a_transaction(store, method, post):
    with transaction.atomic(), pytest.raises(CalledInTransaction):
        _refresh(store)
    assert post.asked == []
    assert _refresh(store) == 1


def test_a_carrier_that_is_gone_from_the_settings_falls_back(store, method, settings):
    settings.SHIPPING_CARRIERS = {"table": settings.SHIPPING_CARRIERS["table"]}
    assert _refresh(store) == 0
    assert (cost(_table(store), PARCEL), _fallback(store)) == (995, ["carrier_unavailable"])


# 4.95, and 0.50 for each of two started kilograms; the flat carrier asks it for each piece.
@pytest.mark.parametrize(("carrier", "price"), [("table", 695), ("flat", 1290)])
def test_our_own_carriers_need_no_network(store, carrier, price):
    method = ShippingMethodFactory(store=store, carrier=carrier)
    ShippingRateFactory(method=method, price=495, per_kg=50, min_weight=0, free_above=10_000)
    ShippingSurchargeFactory(method=method, amount=100)
    assert _refresh(store) == 0
    assert cost(_table(store), PARCEL) == price
    assert cost(_table(store, Parcel(1500, 10_000, 2)), Parcel(1500, 10_000, 2)) == 100


def test_our_own_carriers_print_no_labels():
    carrier = import_string("apps.shipping.carriers.table.TableCarrier")()
    place = Address("ES")
    for call in (
        lambda: carrier.label(LabelRequest("k", "", place, place, Package(1))),
        lambda: carrier.void("1"),
        lambda: carrier.track("1"),
    ):
        with pytest.raises(CarrierError) as error:
            call()
        assert error.value.permanent
