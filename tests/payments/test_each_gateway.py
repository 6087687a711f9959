"""What holds for each gateway: whatever goes wrong, the right state and one charge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.orders.models import Order
from apps.orders.services import cancel_expired
from apps.payments import services
from apps.payments.models import Payment, ProviderEvent
from tests.flows.conftest import Buyer, buyer, paypal, shop, simulator
from tests.payments.gateways import Bench, PayPalBench, StripeBench

__all__ = ["buyer", "paypal", "shop", "simulator"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

PRICE = 1695
BACK = "https://shop.example/done"
Drain = Callable[[], int]


@pytest.fixture(params=["stripe", "paypal"])
def bench(request: Any) -> Bench:
    name = "simulator" if request.param == "stripe" else "paypal"
    kind = StripeBench if request.param == "stripe" else PayPalBench
    return kind(request.getfixturevalue(name))


@pytest.fixture
def waiting(bench: Bench, buyer: Buyer) -> Payment:
    """A payment that the customer has to approve at the gateway."""
    buyer.fill(("MUG", 1))
    placed = buyer.checkout(bench.code, method=bench.asking(), return_url=BACK)
    assert placed.status_code == 201, placed.json()
    assert placed.json()["payment"]["redirect_url"].startswith(bench.simulator.url)
    return Payment.objects.get()


def _later() -> None:
    services.reconcile(now=timezone.now() + timedelta(minutes=3))


def _is_paid_once(bench: Bench) -> None:
    order, payment = Order.objects.get(), Payment.objects.get()
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert (payment.status, payment.captured_amount) == ("captured", PRICE)
    assert bench.sums() == (PRICE, 0)


def test_who_approves_and_comes_back_has_paid(bench: Bench, waiting: Payment) -> None:
    assert Order.objects.get().status == "pending"
    bench.approve(waiting)
    services.look_again(order=waiting.order)
    _is_paid_once(bench)


def test_who_approves_and_never_comes_back_has_paid(bench: Bench, waiting: Payment) -> None:
    bench.approve(waiting)
    _later()
    _is_paid_once(bench)


def test_who_comes_back_without_approving_has_not(bench: Bench, waiting: Payment) -> None:
    services.look_again(order=waiting.order)
    assert Payment.objects.get().status == "requires_action"
    assert bench.sums() == (0, 0)


def test_webhook_comes_first_and_twice(
    bench: Bench, waiting: Payment, api: APIClient, drain: Drain
) -> None:
    """Even before our own answer is written: the event finds the payment by our key."""
    Payment.objects.update(provider_id=None, status="created")
    bench.approve(waiting)
    event = bench.news(waiting)
    answers = [bench.deliver(api, event).status_code for _time in range(2)]
    drain()
    answers.append(bench.deliver(api, {**event, "id": "WH-again"}).status_code)
    drain()

    assert answers == [204, 204, 204]
    assert ProviderEvent.objects.filter(status="done").count() == 2
    _is_paid_once(bench)
    services.look_again(order=waiting.order)
    _is_paid_once(bench)


def test_answer_to_the_charge_is_lost(bench: Bench, waiting: Payment) -> None:
    bench.approve(waiting)
    bench.lose_charge()
    services.look_again(order=waiting.order)
    _later()
    _is_paid_once(bench)


def test_declined_order_waits_and_is_paid_by_another_payment(
    bench: Bench, buyer: Buyer, drain: Drain
) -> None:
    buyer.fill(("MUG", 1))
    bench.simulator.order_outcome("decline")
    buyer.checkout(bench.code, method=bench.good(), return_url=BACK)
    first = Payment.objects.get()
    if first.status != "failed":
        bench.approve(first)
        services.look_again(order=first.order)
    first.refresh_from_db()
    assert (first.status, bench.sums()) == ("failed", (0, 0))
    assert Order.objects.get().status == "pending"

    second = buyer.checkout(bench.code, method=bench.good(), return_url=BACK)
    assert second.status_code == 201
    if second.json()["payment"]["status"] != "captured":
        bench.approve(Payment.objects.latest("pk"))
        services.look_again(order=first.order)
    assert Order.objects.get().payment_status == "paid"
    assert bench.sums() == (PRICE, 0)


def test_another_orders_webhook_pays_nothing(
    bench: Bench, waiting: Payment, api: APIClient, drain: Drain
) -> None:
    """Genuine, and it names our payment, but it is of 1.00."""
    taken = bench.sums()[0]
    event = bench.stray(waiting, 100)
    assert bench.deliver(api, event).status_code == 204
    drain()

    waiting.refresh_from_db()
    assert ProviderEvent.objects.get().status == "review"
    assert (waiting.status, Order.objects.get().status) == ("requires_action", "pending")
    assert bench.sums()[0] in (taken, taken + 100)


def test_forged_webhook_leaves_nothing(bench: Bench, waiting: Payment, api: APIClient) -> None:
    bench.approve(waiting)
    event = bench.news(waiting)
    signed = bench.headers(b"{}")
    forged = type("Forged", (type(bench),), {"headers": lambda self, body: signed})
    answer = forged(bench.simulator).deliver(api, event)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
    assert forged(bench.simulator).deliver(api, []).status_code == 400
    assert not ProviderEvent.objects.exists()


def test_money_for_a_cancelled_order_is_not_taken_or_goes_back(
    bench: Bench, waiting: Payment, api: APIClient, drain: Drain
) -> None:
    bench.approve(waiting)
    cancel_expired(now=timezone.now() + timedelta(hours=1))
    bench.deliver(api, bench.news(waiting))
    drain()

    assert Order.objects.get().status == "cancelled"
    taken, given = bench.sums()
    assert taken == given


def test_refunds_in_parts_and_never_more(bench: Bench, waiting: Payment) -> None:
    bench.approve(waiting)
    services.look_again(order=waiting.order)
    payment = Payment.objects.get()
    services.refund(payment=payment, amount=500)
    with pytest.raises(services.RefundTooLarge):
        services.refund(payment=payment, amount=PRICE - 499)
    services.refund(payment=payment)
    assert bench.sums() == (PRICE, PRICE)
    assert Order.objects.get().payment_status == "refunded"


def test_lost_answer_to_a_refund_refunds_once(bench: Bench, waiting: Payment) -> None:
    bench.approve(waiting)
    services.look_again(order=waiting.order)
    fault = bench.simulator.lost_charge()
    fault.path_prefix = {"stripe": "/v1/refunds", "paypal": "/v2/payments/captures"}[bench.code]
    fault.times = 2
    bench.simulator.add_fault(fault)
    first = services.refund(payment=Payment.objects.get(), amount=500)
    assert first.status == "pending"
    bench.simulator.clear_faults()
    _later()
    first.refresh_from_db()
    assert (first.status, bench.sums()) == ("succeeded", (PRICE, 500))


def test_dispute_is_noted(bench: Bench, waiting: Payment, api: APIClient, drain: Drain) -> None:
    bench.approve(waiting)
    services.look_again(order=waiting.order)
    bench.simulator.dispute(waiting.provider_id)
    kind = "charge.dispute.created" if bench.code == "stripe" else "CUSTOMER.DISPUTE.CREATED"
    bench.deliver(api, bench.simulator.events(kind)[0])
    drain()
    dispute = Payment.objects.get().disputes.get()
    assert (dispute.amount, dispute.fee) == (PRICE, 1500 if bench.code == "stripe" else 0)
    assert dispute.evidence_due_at is not None
    assert dispute.evidence_due_at > timezone.now() + timedelta(days=5)


def test_money_that_names_no_payment_is_for_staff_and_other_news_is_not(
    bench: Bench, api: APIClient
) -> None:
    kinds = {"stripe": "charge.succeeded", "paypal": "PAYMENT.SALE.COMPLETED"}
    for number, kind in enumerate((kinds[bench.code], "nothing.of.interest")):
        event = {"id": f"ev_{number}", "type": kind, "event_type": kind}
        empty = {"data": {"object": {}}, "resource": {}, "resource_type": "sale"}
        assert bench.deliver(api, {**event, **empty}).status_code == 204
    found = ProviderEvent.objects.order_by("pk")
    assert [event.status for event in found] == ["review", "ignored"]
    with pytest.raises(services.NotProcessed):
        services.process_again(event=found[0])
