"""Many at once, on PostgreSQL."""

from __future__ import annotations

import time

import pytest
from django.db import IntegrityError, transaction

from apps.core.models import OutboxMessage
from apps.orders.models import OrderLine
from apps.orders.services import NothingToReturn
from apps.payments.models import Refund
from apps.returns import services
from apps.returns.models import ReturnRequest
from tests.returns.conftest import wish

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

    def careless(n: int) -> bool:
        with transaction.atomic():
            line = order.lines.get(sku="BOOK")
            if line.returned_quantity + 1 > line.fulfilled_quantity:
                return False
            time.sleep(0.2)
            line.returned_quantity += 1
            line.save()
            return True

    answers = at_once(4, careless)
    assert sum(answer is True for answer in answers) > 1
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
