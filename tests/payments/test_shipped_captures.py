"""Captured with each shipment: its share, the last one the rest, to the minor unit."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from apps.core import outbox
from apps.core.errors import DomainError
from apps.fulfillment.services import fulfill
from apps.orders.models import Order, OrderLine
from apps.orders.services import cancel, cancel_lines
from apps.payments import services
from apps.payments.gateways.paypal.simulator import Fault
from apps.payments.models import Capture, Payment
from apps.payments.selectors import shipped_share
from tests.factories.promotions import PromotionFactory
from tests.flows.conftest import Buyer, buyer, paypal, shop, simulator
from tests.payments.gateways import Bench, PayPalBench, StripeBench
from tests.payments.test_captures import BACK, CAPTURES

__all__ = ["buyer", "paypal", "shop", "simulator"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
# A third off 3 × 12.00 and 20.00, and 4.95 for the post.
PRICE = 3_752 + 495


@pytest.fixture(params=["stripe", "paypal"])
def bench(request: Any, settings: Any) -> Bench:
    settings.STRIPE_CAPTURE_METHOD, settings.PAYPAL_INTENT = "shipment", "SHIPMENT"
    if request.param == "stripe":
        return StripeBench(request.getfixturevalue("simulator"))
    return PayPalBench(request.getfixturevalue("paypal"))


@pytest.fixture
def order(bench: Bench, buyer: Buyer) -> Order:
    effect = {"type": "percentage", "percent": "33", "of": "order"}
    PromotionFactory(code="off", effect=effect, conditions={})
    buyer.fill(("MUG", 3), ("BOOK", 1))
    assert buyer.checkout(bench.code, method=bench.good(), return_url=BACK).status_code == 201
    payment = Payment.objects.get()
    if payment.status != "authorized":
        bench.approve(payment)
        services.look_again(order=payment.order)
    outbox.drain()
    order = Order.objects.get()
    assert (order.payment_status, order.total) == ("authorized", PRICE)
    return order


def ship(order: Order, sku: str, pieces: int) -> None:
    fulfill(order=order, quantities={str(order.lines.get(sku=sku).public_id): pieces})
    outbox.drain()


def test_each_shipment_takes_its_share_and_the_last_one_the_rest(
    bench: Bench, order: Order
) -> None:
    mugs = order.lines.get(sku="MUG").total
    ship(order, "MUG", 1)
    assert bench.sums() == (mugs // 3, 0)
    services.capture_shipped(order_id=str(order.public_id))
    assert bench.sums() == (mugs // 3, 0)
    ship(order, "MUG", 2)
    assert bench.sums() == (mugs, 0)
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("processing", "partially_paid")
    ship(order, "BOOK", 1)
    order.refresh_from_db()
    assert (bench.sums(), order.payment_status) == ((PRICE, 0), "paid")
    assert Payment.objects.get().status == "captured"


def test_what_was_cut_off_or_refused_stops_no_shipment(bench: Bench, order: Order) -> None:
    refusal = Fault(CAPTURES[bench.code], status=400, times=9, method="POST")
    bench.simulator.add_fault(refusal)
    ship(order, "MUG", 3)
    bench.simulator.clear_faults()
    assert (order.fulfillments.count(), bench.sums()) == (1, (0, 0))
    told = order.timeline.get(kind="capture_failed")
    assert (told.is_public, told.data["amount"]) == (False, order.lines.get(sku="MUG").total)
    assert list(Order.objects.to_capture()) == [order]
    # The next one takes it along.
    ship(order, "BOOK", 1)
    assert bench.sums() == (PRICE, 0)


def test_an_answer_that_was_lost_is_asked_for_again(bench: Bench, order: Order) -> None:
    fault = bench.simulator.lost_charge()
    fault.path_prefix, fault.times = CAPTURES[bench.code], 9
    bench.simulator.add_fault(fault)
    ship(order, "BOOK", 1)
    assert Capture.objects.get().status == "pending"
    with pytest.raises(DomainError, match="doesn't answer"):
        services.capture_shipped(order_id=str(order.public_id))
    bench.simulator.clear_faults()
    services.capture_shipped(order_id=str(order.public_id))
    assert bench.sums() == (order.lines.get(sku="BOOK").total, 0)
    assert Capture.objects.count() == 1


def test_the_last_pieces_may_be_cancelled_instead(bench: Bench, order: Order) -> None:
    ship(order, "MUG", 3)
    book = order.lines.get(sku="BOOK")
    cancel_lines(order=order, quantities={str(book.public_id): 1})
    outbox.drain()
    order.refresh_from_db()
    assert (bench.sums()[0], order.payment_status) == (order.total, "paid")


def test_an_order_that_is_given_up_takes_nothing(bench: Bench, order: Order) -> None:
    cancel(order=order)
    outbox.drain()
    assert services.capture_shipped(order_id=str(order.public_id)) == []
    assert bench.sums() == (0, 0)


def test_where_one_capture_is_all_there_is_the_first_takes_everything(
    buyer: Buyer, simulator: Any, settings: Any
) -> None:
    settings.STRIPE_CAPTURE_METHOD = "shipment"
    simulator.world.may_multicapture = False
    buyer.fill(("MUG", 1), ("BOOK", 1))
    buyer.checkout("stripe", method="pm_card_visa")
    order = Order.objects.get()
    ship(order, "MUG", 1)
    assert Payment.objects.get().captured_amount == order.total


def test_money_by_hand_is_taken_by_hand(buyer: Buyer) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("manual")
    ship(Order.objects.get(), "MUG", 1)
    assert Payment.objects.get().status == "authorized"


def test_shares_grow_and_end_at_the_total() -> None:
    chance = Random(1)
    for _ in range(200):
        lines = [
            OrderLine(total=chance.randrange(10_000), quantity=chance.randrange(1, 8))
            for _line in range(chance.randrange(1, 5))
        ]
        total = sum(line.total for line in lines) + chance.randrange(900)
        parts = [line for line in lines for _piece in range(line.quantity)]
        chance.shuffle(parts)
        shares = [0]
        for line in parts:
            line.fulfilled_quantity += 1
            shares.append(shipped_share(total, lines))
        assert shares == sorted(shares)
        assert shares[-1] == total
