"""Many at once, on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.fulfillment.services import CLAIM, calling
from apps.inventory.services import InsufficientStock
from apps.orders.models import Order, OrderLine
from apps.orders.services import NothingToReturn
from apps.payments import services as payments
from apps.payments.models import Refund, StoredValue
from apps.payments.selectors import payments_of
from apps.returns import services
from apps.returns.models import ReturnLabel, ReturnRequest
from apps.returns.services.labels import drive_label
from tests.fulfillment.conftest import PRIORITY, _running, shipstation
from tests.returns.conftest import wish

__all__ = ["_running", "shipstation"]
pytestmark = [pytest.mark.race, pytest.mark.usefixtures("invariants")]


def test_the_last_piece_comes_back_once(order, at_once):
    services.request_return(order=order, wishes=[wish(order, "MUG", 2)])
    last = wish(order, "MUG", 1)
    answers = at_once(8, lambda n: services.request_return(order=order, wishes=[last]))
    assert sum(isinstance(answer, ReturnRequest) for answer in answers) == 1
    assert sum(isinstance(answer, NothingToReturn) for answer in answers) == 7
    assert order.lines.get(sku="MUG").returned_quantity == 3


def test_reading_first_and_writing_then_lets_it_come_back_twice(order, at_once):
    """The negative control: what the conditional UPDATE stands against. The CHECK is behind it."""
    OrderLine.objects.filter(sku="BOOK").update(returned_quantity=1)

    all_have_read = threading.Barrier(4)

    def careless(n: int) -> bool:
        with transaction.atomic():
            line = order.lines.get(sku="BOOK")
            if line.returned_quantity + 1 > line.fulfilled_quantity:
                return False
            all_have_read.wait(timeout=30)
            line.returned_quantity += 1
            line.save()
            return True

    assert at_once(4, careless) == [True] * 4
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderLine.objects.filter(sku="BOOK").update(returned_quantity=3)
    OrderLine.objects.filter(sku="BOOK").update(returned_quantity=0)


def test_a_return_is_refunded_once(order, shop, at_once):
    request = services.request_return(order=order, wishes=[wish(order, "MUG", 3)])
    services.approve_return(request=request)
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    answers = at_once(6, lambda n: services.refund_return(request=request))
    assert sum(isinstance(answer, ReturnRequest) for answer in answers) == 1
    at_once(4, lambda n: services.pay_out(return_id=str(request.public_id)))
    order.refresh_from_db()
    assert (Refund.objects.count(), order.refunded_amount) == (1, 3_600)
    told = OutboxMessage.objects.filter(name="payment.refunded", receiver__contains="returns")
    assert told.count() == 1


def test_an_exchange_that_is_closed_at_once_has_one_replacement(order, shop, at_once):
    wishes = [wish(order, "MUG", 2, exchange_for="MUG")]
    request = services.request_return(order=order, wishes=wishes)
    services.approve_return(request=request)
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    answers = at_once(6, lambda n: services.refund_return(request=request))
    assert sum(isinstance(answer, ReturnRequest) for answer in answers) == 1
    assert sum(isinstance(answer, services.ReturnRefused) for answer in answers) == 5
    made = Order.objects.get(source=request.reference)
    assert (made.status, made.captured_amount, Order.objects.count()) == ("confirmed", 2_400, 2)
    assert StoredValue.objects.get(kind="exchange").balance == 0


def test_the_last_piece_is_kept_for_one_exchange(order, shop, at_once):
    # Three of five mugs were sold: two are left.
    requests = [
        services.request_return(
            order=order, wishes=[wish(order, sku, n, exchange_for="MUG")], **how
        )
        for sku, n, how in (("MUG", 2, {}), ("BOOK", 2, {"by_staff": True}))
    ]
    answers = at_once(2, lambda n: services.approve_return(request=requests[n]))
    assert sum(isinstance(answer, ReturnRequest) for answer in answers) == 1
    assert sum(isinstance(answer, InsufficientStock) for answer in answers) == 1


def test_a_credit_that_came_back_goes_on_once(order, shop, at_once):
    wishes = [wish(order, "MUG", 2, exchange_for="MUG")]
    request = services.request_return(order=order, wishes=wishes)
    services.approve_return(request=request)
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    made = services.refund_return(request=request).replacement_order
    payment = payments_of(made)[0]
    refund = payments.refund(payment=payment, amount=500, reason="Sorry")
    at_once(6, lambda n: services.record_refund(refund_id=str(refund.public_id)))
    parts = request.payouts.order_by("amount").values_list("amount", flat=True)
    assert list(parts) == [500, 1_900]
    assert StoredValue.objects.get(kind="exchange").balance == 0


def test_two_returns_that_are_refunded_at_once_share_what_there_is(order, shop, at_once):
    made = []
    for sku, quantity in (("MUG", 3), ("BOOK", 2)):
        request = services.request_return(order=order, wishes=[wish(order, sku, quantity)])
        services.approve_return(request=request)
        services.receive_return(request=request, location=shop.near)
        made.append(services.inspect_return(request=request))
    answers = at_once(2, lambda n: services.refund_return(request=made[n]))
    # Whichever came last brought everything back.
    assert sum(answer.refund_amount for answer in answers) == order.total
    for request in made:
        services.pay_out(return_id=str(request.public_id))


def test_a_double_click_buys_one_label(order, shipstation, at_once):
    request = services.request_return(order=order, wishes=[wish(order, "MUG", 1)])
    services.approve_return(request=request)
    asked = {"carrier": "shipstation", "service": PRIORITY}
    labels = at_once(6, lambda n: services.buy_label(request=request, **asked))
    assert {label.pk for label in labels} == {ReturnLabel.objects.get().pk}
    # Where the machine was too slow for the answer, it is asked again.
    services.reconcile_labels(now=timezone.now() + 2 * CLAIM)
    assert (len(shipstation.parcels), ReturnLabel.objects.get().status) == (1, "bought")


def test_without_the_claim_the_carrier_sells_it_twice(
    order, shop, shipstation, at_once, monkeypatch
):
    """The negative control: the simulator sells whatever it is asked for."""
    request = services.request_return(order=order, wishes=[wish(order, "MUG", 1)])
    services.approve_return(request=request)
    label = ReturnLabel.objects.create(
        request=request, location=shop.near, carrier="shipstation", service=PRIORITY
    )
    shipstation.fault("/v1/labels", delay=0.3, times=99)
    # A claim that is over at once.
    monkeypatch.setattr(calling, "CLAIM", timedelta(minutes=-1))
    at_once(6, lambda n: drive_label(label=label))
    assert len(shipstation.parcels) > 1
