"""The papers of an exchange: a credit note for what came back, an invoice for what was sent."""

from __future__ import annotations

import pytest

from apps.core import outbox
from apps.fulfillment.services import fulfill
from apps.orders.models import Order
from apps.orders.services import cancel
from apps.payments.models import Payment, Refund
from apps.payments.selectors import reason_text
from apps.payments.services import refund
from apps.returns import services
from apps.returns.services import Wish
from tests.invoices.conftest import paid

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def papers(order):
    """(kind, total, reason) of an order's, the first one first."""
    return list(order.invoices.order_by("pk").values_list("kind", "total", "reason"))


def exchanged(order, shop):
    """A book of 20.00 for a mug of 12.00."""
    fulfill(order=order)
    book = order.lines.get(sku="BOOK")
    wishes = [Wish(book.public_id, 1, "does_not_fit", exchange_for="MUG")]
    request = services.request_return(order=order, wishes=wishes, by_staff=True)
    services.approve_return(request=request)
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    closed = services.refund_return(request=request)
    outbox.drain()
    return closed.replacement_order


def test_what_came_back_is_credited_and_what_was_sent_invoiced(buyer, shop):
    order = paid(buyer)
    made = exchanged(order, shop)
    assert papers(order) == [
        ("invoice", 4_895, ""),
        *(("credit_note", 1_200, "WEB-R1"), ("credit_note", 800, "WEB-R1")),
    ]
    assert papers(made) == [("invoice", 1_200, "")]


def test_a_cancelled_replacement_takes_back_its_own_papers_only(buyer, shop):
    order = paid(buyer)
    made = exchanged(order, shop)
    cancel(order=made)
    outbox.drain()
    assert sum(total for _kind, total, _why in papers(order)[1:]) == 2_000
    assert [paper[:2] for paper in papers(made)] == [("invoice", 1_200), ("credit_note", 1_200)]
    order.refresh_from_db()
    assert order.refunded_amount == 2_000


def test_a_providers_reason_is_told_in_words(buyer):
    order = paid(buyer)
    refund(payment=order.payments.get(), amount=700, reason="requested_by_customer")
    outbox.drain()
    assert papers(order)[1] == ("credit_note", 700, "Refunded at the customer's request.")


@pytest.mark.parametrize(
    ("reason", "is_settlement", "status", "told"),
    [
        ("requested_by_customer", True, "confirmed", "The order was changed, and costs less."),
        ("requested_by_customer", False, "cancelled", "The order was cancelled."),
        ("duplicate", False, "confirmed", "It was paid twice."),
        ("Broken", True, "cancelled", "Broken"),
    ],
)
def test_reasons_in_words(reason, is_settlement, status, told):
    payment = Payment(order=Order(status=status))
    refund = Refund(payment=payment, reason=reason, is_settlement=is_settlement)
    assert reason_text(refund) == told


def test_staffs_own_words_stand_as_they_are(buyer):
    order = paid(buyer)
    refund(payment=order.payments.get(), amount=700, reason="A crack")
    outbox.drain()
    assert papers(order)[1] == ("credit_note", 700, "A crack")
