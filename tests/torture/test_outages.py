"""Broker and cache gone, or worse: there and silent. The shop sells on, as fast as ever."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from celery import current_app
from django.core import mail

from apps.core.models import OutboxMessage
from apps.core.outbox import Waker
from apps.orders.models import Order
from apps.payments.gateways.stripe.simulator import StripeSimulator
from tests.torture.conftest import MakeCarts
from tests.torture.serving import Server, black_hole, crowd, free_port, serving, statuses, until

pytestmark = [
    pytest.mark.race,
    pytest.mark.usefixtures("invariants"),
]

BUYERS = 16
# The time-outs add up to half a second; without them a silent service holds a request for a minute.
ADDED_SECONDS = 4.0
# `{closed}` is a port where nobody listens, `{silent}` one that accepts and says nothing.
OUTAGES = {
    "redis gone": {
        "BROKER_URL": "redis://127.0.0.1:{closed}/0",
        "REDIS_URL": "redis://127.0.0.1:{closed}/1",
    },
    "redis silent": {
        "BROKER_URL": "redis://127.0.0.1:{silent}/0",
        "REDIS_URL": "redis://127.0.0.1:{silent}/1",
    },
    "rabbitmq gone": {"BROKER_URL": "amqp://guest:guest@127.0.0.1:{closed}//"},
    "rabbitmq silent": {"BROKER_URL": "amqp://guest:guest@127.0.0.1:{silent}//"},
}


@pytest.fixture(params=OUTAGES)
def crippled(
    request: pytest.FixtureRequest, server_environment: dict[str, str]
) -> Iterator[Server]:
    """A server with throttles and a broker, whose services don't answer."""
    with ExitStack() as stack:
        ports = {"closed": free_port(), "silent": stack.enter_context(black_hole())}
        outage = {name: address.format(**ports) for name, address in OUTAGES[request.param].items()}
        environment = {**server_environment, "API_RATE_PER_MINUTE": "600", "BACKGROUND": "celery"}
        yield stack.enter_context(serving({**environment, **outage}))


def test_the_shop_sells_on(
    crippled: Server,
    server: Server,
    simulator: StripeSimulator,
    make_carts: MakeCarts,
    drain: Callable[[], int],
) -> None:
    carts = make_carts(2 * BUYERS, ("BOOK", 1))

    usual = crowd(8, [partial(server.checkout, cart) for cart in carts[:BUYERS]])
    now = crowd(8, [partial(crippled.checkout, cart) for cart in carts[BUYERS:]])
    waiting = OutboxMessage.objects.filter(status="pending").count()
    delivered = drain()
    again = drain()

    assert statuses(usual) == statuses(now) == {(201, ""): BUYERS}
    added = max(a.seconds for a in now) - max(a.seconds for a in usual)
    assert added < ADDED_SECONDS
    assert Order.objects.filter(status="confirmed").count() == 2 * BUYERS
    assert simulator.state()["payment_intents"] == {"succeeded": 2 * BUYERS}
    # The sweeper finds what nobody was woken for; each mail leaves once.
    assert (delivered >= waiting > 0, again) == (True, 0)
    numbers = sorted(re.findall(r"WEB-\d+", " ".join(message.subject for message in mail.outbox)))
    assert numbers == sorted(f"WEB-{n}" for n in range(1, 2 * BUYERS + 1))


@pytest.mark.filterwarnings("ignore:task_always_eager")
def test_a_thousand_commits_are_few_calls_of_the_broker() -> None:
    waker = Waker()
    with current_app.connection_for_write() as broker:
        queue = broker.SimpleQueue("critical")
        queue.clear()
        started = time.perf_counter()
        for _commit in range(1000):
            waker()
        seconds = time.perf_counter() - started
        woken = until(lambda: queue.qsize() > 0, 60)
        calls = queue.qsize()
        queue.clear()
    assert woken
    assert calls < 100
    # One call each would be a thousand round trips.
    assert seconds < 5
