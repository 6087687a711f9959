"""Paying by Stripe: over HTTP, with the official SDK, against the simulator."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.checkout.models import Cart
from apps.inventory.models import StockLevel
from apps.orders.models import Order
from apps.orders.services import cancel_expired
from apps.payments import services as payments
from apps.payments.gateways import gateway
from apps.payments.gateways.stripe.simulator import Fault, StripeSimulator
from apps.payments.models import Payment, ProviderEvent
from tests.flows.conftest import WEBHOOK_SECRET, Buyer, Shop, sign

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

VISA, DECLINED, SECURE = "pm_card_visa", "pm_card_chargeDeclined", "pm_card_threeDSecure2Required"
# One mug of 12.00 and 4.95 for the post.
PRICE = 1695


def _totals(simulator: StripeSimulator) -> tuple[int, int]:
    state = simulator.state()
    return state["captured"].get("eur", 0), state["refunded"].get("eur", 0)


def _events(simulator: StripeSimulator, kind: str) -> list[dict[str, Any]]:
    return simulator.events(kind)


def test_a_good_card_confirms_the_order(buyer: Buyer, simulator: StripeSimulator) -> None:
    buyer.fill(("MUG", 1))

    answer = buyer.checkout("stripe", method=VISA)

    placed = answer.json()
    assert answer.status_code == 201, placed
    assert (placed["order"]["status"], placed["order"]["payment_status"]) == ("confirmed", "paid")
    assert placed["payment"]["status"] == "captured"
    assert _totals(simulator) == (PRICE, 0)


def test_a_declined_card_leaves_the_order_waiting_for_another(
    buyer: Buyer, shop: Shop, simulator: StripeSimulator
) -> None:
    buyer.fill(("MUG", 5))

    declined = buyer.checkout("stripe", method=DECLINED, key="first")
    held = StockLevel.objects.filter(variant=shop.mug).order_by("location__priority")
    held_now = list(held.values_list("held", "committed"))
    paid = buyer.checkout("stripe", method=VISA, key="second")

    problem = declined.json()
    assert (declined.status_code, problem["code"]) == (402, "payment_declined")
    assert problem["decline_code"] == "generic_decline"
    assert held_now == [(3, 0), (2, 0)]
    assert paid.status_code == 201, paid.json()
    assert paid.json()["order"]["number"] == problem["order"]["number"]
    assert [p["status"] for p in paid.json()["order"]["payments"]] == ["failed", "captured"]
    assert _totals(simulator) == (6000 + 495, 0)


def test_declined_by_stripe_then_paid_on_account(buyer: Buyer, simulator: StripeSimulator) -> None:
    buyer.fill(("MUG", 1))

    assert buyer.checkout("stripe", method=DECLINED).status_code == 402
    assert buyer.checkout("manual").json()["order"]["status"] == "confirmed"
    assert _totals(simulator) == (0, 0)


def test_three_d_secure_is_finished_by_the_webhook(
    buyer: Buyer,
    simulator: StripeSimulator,
    deliver: Callable[..., Any],
    drain: Callable[[], int],
) -> None:
    buyer.fill(("MUG", 1))

    waiting = buyer.checkout("stripe", method=SECURE, return_url="https://shop.example/done")
    order = Order.objects.get()
    payment = Payment.objects.get()
    before = order.status, waiting.json()["payment"]["status"]
    simulator.complete_action(payment.provider_id)
    answer = deliver(_events(simulator, "payment_intent.succeeded")[0])
    drain()

    assert waiting.status_code == 201
    assert waiting.json()["payment"]["redirect_url"].startswith(simulator.url)
    assert before == ("pending", "requires_action")
    assert answer.status_code == 204
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("confirmed", "paid")


def test_a_browser_that_never_comes_back(
    buyer: Buyer,
    simulator: StripeSimulator,
    deliver: Callable[..., Any],
    drain: Callable[[], int],
) -> None:
    """Without a method the browser confirms with Stripe itself; only the webhook tells us."""
    buyer.fill(("MUG", 1))
    placed = buyer.checkout("stripe").json()
    payment = Payment.objects.get()
    assert placed["payment"]["client_secret"].startswith(payment.provider_id)

    client = gateway("stripe").client
    client.v1.payment_intents.confirm(
        payment.provider_id, {"payment_method": VISA, "return_url": "https://shop.example/"}
    )
    deliver(_events(simulator, "payment_intent.succeeded")[0])
    drain()

    assert Order.objects.get().status == "confirmed"


def test_no_webhook_at_all_is_settled_by_the_reconciler(
    buyer: Buyer, simulator: StripeSimulator
) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=SECURE, return_url="https://shop.example/done")
    simulator.complete_action(Payment.objects.get().provider_id)

    assert payments.reconcile() == 0
    assert payments.reconcile(now=timezone.now() + timedelta(minutes=3)) == 1
    assert Order.objects.get().payment_status == "paid"


def test_time_out_after_the_charge_is_never_a_failure(
    buyer: Buyer, simulator: StripeSimulator
) -> None:
    buyer.fill(("MUG", 1))
    simulator.add_fault(Fault("/v1/payment_intents", "POST", drop_after_execute=True, times=2))

    unknown = buyer.checkout("stripe", method=VISA, key="lost")
    payments.reconcile(now=timezone.now() + timedelta(minutes=3))

    assert unknown.status_code == 201
    assert unknown.json()["payment"]["status"] == "created"
    assert Order.objects.get().status == "confirmed"
    assert _totals(simulator) == (PRICE, 0)
    assert Payment.objects.get().status == "captured"


def test_provider_errors_keep_the_order_pending(buyer: Buyer, simulator: StripeSimulator) -> None:
    buyer.fill(("MUG", 1))
    simulator.add_fault(Fault("/v1/payment_intents", "POST", status=500, times=2))

    first = buyer.checkout("stripe", method=VISA)
    second = buyer.checkout("stripe", method=VISA)

    assert (first.json()["payment"]["status"], first.json()["order"]["status"]) == (
        "created",
        "pending",
    )
    assert second.json()["order"]["status"] == "confirmed"
    assert _totals(simulator) == (PRICE, 0)


def test_an_unpaid_order_expires_and_its_cart_can_be_ordered_again(
    buyer: Buyer, shop: Shop, simulator: StripeSimulator, drain: Callable[[], int]
) -> None:
    buyer.fill(("MUG", 5))
    first = buyer.checkout("stripe").json()["order"]["number"]

    assert cancel_expired(now=timezone.now() + timedelta(minutes=29)) == 0
    assert cancel_expired(now=timezone.now() + timedelta(minutes=31)) == 1
    drain()

    assert Cart.objects.get().status == "open"
    assert Payment.objects.get().status == "voided"
    levels = StockLevel.objects.filter(variant=shop.mug)
    assert list(levels.values_list("held", flat=True)) == [0, 0]
    again = buyer.checkout("stripe", method=VISA).json()["order"]
    assert (first, again["number"], again["status"]) == ("WEB-1", "WEB-2", "confirmed")


def test_money_for_a_cancelled_order_goes_back(
    buyer: Buyer, simulator: StripeSimulator, deliver: Callable[..., Any], drain: Callable[[], int]
) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=SECURE, return_url="https://shop.example/done")
    simulator.complete_action(Payment.objects.get().provider_id)
    cancel_expired(now=timezone.now() + timedelta(hours=1))

    deliver(_events(simulator, "payment_intent.succeeded")[0])
    drain()

    order = Order.objects.get()
    assert (order.status, order.payment_status) == ("cancelled", "refunded")
    assert _totals(simulator) == (PRICE, PRICE)


def test_a_method_left_for_another_is_ended_first(buyer: Buyer, simulator: StripeSimulator) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=SECURE, return_url="https://shop.example/done")

    paid = buyer.checkout("stripe", method=VISA)

    assert [p["status"] for p in paid.json()["order"]["payments"]] == ["voided", "captured"]
    assert _totals(simulator) == (PRICE, 0)


def test_a_method_left_but_paid_meanwhile_counts(buyer: Buyer, simulator: StripeSimulator) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=SECURE, return_url="https://shop.example/done")
    simulator.complete_action(Payment.objects.get().provider_id)

    answer = buyer.checkout("stripe", method=VISA)

    assert answer.json()["order"]["status"] == "confirmed"
    assert _totals(simulator) == (PRICE, 0)


def test_refunds_in_parts_and_never_more(
    buyer: Buyer, simulator: StripeSimulator, as_merchant: APIClient, drain: Callable[[], int]
) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=VISA)
    url = f"/api/v1/admin/payments/{Payment.objects.get().public_id}/refund/"

    part = as_merchant.post(url, {"amount": {"amount": "5.00", "currency": "EUR"}})
    too_much = as_merchant.post(url, {"amount": {"amount": "11.96", "currency": "EUR"}})
    rest = as_merchant.post(url, {"reason": "requested_by_customer"})
    drain()

    assert (part.status_code, too_much.status_code, rest.status_code) == (201, 409, 201)
    assert _totals(simulator) == (PRICE, PRICE)
    assert Order.objects.get().payment_status == "refunded"


def test_a_lost_refund_answer_refunds_once(
    buyer: Buyer, simulator: StripeSimulator, as_merchant: APIClient
) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=VISA)
    payment = Payment.objects.get()
    simulator.add_fault(Fault("/v1/refunds", "POST", drop_after_execute=True, times=2))

    lost = as_merchant.post(f"/api/v1/admin/payments/{payment.public_id}/refund/", {})
    second = as_merchant.post(f"/api/v1/admin/payments/{payment.public_id}/refund/", {})
    payments.reconcile(now=timezone.now() + timedelta(minutes=3))

    assert lost.json()["refunds"][0]["status"] == "pending"
    # What is pending counts as gone.
    assert (second.status_code, second.json()["code"]) == (409, "not_refundable")
    assert payment.refunds.get().status == "succeeded"
    assert _totals(simulator) == (PRICE, PRICE)


def test_every_order_of_webhooks_ends_at_stripes_state(
    buyer: Buyer, simulator: StripeSimulator, deliver: Callable[..., Any], drain: Callable[[], int]
) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=VISA)
    payment = Payment.objects.get()
    payments.refund(payment=payment, amount=500)
    simulator.dispute(payment.provider_id, reason="fraudulent")
    kinds = (
        "payment_intent.created",
        "payment_intent.succeeded",
        "charge.refunded",
        "charge.dispute.created",
    )
    events = [_events(simulator, kind)[0] for kind in kinds]

    for number, order in enumerate(itertools.permutations(events)):
        for event in order:
            for _copy in range(3):
                renamed = {**event, "id": f"{event['id']}_{number}"}
                assert deliver(renamed).status_code == 204
    drain()

    assert ProviderEvent.objects.count() == 24 * 4
    payment.refresh_from_db()
    assert (payment.status, payment.captured_amount, payment.refunded_amount) == (
        "captured",
        PRICE,
        500,
    )
    assert payment.disputes.count() == 1


@pytest.mark.parametrize(
    "forge",
    [
        lambda body: "",
        lambda body: sign(body, "whsec_other"),
        lambda body: sign(body, at=int(time.time()) - 600),
        lambda body: sign(body).replace("v1=", "v0="),
        lambda body: sign(body + b" "),
        lambda body: "t=x,v1=y",
    ],
)
def test_forged_webhooks_leave_nothing(
    buyer: Buyer,
    simulator: StripeSimulator,
    deliver: Callable[..., Any],
    forge: Callable[[bytes], str],
) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=SECURE, return_url="https://shop.example/done")
    simulator.complete_action(Payment.objects.get().provider_id)
    event = _events(simulator, "payment_intent.succeeded")[0]

    answer = deliver(event, signature=forge(json.dumps(event).encode()))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
    assert ProviderEvent.objects.count() == 0
    assert Order.objects.get().status == "pending"


def test_both_secrets_are_good_during_a_rotation(
    buyer: Buyer, simulator: StripeSimulator, deliver: Callable[..., Any], settings: Any
) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_new", WEBHOOK_SECRET]
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=VISA)
    event = _events(simulator, "payment_intent.succeeded")[0]
    body = json.dumps(event).encode()

    assert deliver(event, signature=sign(body, "whsec_new")).status_code == 204
    assert deliver(event, signature=sign(body)).status_code == 204


def test_a_genuine_event_of_another_amount_pays_nothing(
    buyer: Buyer, simulator: StripeSimulator, deliver: Callable[..., Any], drain: Callable[[], int]
) -> None:
    """Authentic isn't valid: somebody's intent of 1.00 names our payment in its metadata."""
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe", method=SECURE, return_url="https://shop.example/done")
    payment = Payment.objects.get()
    client = gateway("stripe").client
    client.v1.payment_intents.create(
        {
            "amount": 100,
            "currency": "eur",
            "metadata": {"payment": str(payment.public_id)},
            "payment_method": VISA,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )

    deliver(_events(simulator, "payment_intent.succeeded")[0])
    drain()

    assert ProviderEvent.objects.get().status == "review"
    payment.refresh_from_db()
    assert (payment.status, Order.objects.get().status) == ("requires_action", "pending")


def test_an_event_of_nobodys_payment_waits_then_asks_for_review(
    buyer: Buyer, simulator: StripeSimulator, deliver: Callable[..., Any], drain: Callable[[], int]
) -> None:
    client_intent = {"amount": 100, "currency": "eur"}
    gateway("stripe").client.v1.payment_intents.create(client_intent)
    deliver(_events(simulator, "payment_intent.created")[0])
    drain()
    event = ProviderEvent.objects.get()
    assert (event.status, event.attempts) == ("pending", 1)

    for _round in range(5):
        ProviderEvent.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        payments.process_due()

    event.refresh_from_db()
    assert (event.status, event.note) == ("review", "no payment of ours")


def test_unknown_event_types_are_stored_and_ignored(
    simulator: StripeSimulator, deliver: Callable[..., Any], db: None
) -> None:
    answer = deliver({"id": "evt_1", "type": "price.created", "data": {"object": {}}})

    assert answer.status_code == 204
    assert ProviderEvent.objects.get().status == "ignored"


def test_webhooks_take_no_other_method(api: APIClient, db: None) -> None:
    assert api.get("/api/v1/webhooks/stripe/").status_code == 405
    assert api.post("/api/v1/webhooks/nobody/", {}).status_code == 400
