"""The Stripe simulator's idempotency keys, ordered faults, state file, and clean stop."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from apps.payments.gateways.stripe.simulator import Fault, StripeSimulator

CARD = {"amount": 1099, "currency": "usd", "payment_method_types": ["card"]}
PAID = {**CARD, "payment_method": "pm_card_visa", "confirm": True}
KEY = {"idempotency_key": "order-1"}


@pytest.fixture(scope="module")
def running() -> Iterator[StripeSimulator]:
    with StripeSimulator(settle_seconds=0.05) as simulator:
        yield simulator


@pytest.fixture
def sim(running: StripeSimulator) -> StripeSimulator:
    running.reset()
    return running


@pytest.fixture
def api(sim: StripeSimulator) -> Any:
    return client(sim).v1


def client(sim: StripeSimulator, retries: int = 0) -> stripe.StripeClient:
    return stripe.StripeClient(
        sim.secret_key, base_addresses={"api": sim.url}, max_network_retries=retries
    )


def post(sim: StripeSimulator, path: str, fields: dict[str, str], key: str) -> tuple[Any, ...]:
    """Status, replay header and body of a request with an idempotency key."""
    parts = urlsplit(sim.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    headers = {"Authorization": f"Bearer {sim.secret_key}", "Idempotency-Key": key}
    connection.request("POST", path, urlencode(fields), headers)
    response = connection.getresponse()
    answer = (response.status, response.getheader("Idempotent-Replayed"), response.read())
    connection.close()
    return answer


def order(sim: StripeSimulator, path: str, content: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """An order to the control plane over HTTP."""
    parts = urlsplit(sim.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    connection.request("POST", path, json.dumps(content), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def test_the_same_key_replays_the_same_bytes(sim: StripeSimulator) -> None:
    fields = {"amount": "500", "currency": "usd"}
    first = post(sim, "/v1/payment_intents", fields, "k1")
    again = post(sim, "/v1/payment_intents", fields, "k1")
    assert (first[0], first[1]) == (200, None)
    assert again == (200, "true", first[2])
    assert sim.state()["payment_intents"] == {"requires_payment_method": 1}
    assert sim.state()["idempotency_keys"] == {"k1": 2}
    assert sim.state()["requests"] == {"POST /v1/payment_intents": 2}


def test_a_key_is_bound_to_its_parameters_and_its_endpoint(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create(CARD, KEY)
    for act in (
        lambda: api.payment_intents.create({**CARD, "amount": 1100}, KEY),
        lambda: api.payment_intents.cancel(intent.id, {}, KEY),
    ):
        with pytest.raises(stripe.IdempotencyError) as caught:
            act()
        assert caught.value.http_status == 400
    assert sim.state()["payment_intents"] == {"requires_payment_method": 1}


def test_a_failed_validation_does_not_use_the_key_up(api: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        api.payment_intents.create({**CARD, "currency": "zzz"}, KEY)
    assert api.payment_intents.create(CARD, KEY).amount == 1099


def test_a_decline_is_the_answer_of_its_key(api: Any, sim: StripeSimulator) -> None:
    body = {**PAID, "payment_method": "pm_card_chargeDeclined"}
    intents = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            api.payment_intents.create(body, KEY)
        intents.append(caught.value.error.payment_intent.id)
    assert intents[0] == intents[1]
    assert sim.state()["charges"] == {"failed": 1}


def test_keys_have_a_length_limit(sim: StripeSimulator) -> None:
    fields = {"amount": "500", "currency": "usd"}
    assert post(sim, "/v1/payment_intents", fields, "k" * 255)[0] == 200
    assert post(sim, "/v1/payment_intents", fields, "k" * 256)[0] == 400


def test_a_key_in_progress_is_a_conflict(api: Any, sim: StripeSimulator) -> None:
    sim.add_fault(Fault(timeout_seconds=0.5))
    first = threading.Thread(target=lambda: api.payment_intents.create(PAID, KEY))
    first.start()
    wait_until(lambda: bool(sim.world.keys.running))
    with pytest.raises(stripe.StripeError) as caught:
        api.payment_intents.create(PAID, KEY)
    assert (caught.value.http_status, caught.value.error.code) == (409, "idempotency_key_in_use")
    first.join()
    assert api.payment_intents.create(PAID, KEY).status == "succeeded"
    assert sim.state()["captured"] == {"usd": 1099}


def test_fifty_threads_with_one_key_make_one_payment(sim: StripeSimulator) -> None:
    patient = client(sim, retries=8).v1
    found: list[str] = []
    run_all([lambda: found.append(patient.payment_intents.create(PAID, KEY).id)] * 50)
    assert (len(found), len(set(found))) == (50, 1)
    assert sim.state()["payment_intents"] == {"succeeded": 1}
    assert sim.state()["captured"] == {"usd": 1099}


def test_a_lost_reply_and_the_same_key_charge_once(api: Any, sim: StripeSimulator) -> None:
    sim.add_fault(Fault("/v1/payment_intents", "POST", drop_after_execute=True))
    with pytest.raises(stripe.APIConnectionError):
        api.payment_intents.create(PAID, KEY)
    assert sim.state()["captured"] == {"usd": 1099}
    retried = api.payment_intents.create(PAID, KEY)
    assert [row.id for row in api.payment_intents.list().data] == [retried.id]
    assert sim.state()["captured"] == {"usd": 1099}


def test_a_lost_request_charges_nothing(api: Any, sim: StripeSimulator) -> None:
    sim.add_fault(Fault("/v1/payment_intents", "POST", drop_before_execute=True))
    with pytest.raises(stripe.APIConnectionError):
        api.payment_intents.create(PAID, KEY)
    assert sim.state()["captured"] == {}
    assert api.payment_intents.create(PAID, KEY).status == "succeeded"


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, stripe.RateLimitError), (500, stripe.APIError), (503, stripe.APIError)],
)
def test_ordered_errors_execute_nothing(
    api: Any, sim: StripeSimulator, status: int, error: type[stripe.StripeError]
) -> None:
    sim.add_fault(Fault("/v1/refunds", status=status))
    sim.add_fault(Fault("/v1/payment_intents", "POST", status=status, times=2))
    assert api.payment_intents.list().data == []
    for _ in range(2):
        with pytest.raises(error) as caught:
            api.payment_intents.create(PAID, KEY)
        assert caught.value.http_status == status
    assert api.payment_intents.create(PAID, KEY).status == "succeeded"
    assert [fault["path_prefix"] for fault in sim.faults()] == ["/v1/refunds"]


def test_the_sdk_rides_out_a_short_outage(sim: StripeSimulator) -> None:
    sim.add_fault(Fault("/v1/payment_intents", status=500))
    sim.add_fault(Fault("/v1/payment_intents", drop_after_execute=True))
    assert client(sim, retries=3).v1.payment_intents.create(PAID).status == "succeeded"
    assert sim.state()["captured"] == {"usd": 1099}


def test_orders_over_http(api: Any, sim: StripeSimulator) -> None:
    fault = {"path_prefix": "/v1/customers", "status": 500, "times": 1}
    assert order(sim, "/_sim/faults", fault)[0] == 200
    with pytest.raises(stripe.APIError):
        api.customers.create({"email": "a@b.co"})
    assert order(sim, "/_sim/faults", {"colour": 1})[0] == 400
    intent = api.payment_intents.create(
        {**PAID, "payment_method": "pm_card_threeDSecure2Required"}
    ).id
    done = {"payment_intent": intent, "outcome": "succeeded"}
    assert order(sim, "/_sim/complete_action", done)[1]["status"] == "succeeded"
    status, dispute = order(sim, "/_sim/dispute", {"payment_intent": intent, "amount": 100})
    assert (status, dispute["amount"]) == (200, 100)
    lost = {"dispute": dispute["id"], "status": "lost"}
    assert order(sim, "/_sim/dispute/close", lost)[1]["status"] == "lost"
    assert order(sim, "/_sim/dispute/close", lost)[0] == 400
    assert order(sim, "/_sim/nothing", {})[0] == 404
    assert order(sim, "/_sim/reset", {})[0] == 200
    assert sim.state()["payment_intents"] == {}


def test_a_state_file_keeps_the_account_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "stripe.json"
    with StripeSimulator(state_file=path) as simulator:
        endpoint = simulator.register_webhook("http://127.0.0.1:9/", "whsec_kept", ["none"])
        intent = client(simulator).v1.payment_intents.create(
            {**PAID, "capture_method": "manual"}, KEY
        )
    with StripeSimulator(state_file=path) as simulator:
        api = client(simulator).v1
        again = api.payment_intents.create({**PAID, "capture_method": "manual"}, KEY)
        assert again.id == intent.id
        assert api.payment_intents.capture(intent.id).status == "succeeded"
        assert simulator.world.store.private(endpoint)["secrets"] == ["whsec_kept"]
        wait_until(lambda: '"succeeded"' in path.read_text())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["stripe.json"]


def test_stopping_is_quick_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    simulator = StripeSimulator().start()
    client(simulator).v1.payment_intents.create(CARD)
    simulator.add_fault(Fault(timeout_seconds=30.0))
    waiting = threading.Thread(target=lambda: _ignore(client(simulator).v1.balance.retrieve))
    waiting.start()
    wait_until(lambda: not simulator.faults())
    started = time.monotonic()
    simulator.stop()
    waiting.join()
    # Else it would be what the fault, or the delivery, waits for: 30 seconds, 20.
    assert time.monotonic() - started < 15
    assert set(threading.enumerate()) - before == set()
    simulator.stop()


def test_a_silent_receiver_does_not_delay_a_stop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        simulator = StripeSimulator().start()
        simulator.register_webhook(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        client(simulator).v1.payment_intents.create(CARD)
        silent.accept()
        started = time.monotonic()
        simulator.stop()
        # Else it would be what the fault, or the delivery, waits for: 30 seconds, 20.
        assert time.monotonic() - started < 15


def _ignore(act: Callable[[], Any]) -> None:
    try:
        act()
    except stripe.StripeError:
        return


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen in a minute"
        time.sleep(0.01)


def run_all(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
