"""Edits of one order against each other, shipments and cancellations, on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from apps.checkout import services as checkout
from apps.checkout.models import Cart
from apps.fulfillment.services import fulfill
from apps.inventory.selectors import committed_to
from apps.orders import services
from apps.orders.models import Order, OrderEdit
from apps.orders.services import LineChange, OrderChanges, editing
from tests.flows.conftest import ADDRESS, Shop, build_shop
from tests.truths import untruths

pytestmark = pytest.mark.race

AtOnce = Callable[..., list[Any]]


@pytest.fixture
def shop(store: Any, transactional_db: None) -> Shop:
    return build_shop(store)


@pytest.fixture
def order(shop: Shop) -> Order:
    """Two mugs and three books."""
    cart = checkout.create_cart(store=shop.store, lines=[("MUG", 2), ("BOOK", 3)])
    changes = {"email": "ana@example.com", "shipping_address": ADDRESS, "shipping_method": "post"}
    checkout.update_cart(cart=cart, changes=changes)
    placed = checkout.place_order(
        cart=Cart.objects.get(pk=cart.pk), payment=checkout.PaymentChoice("manual")
    )
    return Order.objects.get(pk=placed.order.pk)


def _drafts(order: Order) -> list[OrderEdit]:
    """Eight that each want another number of books."""
    book = str(order.lines.get(sku="BOOK").public_id)
    return [
        services.draft_edit(
            order=order, changes=OrderChanges([LineChange(line=book, quantity=4 + n)])
        )
        for n in range(8)
    ]


def _books(order: Order) -> tuple[int, int]:
    """Pieces that are left to ship, and pieces that are committed."""
    left = sum(line.quantity - line.fulfilled_quantity for line in order.lines.all())
    return left, sum(committed_to(order.reference).values())


def _truths() -> None:
    assert untruths() == {}


def test_of_edits_at_once_one_counts(order: Order, at_once: AtOnce) -> None:
    drafts = _drafts(order)
    answers = at_once(8, lambda n: services.confirm_edit(edit=drafts[n]))

    refused = [answer for answer in answers if isinstance(answer, services.OrderChanged)]
    assert (len(refused), OrderEdit.objects.filter(status="confirmed").count()) == (7, 1)
    left, committed = _books(order)
    assert left == committed
    _truths()


def test_without_the_lock_edits_are_lost(
    order: Order, at_once: AtOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what was compared is another order's by the time of writing."""
    monkeypatch.setattr(editing, "locked", lambda rows: rows)
    drafts = _drafts(order)
    known = editing.plan
    all_have_read = threading.Barrier(8)

    def read(**asked: Any) -> Any:
        planned = known(**asked)
        all_have_read.wait(timeout=30)
        return planned

    monkeypatch.setattr(editing, "plan", read)
    at_once(8, lambda n: services.confirm_edit(edit=drafts[n]))

    confirmed = OrderEdit.objects.filter(status="confirmed")
    assert confirmed.count() > 1
    before, order = order, Order.objects.get(pk=order.pk)
    assert order.total != before.total + sum(edit.delta for edit in confirmed)


@pytest.mark.parametrize("turn", range(3))
def test_an_edit_against_shipments(order: Order, at_once: AtOnce, turn: int) -> None:
    mug = str(order.lines.get(sku="MUG").public_id)

    def act(n: int) -> Any:
        if n % 2:
            return fulfill(order=order, quantities={mug: 1})
        return services.cancel_lines(order=order, quantities={mug: 1})

    answers = at_once(6, act)

    # Two mugs: two of the six got one each.
    assert sum(not isinstance(answer, Exception) for answer in answers) == 2
    left, committed = _books(order)
    assert left == committed
    _truths()


@pytest.mark.parametrize("turn", range(3))
def test_an_edit_against_a_cancellation(order: Order, at_once: AtOnce, turn: int) -> None:
    drafts = _drafts(order)

    def act(n: int) -> Any:
        return services.cancel(order=order) if n == 0 else services.confirm_edit(edit=drafts[n])

    answers = at_once(4, act)

    order.refresh_from_db()
    assert not isinstance(answers[0], Exception)
    assert (order.status, committed_to(order.reference)) == ("cancelled", {})
    _truths()
