"""The Stripe simulator's webhooks: which events, signed how, delivered when and how often."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from apps.payments.gateways.stripe.simulator import StripeSimulator

CARD = {"amount": 1099, "currency": "usd", "payment_method_types": ["card"]}
PAID = {**CARD, "payment_method": "pm_card_visa", "confirm": True}
SECRET = "whsec_ours"
SUCCESS = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "charge.updated",
]


class Receiver(ThreadingHTTPServer):
    """A webhook endpoint that keeps what it got. `answers` are the next statuses, then 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        self.on_event: Callable[[bytes, str], None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?shop=1"

    def events(self) -> list[Any]:
        return [stripe.Webhook.construct_event(body, mark, SECRET) for body, mark in self.got]

    def kinds(self) -> list[str]:
        return [event.type for event in self.events()]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mark = self.headers["Stripe-Signature"]
        if self.server.on_event:
            self.server.on_event(body, mark)
        self.server.got.append((body, mark))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sim(receiver: Receiver) -> Iterator[StripeSimulator]:
    with StripeSimulator(settle_seconds=0.05) as simulator:
        simulator.register_webhook(receiver.url, SECRET)
        yield simulator


@pytest.fixture
def api(sim: StripeSimulator) -> Any:
    return stripe.StripeClient(
        sim.secret_key, base_addresses={"api": sim.url}, max_network_retries=0
    ).v1


def test_a_payment_tells_its_events_in_order(
    api: Any, sim: StripeSimulator, receiver: Receiver
) -> None:
    intent = api.payment_intents.create(PAID, {"idempotency_key": "k1"})
    assert sim.wait_for_webhooks()
    assert receiver.kinds() == SUCCESS
    event = receiver.events()[2]
    assert (event.object, event.livemode, event.pending_webhooks) == ("event", False, 1)
    assert event.data.object.id == intent.id
    assert (event.data.object.status, event.data.object.amount_received) == ("succeeded", 1099)
    assert event.request.idempotency_key == "k1"
    assert api.events.retrieve(event.id).pending_webhooks == 0
    assert [row.type for row in api.events.list({"types": ["charge.succeeded"]}).data] == [
        "charge.succeeded"
    ]


def test_a_forged_or_tampered_event_is_refused(
    api: Any, sim: StripeSimulator, receiver: Receiver
) -> None:
    api.payment_intents.create(CARD)
    assert sim.wait_for_webhooks()
    [(body, mark)] = receiver.got
    assert stripe.Webhook.construct_event(body, mark, SECRET).type == "payment_intent.created"
    late = mark.replace("t=", "t=1")
    for content, header, secret in (
        (body + b" ", mark, SECRET),
        (body, mark, "whsec_other"),
        (body, late, SECRET),
        (body, mark.replace("v1=", "v0="), SECRET),
    ):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(content, header, secret)


def manual(api: Any) -> None:
    intent = api.payment_intents.create({**PAID, "capture_method": "manual"}).id
    api.payment_intents.capture(intent)


def cancelled(api: Any) -> None:
    intent = api.payment_intents.create({**PAID, "capture_method": "manual"}).id
    api.payment_intents.cancel(intent)


def declined(api: Any) -> None:
    with pytest.raises(stripe.CardError):
        api.payment_intents.create({**PAID, "payment_method": "pm_card_chargeDeclined"})


def refunded(api: Any) -> None:
    api.refunds.create({"payment_intent": api.payment_intents.create(PAID).id})


def disputed(api: Any) -> None:
    api.payment_intents.create({**PAID, "payment_method": "pm_card_createDispute"})


def authenticating(api: Any) -> None:
    api.payment_intents.create({**PAID, "payment_method": "pm_card_threeDSecureRequired"})


def refund_failing(api: Any) -> None:
    intent = api.payment_intents.create({**PAID, "payment_method": "pm_card_refundFail"}).id
    refund = api.refunds.create({"payment_intent": intent}).id
    wait_until(lambda: api.refunds.retrieve(refund).status == "failed")


def bank_debit(api: Any) -> None:
    body = {"amount": 5, "currency": "usd", "confirm": True, "return_url": "https://x.test/"}
    intent = api.payment_intents.create({**body, "payment_method": "pm_usBankAccount_success"}).id
    wait_until(lambda: api.payment_intents.retrieve(intent).status == "succeeded")


HELD = ["payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated"]
REFUND = ["refund.updated", "charge.refund.updated"]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (manual, [*HELD, "charge.captured", "payment_intent.succeeded"]),
        (cancelled, [*HELD, "charge.refunded", "payment_intent.canceled"]),
        (
            declined,
            ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"],
        ),
        (refunded, [*SUCCESS, "refund.created", "charge.refunded", *REFUND]),
        (disputed, [*SUCCESS, "charge.dispute.created", "charge.dispute.funds_withdrawn"]),
        (authenticating, ["payment_intent.created", "payment_intent.requires_action"]),
        (
            refund_failing,
            [*SUCCESS, "refund.created", "charge.refunded", "refund.failed", *REFUND],
        ),
        (bank_debit, [SUCCESS[0], "payment_intent.processing", *SUCCESS[1:]]),
    ],
)
def test_events_of_each_change(
    api: Any,
    sim: StripeSimulator,
    receiver: Receiver,
    act: Callable[[Any], None],
    expected: list[str],
) -> None:
    act(api)
    assert sim.wait_for_webhooks()
    assert receiver.kinds() == expected


