"""Many at once, on PostgreSQL; and proof that the lock is what holds them."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from apps.core.errors import DomainError
from apps.fulfillment import services
from apps.fulfillment.models import Fulfillment
from apps.fulfillment.services import calling, labels, planning, together
from apps.inventory.models import StockMovement
from apps.orders import services as orders
from apps.orders.models import Order
from tests.fulfillment.conftest import PRIORITY
from tests.truths import untruths

pytestmark = pytest.mark.race


def _truths():
    assert untruths() == {}


def _won(answers):
    assert [a for a in answers if isinstance(a, Exception) and not isinstance(a, DomainError)] == []
    return [a for a in answers if not isinstance(a, Exception)]


def test_a_shipment_leaves_once(buy, at_once):
    [shipment] = services.plan_whole(order=buy(("MUG", 3)))
    answers = at_once(8, lambda _n: services.ship(shipment=shipment))
    assert len(_won(answers)) == 1
    assert sum(StockMovement.objects.filter(reason="ship").values_list("delta", flat=True)) == -3
    _truths()


def test_pieces_are_set_aside_once(buy, at_once):
    order = buy(("MUG", 3))
    [line] = order.lines.all()
    two = {str(line.public_id): 2}
    answers = at_once(8, lambda _n: services.plan(order=order, quantities=two))
    assert len(_won(answers)) == 1
    _truths()


def test_without_the_lock_they_are_set_aside_twice(buy, at_once, monkeypatch):
    """The negative control: reading before the lock lets several see the same rest."""
    order = buy(("MUG", 3))
    [line] = order.lines.all()
    two = {str(line.public_id): 2}
    known = planning.set_aside
    all_have_read = threading.Barrier(4)

    def read(order):
        found = known(order)
        all_have_read.wait(timeout=30)
        return found

    monkeypatch.setattr(planning, "locked", lambda queryset: queryset)
    monkeypatch.setattr(planning, "set_aside", read)
    answers = at_once(4, lambda _n: services.plan(order=order, quantities=two))
    assert len(_won(answers)) == 4
    assert untruths()
    Fulfillment.objects.all().delete()


@pytest.mark.parametrize("round_", range(3))
def test_an_order_ships_or_is_cancelled(buy, at_once, round_):
    order = buy(("MUG", 3))
    [shipment] = services.plan_whole(order=order)

    def one(number):
        if number % 2:
            return orders.cancel(order=Order.objects.get(pk=order.pk))
        return services.ship(shipment=shipment)

    assert len(_won(at_once(6, one))) == 1
    order.refresh_from_db()
    shipment.refresh_from_db()
    if order.status == "cancelled":
        services.cancel_waiting(order_id=str(order.public_id))
        shipment.refresh_from_db()
    assert (order.status, shipment.status) in (("shipped", "shipped"), ("cancelled", "cancelled"))
    _truths()


def test_a_label_is_bought_once_by_a_crowd(buy, shipstation, at_once):
    [shipment] = services.plan_whole(order=buy(("BOOK", 2)))
    shipstation.fault("/v1/labels", delay=0.2, times=99)

    def one(_number):
        return services.buy_labels(shipment=shipment, carrier="shipstation", service=PRIORITY)

    _won(at_once(8, one))
    assert len(shipstation.parcels) == 1
    _truths()


def test_without_the_claim_it_is_bought_twice(buy, shipstation, at_once, monkeypatch):
    """The negative control: the simulator sells whatever it is asked for."""
    [shipment] = services.plan_whole(order=buy(("BOOK", 2)))
    [label] = labels.request_labels(shipment=shipment, carrier="shipstation", service=PRIORITY)
    shipstation.fault("/v1/labels", delay=0.3, times=99)
    # A claim that is over at once.
    monkeypatch.setattr(calling, "CLAIM", timedelta(minutes=-1))
    at_once(8, lambda _n: labels.drive(label=label))
    assert len(shipstation.parcels) > 1


@pytest.fixture
def pair(buy):
    return services.ship_together(orders=[buy(("BOOK", 1)), buy(("BOOK", 2))])


def test_a_shared_label_is_bought_once_from_both_sides(pair, shipstation, at_once):
    shipstation.fault("/v1/labels", delay=0.2, times=99)

    def one(number):
        return services.buy_labels(
            shipment=pair[number % 2], carrier="shipstation", service=PRIORITY
        )

    _won(at_once(8, one))
    assert len(shipstation.parcels) == 1
    _truths()


def test_a_shared_parcel_leaves_once_from_both_sides(pair, at_once):
    answers = at_once(8, lambda number: services.ship(shipment=pair[number % 2]))
    assert len(_won(answers)) == 1
    assert sum(StockMovement.objects.filter(reason="ship").values_list("delta", flat=True)) == -3
    _truths()


@pytest.mark.parametrize("round_", range(3))
def test_a_shared_parcel_leaves_or_one_is_taken_out(pair, at_once, round_):
    calls = (
        lambda: services.ship(shipment=pair[0]),
        lambda: services.cancel_shipment(shipment=pair[1]),
        lambda: services.separate(shipment=pair[0]),
        lambda: services.ship(shipment=pair[1]),
    )
    assert _won(at_once(8, lambda number: calls[number % 4]()))
    _truths()


@pytest.mark.parametrize("round_", range(3))
def test_orders_are_put_together_or_leave_alone(buy, at_once, round_):
    both = [buy(("BOOK", 1)), buy(("BOOK", 2))]
    [alone] = services.plan_whole(order=both[1])

    def one(number):
        if number % 2:
            return services.ship(shipment=alone)
        return services.ship_together(orders=both)

    assert _won(at_once(6, one))
    _truths()


def test_without_the_lock_what_has_left_is_put_together(buy, at_once, monkeypatch):
    """The negative control: somebody else ships between the look and the writing."""
    both = [buy(("BOOK", 1)), buy(("BOOK", 2))]
    [alone] = services.plan_whole(order=both[1])
    known = together.obstacle
    looked, shipped = threading.Event(), threading.Event()

    def look(shipments):
        looked.set()
        assert shipped.wait(timeout=30)
        return known(shipments)

    monkeypatch.setattr(together, "lock_orders", lambda pks: {order.pk for order in both})
    monkeypatch.setattr(planning, "locked", lambda queryset: queryset)
    monkeypatch.setattr(together, "obstacle", look)

    def one(number):
        if not number:
            return services.ship_together(orders=both)
        assert looked.wait(timeout=30)
        try:
            return services.ship(shipment=alone)
        finally:
            shipped.set()

    assert len(_won(at_once(2, one))) == 2
    assert untruths()
    Fulfillment.objects.update(carried_by=None)
