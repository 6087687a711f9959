"""Work that nobody waits for: the schedule, and the thread that does it without a broker."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from celery import current_app
from django.db import connection, transaction

from apps.core import events
from apps.core.models import OutboxMessage
from apps.orders.events import OrderPlaced
from apps.orders.models import Order
from commerce.background import Background
from commerce.schedule import SCHEDULE
from tests.flows.conftest import Buyer, buyer, shop  # noqa: F401 (fixtures)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(SCHEDULE))
def test_every_scheduled_task_runs_twice_on_an_empty_shop(name: str) -> None:
    current_app.autodiscover_tasks(force=True)
    task = current_app.tasks[SCHEDULE[name]["task"]]

    task()
    task()


@pytest.mark.django_db(transaction=True)
def test_the_thread_delivers_what_is_published(buyer: Buyer, settings: Any) -> None:  # noqa: F811
    if connection.vendor == "sqlite":
        pytest.skip("A thread can't share SQLite's in-memory database while the test writes.")
    settings.OUTBOX_POLL_SECONDS = 0.1
    thread = Background()
    thread.start()
    try:
        buyer.fill(("MUG", 1))
        buyer.checkout()
        deadline = time.monotonic() + 60
        placed = OutboxMessage.objects.filter(name=OrderPlaced.name)
        while time.monotonic() < deadline and (
            not placed.exists() or placed.exclude(status="done").exists()
        ):
            time.sleep(0.05)
    finally:
        thread.stop()
        events.on_publish(lambda: None)

    # One row for each that receives it.
    assert {message.status for message in placed} == {"done"}


@pytest.mark.django_db
def test_an_event_rolls_back_with_its_change(buyer: Buyer) -> None:  # noqa: F811
    buyer.fill(("MUG", 1))
    buyer.checkout()
    order = Order.objects.get()
    OutboxMessage.objects.all().delete()

    with transaction.atomic():
        events.publish(OrderPlaced(order_id=str(order.public_id), number=order.number))
        transaction.set_rollback(True)

    assert OutboxMessage.objects.count() == 0


@dataclass(frozen=True)
class Unheard(events.Event):
    name: ClassVar[str] = "test.unheard"
    of: str


@pytest.mark.django_db
def test_an_event_without_receivers_leaves_no_row() -> None:
    with transaction.atomic():
        events.publish(Unheard(of="nobody"))

    assert OutboxMessage.objects.count() == 0
