"""An authorization captured part by part, where its gateway can, and once where it can't."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.core.errors import DomainError
from apps.orders.models import Order
from apps.orders.services import cancel
from apps.payments import services
from apps.payments.gateways import gateway
from apps.payments.gateways.simulation.faults import Fault
from apps.payments.models import Capture, Payment, Refund
from apps.payments.selectors import capturable, due
from tests.backoffice.conftest import address, messages_of, staff
from tests.flows.conftest import Buyer, buyer, paypal, shop, simulator
from tests.payments.gateways import Bench, PayPalBench, StripeBench

__all__ = ["buyer", "paypal", "shop", "simulator", "staff"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
PRICE = 1695
BACK = "https://shop.example/done"
CAPTURES = {"stripe": "/v1/payment_intents", "paypal": "/v2/payments/authorizations"}
Drain = Callable[[], int]


@pytest.fixture(params=["stripe", "paypal"])
def bench(request: Any, settings: Any) -> Bench:
    settings.STRIPE_CAPTURE_METHOD, settings.PAYPAL_INTENT = "manual", "AUTHORIZE"
    if request.param == "stripe":
        return StripeBench(request.getfixturevalue("simulator"))
    return PayPalBench(request.getfixturevalue("paypal"))


def _begin(buyer: Buyer, code: str, method: str = "") -> Payment:
    buyer.fill(("MUG", 1))
    assert buyer.checkout(code, method=method, return_url=BACK).status_code == 201
    return Payment.objects.get()


@pytest.fixture
def authorized(bench: Bench, buyer: Buyer) -> Payment:
    """16.95 authorized, of which parts can be captured."""
    payment = _begin(buyer, bench.code, bench.good())
    if payment.status != "authorized":
        bench.approve(payment)
        services.look_again(order=payment.order)
        payment.refresh_from_db()
    assert (payment.status, payment.captures_several) == ("authorized", True)
    return payment


@pytest.fixture
def by_hand(buyer: Buyer) -> Payment:
    return _begin(buyer, "manual")


def _entries(payment: Payment) -> list[tuple[str, int]]:
    return list(payment.entries.order_by("pk").values_list("kind", "amount"))


def _lose(bench: Bench, times: int = 9) -> None:
    fault = bench.simulator.lost_charge()
    fault.path_prefix, fault.times = CAPTURES[bench.code], times
    bench.simulator.add_fault(fault)


def _later() -> None:
    services.reconcile(now=timezone.now() + timedelta(minutes=3))


def test_captured_in_parts(bench: Bench, authorized: Payment) -> None:
    for part, taken in ((500, 500), (500, 1000)):
        payment = services.capture(payment=authorized, amount=part)
        assert (payment.status, payment.captured_amount) == ("authorized", taken)
        assert (bench.sums(), capturable(payment)) == ((taken, 0), PRICE - taken)
        assert Order.objects.to_capture().get().payment_status == "partially_paid"
        assert services.compare_payments().found == []
    with pytest.raises(services.NotCapturable):
        services.capture(payment=authorized, amount=PRICE - 999)
    services.capture_order(order=authorized.order)

    authorized.refresh_from_db()
    assert (authorized.status, capturable(authorized)) == ("captured", 0)
    assert (bench.sums(), Order.objects.get().payment_status) == ((PRICE, 0), "paid")
    assert not Order.objects.to_capture().exists()
    parts = [("capture", 500), ("capture", 500), ("capture", 695)]
    assert _entries(authorized) == [("authorize", PRICE), *parts]
    assert list(Capture.objects.values_list("status", "is_final").order_by("pk")) == [
        ("succeeded", False),
        ("succeeded", False),
        ("succeeded", True),
    ]


def test_captured_in_parts_by_hand(by_hand: Payment) -> None:
    services.capture(payment=by_hand, amount=500)
    payment = services.capture(payment=by_hand, amount=500)
    assert (payment.status, payment.captured_amount) == ("authorized", 1000)
    payment = services.void(payment=by_hand)
    assert (payment.status, payment.captured_amount) == ("captured", 1000)
    parts = [("authorize", PRICE), ("capture", 500), ("capture", 500), ("void", 695)]
    assert _entries(payment) == parts


def test_rest_is_let_go(bench: Bench, authorized: Payment) -> None:
    services.capture(payment=authorized, amount=1000)
    payment = services.void(payment=authorized)
    assert (payment.status, payment.captured_amount, capturable(payment)) == ("captured", 1000, 0)
    assert _entries(payment)[-1] == ("void", 695)
    assert Order.objects.get().timeline.latest("pk").kind == "payment_voided"
    for again in (services.capture, services.void):
        with pytest.raises((services.NotCapturable, services.NotVoidable)):
            again(payment=payment)
    assert services.compare_payments().found == []
    services.refund(payment=payment)
    assert bench.sums() == (1000, 1000)


@pytest.mark.parametrize(("card", "allowed"), [("pm_card_jcb", True), ("pm_card_visa", False)])
def test_card_or_account_without_multicapture_is_captured_once(
    buyer: Buyer, simulator: Any, settings: Any, staff: Any, card: str, allowed: bool
) -> None:
    settings.STRIPE_CAPTURE_METHOD = "manual"
    simulator.world.may_multicapture = allowed
    payment = _begin(buyer, "stripe", card)
    assert (payment.status, payment.captures_several) == ("authorized", False)
    assert (
        "what you leave is let go" in staff.get(address(payment, "capture-part")).content.decode()
    )
    staff.do(payment, "capture-part", amount="10.00")
    payment.refresh_from_db()
    assert (payment.status, payment.captured_amount) == ("captured", 1000)
    assert _entries(payment)[1:] == [("capture", 1000), ("void", 695)]


def test_staff_capture_a_part_by_button(authorized: Payment, staff: Any) -> None:
    page = staff.get(address(authorized, "capture-part")).content.decode()
    assert "stays authorized" in page
    assert 'value="16.95"' in page
    done = staff.do(authorized, "capture-part", amount="5.00")
    assert messages_of(done) == ["The part is captured."]
    assert "€11.95" in staff.page(authorized)
    assert "€11.95" in staff.page(authorized.order)
    refused = staff.do(authorized, "capture-part", amount="11.96")
    assert refused.context["form"].errors == {"amount": ["At most what is authorized."]}


def test_staff_capture_a_part_by_api(authorized: Payment, as_merchant: APIClient) -> None:
    url = f"/api/v1/admin/payments/{authorized.public_id}/capture/"
    answer = as_merchant.post(url, {"amount": {"amount": "5.00", "currency": "EUR"}})
    told = answer.json()
    assert (answer.status_code, told["status"], told["captures_several"]) == (
        *(200, "authorized"),
        True,
    )
    assert [told[name]["amount"] for name in ("authorized", "captured", "capturable")] == [
        *("16.95", "5.00", "11.95")
    ]
    [part] = told["captures"]
    assert (part["amount"]["amount"], part["status"], part["is_final"]) == (
        *("5.00", "succeeded"),
        False,
    )
    refused = as_merchant.post(url, {"amount": {"amount": "11.96", "currency": "EUR"}})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_capturable")


def test_lost_answer_takes_once(bench: Bench, authorized: Payment) -> None:
    """Another amount has to wait until it is known; the same one finishes it."""
    _lose(bench)
    with pytest.raises(DomainError) as told:
        services.capture(payment=authorized, amount=500)
    assert told.value.code == "gateway_unreachable"
    with pytest.raises(services.CaptureUnderWay):
        services.capture(payment=authorized, amount=600)
    assert services.compare_payments().asked == 0
    bench.simulator.clear_faults()
    assert bench.sums() == (500, 0)
    payment = services.capture(payment=authorized, amount=500)
    assert (payment.captured_amount, bench.sums()) == (500, (500, 0))
    assert Capture.objects.get().status == "succeeded"
    services.capture(payment=authorized, amount=500)
    assert bench.sums() == (1000, 0)


def test_reconciler_finishes_what_has_no_answer(bench: Bench, authorized: Payment) -> None:
    _lose(bench)
    for amount in (PRICE, None):
        with pytest.raises(DomainError, match="doesn't answer"):
            services.capture(payment=authorized, amount=amount)
    bench.simulator.clear_faults()
    _later()
    authorized.refresh_from_db()
    assert (authorized.status, bench.sums()) == ("captured", (PRICE, 0))
    assert Capture.objects.get().is_open is None


def test_refused_capture_has_failed_and_the_rest_is_free(bench: Bench, authorized: Payment) -> None:
    bench.simulator.add_fault(Fault(CAPTURES[bench.code], status=400, times=9, method="POST"))
    with pytest.raises(services.GatewayRefused):
        services.capture(payment=authorized, amount=500)
    bench.simulator.clear_faults()
    assert Capture.objects.get().status == "failed"
    assert services.capture(payment=authorized).captured_amount == PRICE


def test_lost_answer_to_letting_go(bench: Bench, authorized: Payment) -> None:
    services.capture(payment=authorized, amount=1000)
    _lose(bench)
    with pytest.raises(DomainError, match="doesn't answer"):
        services.void(payment=authorized)
    bench.simulator.clear_faults()
    payment = services.void(payment=authorized)
    assert (payment.status, payment.captured_amount) == ("captured", 1000)
    assert bench.sums() == (1000, 0)


def test_each_capture_at_the_dashboard_tells_its_own(
    bench: Bench, authorized: Payment, api: APIClient, drain: Drain
) -> None:
    kinds = {
        "stripe": ("payment_intent.amount_capturable_updated", "payment_intent.succeeded"),
        "paypal": ("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.COMPLETED"),
    }[bench.code]
    there = gateway(bench.code)
    taken = 0
    for part, kind, final in ((500, kinds[0], False), (600, kinds[1], True)):
        there.capture(authorized.provider_id or "", amount=part, key=str(part), final=final)
        assert bench.deliver(api, bench.simulator.events(kind)[-1]).status_code == 204
        drain()
        authorized.refresh_from_db()
        taken += part
        assert authorized.captured_amount == taken
    assert authorized.status == "captured"


def test_rest_that_lapsed_is_a_difference(bench: Bench, authorized: Payment) -> None:
    services.capture(payment=authorized, amount=1000)
    gateway(bench.code).void(authorized.provider_id or "", key="at-the-dashboard")
    [found] = services.compare_payments().found
    assert (found.kind, found.ours, found.theirs) == ("authorized", 695, 0)
    services.adopt_difference(difference=authorized.differences.get())
    authorized.refresh_from_db()
    assert authorized.status == "captured"


def test_cancelled_order_gives_all_of_it_back(
    bench: Bench, authorized: Payment, drain: Drain
) -> None:
    for _ in range(2):
        services.capture(payment=authorized, amount=500)
    cancel(order=Order.objects.get())
    drain()
    authorized.refresh_from_db()
    assert (authorized.status, authorized.refunded_amount) == ("captured", 1000)
    assert bench.sums() == (1000, 1000)


def test_what_was_captured_and_given_back_leaves_the_rest_to_be_captured(
    bench: Bench, authorized: Payment
) -> None:
    services.capture(payment=authorized, amount=500)
    services.refund(payment=authorized, amount=500)
    order = Order.objects.get()
    assert (order.payment_status, list(Order.objects.to_capture())) == ("partially_paid", [order])
    services.void(payment=authorized)
    order.refresh_from_db()
    assert (order.payment_status, list(Order.objects.to_capture())) == ("refunded", [])


def test_order_that_came_to_less_keeps_what_it_costs(bench: Bench, authorized: Payment) -> None:
    order = authorized.order
    services.capture(payment=authorized, amount=1000)

    def cheaper(discount: int) -> None:
        Order.objects.filter(pk=order.pk).update(discount=discount, total=PRICE - discount)
        order.lines.update(discount=discount)
        services.settle(order=order)
        authorized.refresh_from_db()
        order.refresh_from_db()
        assert order.outstanding == due(order, [authorized])

    cheaper(200)
    assert (authorized.status, bench.sums()) == ("authorized", (1000, 0))
    cheaper(695)
    assert (authorized.status, bench.sums()) == ("captured", (1000, 0))
    cheaper(895)
    assert bench.sums() == (1000, 200)
    cheaper(0)
    # 2.00 went back because the order came to less: they are owed again.
    assert order.outstanding == PRICE - 1000 + 200
    assert Order.objects.get().pay_links.get().open_key


# PayPal refunds a capture, not an order.


@pytest.fixture
def in_parts(paypal: Any, buyer: Buyer, settings: Any) -> Payment:
    """Captured by 5.00, 6.00 and 5.95 at PayPal."""
    settings.PAYPAL_INTENT = "AUTHORIZE"
    payment = _begin(buyer, "paypal")
    paypal.approve(payment.provider_id or "")
    services.look_again(order=payment.order)
    for part in (500, 600, 595):
        payment = services.capture(payment=payment, amount=part)
    assert payment.status == "captured"
    return payment


def _given(paypal: Any, payment: Payment) -> list[str]:
    [unit] = paypal.world.store.get("order", payment.provider_id)["purchase_units"]
    return [row["amount"]["value"] for row in unit["payments"].get("refunds", [])]


def test_refund_over_several_captures(paypal: Any, in_parts: Payment) -> None:
    services.refund(payment=in_parts, amount=100)
    assert _given(paypal, in_parts) == ["1.00"]
    refund = services.refund(payment=in_parts, amount=1200)
    assert (refund.status, _given(paypal, in_parts)[1:]) == ("succeeded", ["4.95", "6.00", "1.05"])
    services.refund(payment=in_parts)
    assert paypal.state()["refunded"] == {"EUR": "16.95"}
    assert services.compare_payments().found == []


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_refund_over_several_captures_is_gone_on_with(
    paypal: Any, in_parts: Payment, lost: int
) -> None:
    """The answer to one of its calls is lost, or all of them: each moves money once."""
    fault = paypal.lost_charge()
    fault.path_prefix, fault.times = "/v2/payments/captures", lost
    paypal.add_fault(fault)
    refund = services.refund(payment=in_parts, amount=1200)
    assert refund.status == "pending"
    for _ in range(lost):
        _later()
    refund.refresh_from_db()
    assert (refund.status, _given(paypal, in_parts)) == ("succeeded", ["5.95", "6.00", "0.05"])
    assert Refund.objects.count() == 1
