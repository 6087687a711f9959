"""Splits of one order against each other, shipments, captures and edits, on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from apps.checkout import services as checkout
from apps.checkout.models import Cart
from apps.fulfillment.services import fulfill
from apps.inventory.selectors import committed_to
from apps.orders.models import Order, OrderLine
from apps.orders.services import cancel_lines, splitting
from apps.payments import services as payments
from tests.flows.conftest import ADDRESS, Shop, build_shop
from tests.truths import untruths

pytestmark = pytest.mark.race

AtOnce = Callable[..., list[Any]]


@pytest.fixture
def shop(store: Any, transactional_db: None) -> Shop:
    return build_shop(store)


@pytest.fixture
def order(shop: Shop) -> Order:
    """Two mugs and eight books."""
    cart = checkout.create_cart(store=shop.store, lines=[("MUG", 2), ("BOOK", 8)])
    changes = {"email": "ana@example.com", "shipping_address": ADDRESS, "shipping_method": "post"}
    checkout.update_cart(cart=cart, changes=changes)
    placed = checkout.place_order(
        cart=Cart.objects.get(pk=cart.pk), payment=checkout.PaymentChoice("manual")
    )
    return Order.objects.get(pk=placed.order.pk)


def _mug(order: Order) -> dict[str, int]:
    return {str(order.lines.get(sku="MUG").public_id): 1}


def _truths(total: int) -> None:
    """All pieces, all stock and all money are there once."""
    orders = list(Order.objects.all())
    assert sum(order.total for order in orders) == total
    assert sum(order.authorized_amount for order in orders) == total
    left = [
        (line.sku, line.quantity - line.fulfilled_quantity)
        for line in OrderLine.objects.select_related("order")
    ]
    committed = [n for order in orders for n in committed_to(order.reference).values()]
    assert sum(n for _sku, n in left) == sum(committed)
    assert untruths() == {}


def test_of_splits_at_once_as_many_work_as_there_are_pieces(order: Order, at_once: AtOnce) -> None:
    pieces = _mug(order)
    answers = at_once(6, lambda n: checkout.split_order(order=order, pieces=pieces))

    made = [answer for answer in answers if isinstance(answer, Order)]
    assert (len(made), Order.objects.count()) == (2, 3)
    _truths(order.total)


def test_without_the_lock_pieces_are_sold_twice(
    order: Order, at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: each divides the order that it read."""
    for place in (
        "checkout.services.splitting",
        "orders.services.splitting",
        "payments.services.dividing",
    ):
        monkeypatch.setattr(f"apps.{place}.locked", lambda rows: rows.order_by("pk"))
    known = splitting.lines_of
    all_have_read = threading.Barrier(6)

    def read(order: Order) -> Any:
        lines = known(order)
        all_have_read.wait(timeout=30)
        return lines

    monkeypatch.setattr(splitting, "lines_of", read)
    pieces = _mug(order)
    at_once(6, lambda n: checkout.split_order(order=order, pieces=pieces))

    found = untruths()
    assert found or sum(o.total for o in Order.objects.all()) != order.total


@pytest.mark.parametrize("turn", range(3))
def test_a_split_against_shipments(order: Order, at_once: AtOnce, turn: int) -> None:
    pieces = _mug(order)

    def act(n: int) -> Any:
        if n % 2:
            return fulfill(order=order, quantities=pieces)
        return checkout.split_order(order=order, pieces=pieces)

    answers = at_once(6, act)

    # Two mugs: two of the six got one each.
    assert sum(not isinstance(answer, Exception) for answer in answers) == 2, answers
    _truths(order.total)


@pytest.mark.parametrize("turn", range(3))
def test_a_split_against_captures(order: Order, at_once: AtOnce, turn: int) -> None:
    pieces = _mug(order)

    def act(n: int) -> Any:
        if n % 2:
            return payments.capture_order(order=order)
        return checkout.split_order(order=order, pieces=pieces)

    answers = at_once(4, act)

    refused = [a for a in answers if isinstance(a, Exception)]
    assert all(hasattr(a, "code") for a in refused), refused
    _truths(order.total)


def test_a_split_against_edits(order: Order, at_once: AtOnce) -> None:
    pieces = _mug(order)

    def act(n: int) -> Any:
        if n % 2:
            return cancel_lines(order=order, quantities=pieces)
        return checkout.split_order(order=order, pieces=pieces)

    answers = at_once(6, act)

    assert sum(not isinstance(answer, Exception) for answer in answers) == 2, answers
    assert untruths() == {}
