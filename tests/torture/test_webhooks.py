"""Stripe's webhooks and our own answers race for every payment; both tell the same in the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from django.db import connection

from apps.core import outbox
from apps.orders.models import Order
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.payments.models import Payment, ProviderEvent
from tests.torture.conftest import MakeCarts
from tests.torture.serving import Server, crowd, statuses, until

pytestmark = [
    pytest.mark.race,
    pytest.mark.usefixtures("invariants"),
]

BUYERS, AT_ONCE = 50, 25
# One book of 20.00 and 4.95 for the post.
PRICE = 2495
CARDS = ("pm_card_visa", "pm_card_chargeDeclined", "pm_card_threeDSecure2Required", "pm_card_visa")
TOLD = {
    "succeeded": ("captured", "confirmed", "paid"),
    "requires_payment_method": ("failed", "pending", "unpaid"),
}


@pytest.fixture
def relay(transactional_db: None) -> Iterator[None]:
    """A worker beside the server, as in production."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            outbox.drain()
            over.wait(0.05)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.usefixtures("relay")
def test_webhooks_at_once_twice_and_last_first(
    server: Server, simulator: StripeSimulator, make_carts: MakeCarts
) -> None:
    endpoint = simulator.register_webhook(f"{server.url}/api/v1/webhooks/stripe/", "whsec_tests")
    simulator.configure_webhooks(duplicate=2)
    carts = make_carts(BUYERS, ("BOOK", 1))

    answers = crowd(
        AT_ONCE,
        [
            partial(server.checkout, cart, method=CARDS[number % len(CARDS)])
            for number, cart in enumerate(carts)
        ],
    )
    simulator.configure_webhooks(reorder=True)
    for payment in Payment.objects.filter(status="requires_action"):
        simulator.complete_action(payment.provider_id or "")
    delivered = simulator.wait_for_webhooks(60)
    settled = until(
        lambda: (
            not ProviderEvent.objects.filter(status="pending").exists()
            and not Order.objects.filter(
                status="pending", payments__status="requires_action"
            ).exists()
        ),
        30,
    )
    simulator.remove_webhook(endpoint)

    assert delivered
    assert settled
    told = statuses(answers)
    assert told.pop((402, "payment_declined")) == len(carts[1::4])
    assert told == {(201, ""): BUYERS - len(carts[1::4])}
    events = simulator.events()
    assert {attempt["status"] for attempt in simulator.webhook_attempts()} == {204}
    assert len(simulator.webhook_attempts()) == 3 * len(events)
    assert ProviderEvent.objects.count() == len(events)
    assert not ProviderEvent.objects.filter(status="review").exists()
    truth = _intents(events)
    assert len(truth) == Payment.objects.count() == BUYERS
    for payment in Payment.objects.select_related("order"):
        status, received = truth[payment.provider_id]
        order = payment.order
        assert (payment.status, order.status, order.payment_status) == TOLD[status]
        assert payment.captured_amount == received == (PRICE if status == "succeeded" else 0)


def _intents(events: list[dict]) -> dict[str | None, tuple[str, int]]:
    """Status and amount received of each payment intent, by the last that Stripe said of it."""
    last = {}
    for event in events:
        intent = event["data"]["object"]
        if intent["object"] == "payment_intent":
            last[intent["id"]] = intent["status"], intent["amount_received"]
    return last
