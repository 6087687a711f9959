"""The database goes away in the middle of orders, or its answers do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from apps.core.models import IdempotencyRecord
from apps.orders.models import Order
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.payments.models import Payment
from tests.torture.conftest import MakeCarts
from tests.torture.proxy import Door, door_to
from tests.torture.serving import Server, crowd, serving

pytestmark = [
    pytest.mark.race,
    pytest.mark.usefixtures("invariants"),
]

# One book of 20.00 and 4.95 for the post.
PRICE = 2495
BUYERS, AT_ONCE = 50, 25


@dataclass(frozen=True)
class Behind:
    """A server, and the door to its database."""

    server: Server
    door: Door


def _connect() -> socket.socket:
    settings = connection.settings_dict
    host = settings["HOST"] or settings["OPTIONS"].get("host", "127.0.0.1")
    port = int(settings["PORT"] or settings["OPTIONS"].get("port", 5432))
    if host.startswith("/"):
        plain = socket.socket(socket.AF_UNIX)
        plain.connect(f"{host}/.s.PGSQL.{port}")
        return plain
    return socket.create_connection((host, port))


@pytest.fixture(scope="module")
def behind(server_environment: dict[str, str]) -> Iterator[Behind]:
    settings = connection.settings_dict
    with door_to(_connect) as door:
        who = f"{settings['USER']}:{settings['PASSWORD']}@127.0.0.1:{door.port}"
        address = f"postgres://{who}/{settings['NAME']}?sslmode=disable"
        with serving({**server_environment, "DATABASE_URL": address}) as server:
            yield Behind(server, door)


def _end_leases() -> None:
    IdempotencyRecord.objects.filter(in_progress=True).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


# The key's claim; the order; the payment's row; the payment's answer.
@pytest.mark.parametrize("commit", [1, 2, 3])
def test_an_answer_to_commit_that_is_lost(
    commit: int, behind: Behind, simulator: StripeSimulator, make_carts: MakeCarts
) -> None:
    first, second = make_carts(2, ("BOOK", 1))
    lost_before = behind.door.lost
    behind.door.lose_answer_to_commit(commit)

    ambiguous = behind.server.checkout(first, key="the key")
    _end_leases()
    retried = behind.server.checkout(first, key="the key")
    next_one = behind.server.checkout(second, key="another")

    assert behind.door.lost == lost_before + 1
    assert (ambiguous.status, retried.status, next_one.status) == (503, 201, 201)
    numbers = [answer.json["order"]["number"] for answer in (retried, next_one)]
    assert numbers == ["WEB-1", "WEB-2"]
    assert Order.objects.filter(status="confirmed", payment_status="paid").count() == 2
    assert Order.objects.count() == Payment.objects.count() == 2
    assert simulator.state()["captured"] == {"eur": 2 * PRICE}


def test_a_database_that_restarts_under_fifty_buyers(
    behind: Behind, simulator: StripeSimulator, make_carts: MakeCarts
) -> None:
    carts = make_carts(BUYERS, ("BOOK", 1))

    def storm() -> list[int]:
        clicks = [partial(behind.server.checkout, cart, key=f"key {cart}") for cart in carts]
        return [answer.status for answer in crowd(AT_ONCE, clicks)]

    def restart() -> None:
        deadline = time.monotonic() + 30
        while Order.objects.filter(status="confirmed").count() < 10:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        connection.close()
        behind.door.slam()
        time.sleep(0.7)
        behind.door.shut = False

    restarting = threading.Thread(target=restart)
    restarting.start()
    during = storm()
    restarting.join()
    _end_leases()
    after = storm()

    assert set(during) == {201, 503}, behind.server.log.read_text()[-6000:]
    assert after == [201] * BUYERS
    assert Order.objects.filter(status="confirmed", payment_status="paid").count() == BUYERS
    assert Order.objects.count() == BUYERS
    assert simulator.state()["payment_intents"] == {"succeeded": BUYERS}
    assert simulator.state()["captured"] == {"eur": BUYERS * PRICE}
