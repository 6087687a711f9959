"""kill -9 at every step of an order: afterwards one order and one payment, or neither."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps.checkout.models import Cart
from apps.core.models import IdempotencyRecord, OutboxMessage
from apps.inventory import services as inventory
from apps.orders.models import Order
from apps.orders.services import cancel_expired
from apps.payments import services as payments
from apps.payments.gateways.stripe.simulator import StripeSimulator
from tests.architecture.house import ROOT
from tests.flows.conftest import ADDRESS
from tests.torture.conftest import MakeCarts
from tests.torture.serving import Server, serving, until

pytestmark = [
    pytest.mark.race,
    pytest.mark.usefixtures("invariants"),
]

# Two mugs of 12.00, or one, and 4.95 for the post.
TOTAL, PRICE = 2895, 1695
KILLED = 137
# In the order in which a checkout comes by.
STEPS = (
    "before-hold",
    "before-outbox:stock.changed",
    "after-outbox:stock.changed",
    "after-hold",
    "order-inserted",
    "before-commit",
    "before-wake",
    "order-committed",
    "payment-created",
    "gateway-answered",
    "before-outbox:order.placed",
    "after-outbox:order.placed",
    "before-payment-commit",
    "payment-recorded",
    "before-answer-kept",
    "answer-kept",
)


@dataclass(frozen=True)
class Mortal:
    """A server whose worker dies where it is told to, once."""

    server: Server
    order: Path

    def die_at(self, step: str) -> None:
        """The next worker will die there; the present one is killed to make room for it."""
        # One that has only just been forked would take the order, and die of being present.
        self.server.call("GET", "/health/live/")
        self.order.write_text(step)
        for pid in self.server.workers():
            os.kill(pid, signal.SIGKILL)
        assert until(lambda: not self.order.exists(), 60)

    def crash(self, send: Callable[[], object]) -> None:
        """Send a request whose answer never comes, because the worker died of it."""
        before = self.server.workers()
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            send()
        assert until(lambda: self.server.workers() not in (before, []), 60)


@pytest.fixture(scope="module")
def mortal(
    server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mortal]:
    order = tmp_path_factory.mktemp("failpoint") / "name"
    environment = {**server_environment, "FAILPOINT_FILE": str(order)}
    with serving(environment, "tests/torture/gunicorn_crash.py") as server:
        yield Mortal(server, order)


def _end_leases() -> int:
    """The minute that a dead request keeps its key is over."""
    return IdempotencyRecord.objects.filter(in_progress=True).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def _sweep(drain: Callable[[], int]) -> None:
    """What beat does within the next half hour."""
    payments.reconcile(now=timezone.now() + timedelta(minutes=3))
    drain()
    cancel_expired(now=timezone.now() + timedelta(minutes=31))
    inventory.release_expired(now=timezone.now() + timedelta(minutes=31))
    drain()


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_checkout_is_one_order_and_one_payment_or_neither(
    step: str,
    mortal: Mortal,
    simulator: StripeSimulator,
    make_carts: MakeCarts,
    drain: Callable[[], int],
) -> None:
    retried, abandoned = make_carts(2, ("MUG", 2))
    for cart in (retried, abandoned):
        mortal.die_at(step)
        mortal.crash(lambda cart=cart: mortal.server.checkout(cart, key="the key"))

    too_early = mortal.server.checkout(retried, key="the key")
    waited = _end_leases()
    answer = mortal.server.checkout(retried, key="the key")
    _sweep(drain)

    if step == "answer-kept":
        assert (too_early.status, waited) == (201, 0)
        assert too_early.headers["Idempotent-Replayed"] == "true"
    else:
        assert (too_early.status, too_early.json["code"]) == (409, "request_in_progress")
        assert waited == 2
    assert answer.status == 201, answer.body
    assert answer.json["order"]["status"] == "confirmed"
    order = Order.objects.get(source=f"cart:{retried}")
    assert (order.number, order.status) == (answer.json["order"]["number"], "confirmed")
    assert order.payments.get().status == "captured"
    # The other one went wholly through, or gave everything back: its cart can be ordered again.
    other = Order.objects.filter(source=f"cart:{abandoned}")
    placed = list(other.values_list("status", "payment_status"))
    assert placed in ([], [("confirmed", "paid")])
    assert Cart.objects.get(public_id=abandoned).status == ("ordered" if placed else "open")
    assert _kept(simulator) == TOTAL * (1 + len(placed))
    again = mortal.server.checkout(abandoned, key="another key")
    assert again.json["order"]["status"] == "confirmed"
    assert _kept(simulator) == TOTAL * 2
    assert simulator.state()["refunded"] == {}


def _kept(simulator: StripeSimulator) -> int:
    truth = simulator.state()
    return truth["captured"].get("eur", 0) - truth["refunded"].get("eur", 0)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("step", ["before-hold", "order-committed", "gateway-answered"])
def test_a_killed_one_call_checkout_finds_its_cart_again(
    step: str, mortal: Mortal, simulator: StripeSimulator
) -> None:
    wish = {
        "lines": [{"sku": "MUG", "quantity": 1}],
        "email": "channel@example.com",
        "shipping_address": ADDRESS,
        "shipping_method": "post",
        "payment": {"gateway": "stripe", "method": "pm_card_visa"},
    }
    mortal.die_at(step)

    mortal.crash(lambda: mortal.server.call("POST", "/api/v1/checkout/", wish, key="the key"))
    assert _end_leases() == 1
    answer = mortal.server.call("POST", "/api/v1/checkout/", wish, key="the key")

    assert answer.status == 201, answer.body
    assert (Order.objects.count(), Cart.objects.count()) == (1, 1)
    assert simulator.state()["captured"] == {"eur": PRICE}


def test_a_killed_relay_delivers_again_and_mails_once(
    server: Server,
    server_environment: dict[str, str],
    simulator: StripeSimulator,
    make_carts: MakeCarts,
) -> None:
    for cart in make_carts(3, ("BOOK", 1)):
        assert server.checkout(cart).status == 201
    command = [sys.executable, "manage.py", "relay_outbox"]
    environment = {**server_environment, "EMAIL_URL": "consolemail://"}
    printed = []

    def relay(step: str) -> int:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**environment, "FAILPOINT": step},
            check=False,
            stdout=subprocess.PIPE,
            text=True,
        )
        printed.append(done.stdout)
        # What a dead relay claimed is due again after its lease.
        OutboxMessage.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        return done.returncode

    mailed = "received:notification.created"
    crashes = [relay(step) for step in ("received:order.placed", mailed, mailed)]
    assert relay("none") == 0

    assert crashes == [KILLED] * 3
    assert set(OutboxMessage.objects.values_list("status", flat=True)) == {"done"}
    mails = "".join(printed)
    recipients = [f"To: buyer{number}@example.com" for number in range(3)]
    assert [mails.count(recipient) for recipient in recipients] == [1, 1, 1]
