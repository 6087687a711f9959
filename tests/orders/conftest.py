"""Orders as they come from the till, and staff who work with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.orders.models import Order
from apps.orders.services import transition
from tests.backoffice.conftest import order, staff, viewer
from tests.flows.conftest import ADDRESS, Buyer, buyer, shop, simulator

__all__ = ["buyer", "order", "shop", "simulator", "staff", "viewer"]


@pytest.fixture
def place(buyer: Buyer) -> Callable[..., Order]:
    """Places an order of one book, confirmed; `first_name` and `email` name who."""

    def make(email: str = "bea@example.com", first_name: str = "Bea") -> Order:
        address = {**ADDRESS, "first_name": first_name, "last_name": "Núñez"}
        buyer.fill(("BOOK", 1), email=email, shipping_address=address)
        number = buyer.checkout().json()["order"]["number"]
        return Order.objects.get(number=number)

    return make


@pytest.fixture
def delivered(place: Callable[..., Order]) -> Callable[..., Order]:
    """Places an order and brings it to the customer's door, `days` ago."""

    def make(days: int) -> Order:
        order = place()
        for event in ("process", "ship", "deliver"):
            transition(order=order, event=event)
        moment = timezone.now() - timedelta(days=days)
        Order.objects.filter(pk=order.pk).update(delivered_at=moment)
        return Order.objects.get(pk=order.pk)

    return make
