"""Orders that were paid, sent and delivered, so that they can come back."""

from __future__ import annotations

from typing import Any

import pytest

from apps.fulfillment.services import fulfill, mark_delivered
from apps.orders.models import Order
from apps.payments import services as payments
from apps.payments.selectors import payments_of
from apps.returns.models import ReturnLine
from apps.returns.services import Wish
from tests.flows.conftest import Buyer, Shop, buyer, shop, simulator

__all__ = ["Buyer", "Shop", "buyer", "shop", "simulator"]


def pay_and_send(order: Order, *, delivered: bool = True) -> Order:
    """Capture, ship all of it, and have it arrive."""
    for payment in payments_of(order):
        if payment.status == "authorized":
            payments.capture(payment=payment)
    order.refresh_from_db()
    shipment = fulfill(order=order)
    if delivered:
        mark_delivered(shipment=shipment)
    return Order.objects.select_related("store").get(pk=order.pk)


def buy(buyer: Any, *lines: tuple[str, int], **cart: Any) -> Order:
    """What a guest bought for 12.00 a mug and 20.00 a book, and 4.95 for the post."""
    buyer.fill(*lines, **cart)
    answer = buyer.checkout()
    assert answer.status_code == 201, answer.json()
    return Order.objects.get(number=answer.json()["order"]["number"])


def wish(order: Order, sku: str, quantity: int = 1, **changes: Any) -> Wish:
    line = order.lines.get(sku=sku)
    return Wish(
        line.public_id, quantity, changes.pop("reason", ReturnLine.Reason.CHANGED_MIND), **changes
    )


@pytest.fixture
def order(buyer: Any) -> Order:
    """Three mugs and two books: 76.00, and 4.95 for the post."""
    return pay_and_send(buy(buyer, ("MUG", 3), ("BOOK", 2)))