def test_an_endpoint_gets_only_its_events_and_its_own_secret(
    api: Any, sim: StripeSimulator, receiver: Receiver
) -> None:
    for row in api.webhook_endpoints.list().data:
        api.webhook_endpoints.delete(row.id)
    endpoint = api.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["payment_intent.succeeded"]}
    )
    assert not hasattr(api.webhook_endpoints.retrieve(endpoint.id), "secret")
    api.payment_intents.create(PAID)
    assert sim.wait_for_webhooks()
    [(body, mark)] = receiver.got
    event = stripe.Webhook.construct_event(body, mark, endpoint.secret)
    assert event.type == "payment_intent.succeeded"
    api.webhook_endpoints.update(endpoint.id, {"disabled": True})
    api.payment_intents.create(PAID)
    assert sim.wait_for_webhooks()
    assert len(receiver.got) == 1


def test_a_refused_delivery_is_tried_again(
    api: Any, sim: StripeSimulator, receiver: Receiver
) -> None:
    receiver.answers = [500, 404]
    api.payment_intents.create(CARD)
    assert sim.wait_for_webhooks()
    assert receiver.kinds() == ["payment_intent.created"] * 3
    assert len({event.id for event in receiver.events()}) == 1
    assert [one["status"] for one in sim.webhook_attempts()] == [500, 404, 200]


def test_duplicates(api: Any, sim: StripeSimulator, receiver: Receiver) -> None:
    sim.configure_webhooks(duplicate=2)
    api.payment_intents.create(PAID)
    assert sim.wait_for_webhooks()
    assert Counter(receiver.kinds()) == dict.fromkeys(SUCCESS, 3)
    assert len({event.id for event in receiver.events()}) == 4


def test_reordered(api: Any, sim: StripeSimulator, receiver: Receiver) -> None:
    sim.configure_webhooks(reorder=True)
    api.payment_intents.create(PAID)
    assert sim.wait_for_webhooks()
    assert receiver.kinds() == SUCCESS[::-1]


@pytest.mark.parametrize("reverse", [False, True])
def test_held_until_flushed(
    api: Any, sim: StripeSimulator, receiver: Receiver, reverse: bool
) -> None:
    sim.configure_webhooks(paused=True)
    api.payment_intents.create(PAID)
    time.sleep(0.1)
    assert receiver.got == []
    assert sim.flush_webhooks(reverse=reverse) == 4
    assert receiver.kinds() == (SUCCESS[::-1] if reverse else SUCCESS)


def test_delayed(api: Any, sim: StripeSimulator, receiver: Receiver) -> None:
    sim.configure_webhooks(delay_seconds=0.3)
    started = time.monotonic()
    api.payment_intents.create(CARD)
    assert sim.wait_for_webhooks()
    assert time.monotonic() - started >= 0.3
    assert receiver.kinds() == ["payment_intent.created"]


def test_sent_again_on_order(api: Any, sim: StripeSimulator, receiver: Receiver) -> None:
    api.payment_intents.create(CARD)
    [event] = sim.events()
    assert sim.send_event(event["id"], times=2) == 2
    assert sim.send_event() == 1
    assert sim.wait_for_webhooks()
    assert [one.id for one in receiver.events()] == [event["id"]] * 4


def test_a_rolled_secret_signs_beside_the_old_one(
    api: Any, sim: StripeSimulator, receiver: Receiver
) -> None:
    [endpoint] = api.webhook_endpoints.list().data
    fresh = sim.roll_webhook_secret(endpoint.id)
    api.payment_intents.create(CARD)
    assert sim.wait_for_webhooks()
    [(body, mark)] = receiver.got
    for secret in (SECRET, fresh):
        assert stripe.Webhook.construct_event(body, mark, secret).type == "payment_intent.created"


def test_webhooks_stay_on_this_machine(api: Any, sim: StripeSimulator, receiver: Receiver) -> None:
    sim.remove_webhook(api.webhook_endpoints.list().data[0].id)
    sim.register_webhook("http://192.0.2.1/hook")
    api.payment_intents.create(CARD)
    wait_until(lambda: bool(sim.webhook_attempts()))
    assert sim.webhook_attempts()[0]["problem"] == "not a loopback or allowed host"


def test_an_endpoint_may_ask_back_before_it_answers(
    api: Any, sim: StripeSimulator, receiver: Receiver
) -> None:
    found: list[str] = []

    def ask(body: bytes, mark: str) -> None:
        intent = stripe.Webhook.construct_event(body, mark, SECRET).data.object.id
        found.append(api.payment_intents.retrieve(intent).status)

    sim.remove_webhook(api.webhook_endpoints.list().data[0].id)
    sim.register_webhook(receiver.url, SECRET, ["payment_intent.succeeded"])
    sim.configure_webhooks(paused=True)
    receiver.on_event = ask
    api.payment_intents.create(PAID)
    assert sim.flush_webhooks() == 1
    assert found == ["succeeded"]
    assert [one["status"] for one in sim.webhook_attempts()] == [200]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen in a minute"
        time.sleep(0.01)
