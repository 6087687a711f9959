"""Orders that wait for their shipments, and a ShipStation that can be told to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.core.providers import provider
from apps.core.remote import _local
from apps.orders.models import Order
from apps.shipping.carriers.shipstation.simulator import ShipStationSimulator
from tests.flows.conftest import ADDRESS, Buyer, Shop, build_shop

PRIORITY = "se-1:usps_priority_mail"
HERE = {
    "company": "Main",
    "line1": "Calle de Toledo 1",
    "city": "Madrid",
    "region": "M",
    "postal_code": "28005",
    "phone": "+34910000000",
}


@pytest.fixture
def shop(store: Any) -> Shop:
    made = build_shop(store)
    for place in (made.near, made.far):
        place.address = HERE
        place.save()
    return made


@pytest.fixture
def buy(api: Any, shop: Shop) -> Callable[..., Order]:
    """`buy(("MUG", 4))` is a confirmed order of somebody in Madrid, unless `address` says more."""

    def order(*lines: tuple[str, int], **address: str) -> Order:
        buyer = Buyer(api)
        buyer.fill(*lines, shipping_address={**ADDRESS, **address})
        done = buyer.checkout()
        assert done.status_code == 201, done.json()
        return Order.objects.get(number=done.json()["order"]["number"])

    return order


@pytest.fixture(scope="session")
def _running() -> Iterator[ShipStationSimulator]:
    with ShipStationSimulator() as running:
        yield running


@pytest.fixture
def shipstation(settings: Any, _running: ShipStationSimulator) -> ShipStationSimulator:
    for kept in (_running.parcels, _running.exchanges, _running.faults, _running.orders):
        kept.clear()
    _running.refusal = ""
    settings.SHIPSTATION_API_KEY = _running.api_key
    settings.SHIPSTATION_API_BASE = settings.SHIPSTATION_V1_BASE = _running.url
    settings.SHIPSTATION_CARRIER_IDS = ["se-1"]
    settings.SHIPSTATION_ORIGIN = ["ES", "M", "28005", "Madrid"]
    settings.SHIPSTATION_V1_KEY, settings.SHIPSTATION_V1_SECRET = "key", "secret"
    provider.cache_clear()
    _local.clear()
    return _running
