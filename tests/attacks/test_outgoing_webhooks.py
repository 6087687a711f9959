"""T31: receivers that are slow, gone, lie about where they are, or hear things twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone

from apps.core import http, outbox
from apps.core.events import publish
from apps.inventory.events import StockChanged
from apps.webhooks import services
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.services import deliveries as telling
from apps.webhooks.tasks import sweep
from tests.webhooks.conftest import endpoint, listen, receiver, signed_by

__all__ = ["endpoint", "listen", "receiver"]
PRODUCT = "018f0000-0000-7000-8000-00000000000a"


def happen(times: int = 1) -> None:
    with transaction.atomic():
        for _n in range(times):
            publish(StockChanged(product_ids=[PRODUCT]))
    outbox.drain()


def another(receiver, merchant):
    made, _secret = services.create_endpoint(
        created_by=merchant, name="Other", url=receiver.url, events=["stock.changed"]
    )
    return made


@pytest.mark.django_db
class TestReceivers:
    def test_slow_one_is_left_alone_and_keeps_no_other_waiting(
        self, listen, receiver, endpoint, merchant, monkeypatch
    ):
        monkeypatch.setattr(http, "READ_TIMEOUT", 1.0)
        receiver.hold = threading.Event()
        quick = listen()
        another(quick, merchant)
        for _n in range(12):
            happen()
        receiver.hold.set()
        assert len(quick.calls) == 12
        # After five time-outs the breaker asks once in half a minute, however much waits.
        assert len(receiver.calls) == 5
        waiting = WebhookDelivery.objects.filter(endpoint=endpoint.endpoint, status="waiting")
        assert waiting.count() == 12
        assert set(waiting.exclude(attempts=0).values_list("answer", flat=True)) == {None}

    def test_redirect_is_an_answer_and_no_way(self, listen, receiver, endpoint):
        canary = listen()
        for where in ("http://169.254.169.254/latest/meta-data/", canary.url, "file:///etc/passwd"):
            receiver.status, receiver.headers = 301, {"Location": where}
            happen()
        assert canary.calls == []
        assert set(WebhookDelivery.objects.values_list("status", "answer")) == {("waiting", 301)}

    @pytest.mark.parametrize(
        "host",
        [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "0x7f.1",
            "2130706433",
            "0.0.0.0",  # noqa: S104 (told, not bound)
            "[::ffff:127.0.0.1]",
        ],
    )
    def test_our_own_network_is_never_told(self, receiver, endpoint, merchant, settings, host):
        settings.HTTP_ALLOW_PRIVATE_ADDRESSES = False
        port = receiver.url.rsplit(":", 1)[1]
        with pytest.raises(services.InvalidURL):
            services.create_endpoint(
                created_by=merchant,
                name="Us",
                url=f"http://{host}:{port}",
                events=["stock.changed"],
            )
        # A name that leads here only later is refused when it is called.
        for scheme in ("http", "https"):
            WebhookEndpoint.objects.update(url=f"{scheme}://{host}:{port}", is_active=True)
            happen()
        assert receiver.calls == []
        assert set(WebhookDelivery.objects.values_list("status", "answer")) == {("waiting", None)}

    def test_gone_for_three_days_it_is_stopped_and_told_later(
        self, receiver, endpoint, merchant, client_for
    ):
        receiver.status = 502
        happen(2)
        start = timezone.now()
        for hours in range(1, 110):
            with time_machine.travel(start + timedelta(hours=hours), tick=False):
                sweep()
        with time_machine.travel(start + timedelta(hours=110), tick=False):
            self._come_back(receiver, merchant, client_for(merchant))

    def _come_back(self, receiver, merchant, as_merchant):
        stopped = WebhookEndpoint.objects.get()
        assert stopped.is_active is False
        outbox.drain()
        [message] = mail.outbox
        assert message.to == [merchant.email]
        asked = len(receiver.calls)
        # Each was tried at most ten times, with pauses of hours.
        assert 2 * 6 <= asked <= 2 * 10
        happen()
        assert len(receiver.calls) == asked
        receiver.status = 200
        url = f"/api/v1/admin/webhook-endpoints/{stopped.public_id}/"
        assert as_merchant.patch(url, {"is_active": True}, format="json").status_code == 200
        as_merchant.post(f"{url}replay/", {"status": "failed"}, format="json")
        outbox.drain()
        sweep()
        assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"delivered"}
        assert len(set(receiver.ids)) == 2

    def test_worker_that_dies_after_sending_sends_the_same_again(
        self, receiver, endpoint, monkeypatch
    ):
        class Died(Exception):
            pass

        def die(name: str) -> None:
            raise Died

        with monkeypatch.context() as patched:
            patched.setattr(telling, "failpoint", die)
            happen()
        assert WebhookDelivery.objects.get().status == "waiting"
        sweep()
        assert len(receiver.calls) == 2
        assert len(set(receiver.ids)) == 1
        assert all(signed_by(endpoint.secret, *call) for call in receiver.calls)
        assert receiver.calls[0][1] == receiver.calls[1][1]

    def test_its_answer_is_not_kept(self, receiver, endpoint):
        receiver.status, receiver.headers = 500, {"X-Secret": "marker"}
        happen()
        row = WebhookDelivery.objects.values().get()
        assert "marker" not in str(row)
        assert row["error"] == "The server answered 500."


@contextmanager
def unattended(known: Any) -> Iterator[None]:
    """What happens is written down, and told by whoever is asked to afterwards."""
    rows = WebhookEndpoint.objects.filter(pk=known.endpoint.pk)
    rows.update(lease_until=timezone.now() + timedelta(hours=1))
    yield
    rows.update(lease_until=None)


@pytest.mark.race
class TestWorkers:
    def test_of_many_one_tells(self, transactional_db, receiver, endpoint, at_once):
        with unattended(endpoint):
            happen(5)
        at_once(6, lambda n: services.deliver(endpoint_id=endpoint.endpoint.pk))
        services.deliver(endpoint_id=endpoint.endpoint.pk)
        assert len(receiver.calls) == 5
        assert len(set(receiver.ids)) == 5

    def test_without_the_lease_it_is_told_by_many(
        self, transactional_db, receiver, endpoint, at_once, monkeypatch
    ):
        """The negative control: each has read what is due before any is told."""
        with unattended(endpoint):
            happen()
        monkeypatch.setattr(telling, "_claim", lambda pk: WebhookEndpoint.objects.get(pk=pk))
        monkeypatch.setattr(telling, "_renew", lambda endpoint: True)
        known = telling._attempt
        all_have_read = threading.Barrier(6)

        def attempt(*args: Any) -> bool:
            all_have_read.wait(timeout=30)
            known(*args)
            return False

        monkeypatch.setattr(telling, "_attempt", attempt)
        at_once(6, lambda n: services.deliver(endpoint_id=endpoint.endpoint.pk))
        assert len(receiver.calls) == 6
