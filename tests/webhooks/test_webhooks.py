"""Others are told what happened: what, how signed, how often, and what staff see of it."""

from __future__ import annotations

import json
import re
from dataclasses import fields as fields_of
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from apps.core import outbox
from apps.core.events import publish
from apps.core.models import AuditEntry, OutboxMessage
from apps.core.outbox import replay as hear_again
from apps.customers.events import CustomerRegistered
from apps.inventory.events import StockChanged
from apps.webhooks import services
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.services import deliveries as telling
from apps.webhooks.services.signing import signature
from apps.webhooks.tasks import prune, sweep
from tests.architecture.house import ROOT
from tests.flows.conftest import Buyer, build_shop
from tests.webhooks.conftest import signed_by

pytestmark = pytest.mark.django_db
A, B = "018f0000-0000-7000-8000-00000000000a", "018f0000-0000-7000-8000-00000000000b"
URL, LOG = "/api/v1/admin/webhook-endpoints/", "/api/v1/admin/webhook-deliveries/"


def happen(*product_ids: str) -> None:
    publish(StockChanged(product_ids=list(product_ids)))


def later(**time: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(**time), tick=False)


def test_signature_is_that_of_the_specification():
    """The example that Standard Webhooks' own libraries are tested with."""
    known = signature(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert known == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_documents_name_every_event_and_its_fields():
    told = {}
    table = (ROOT / "docs" / "webhooks.md").read_text().split("## Events")[1]
    for names, data in re.findall(r"^\| (`.+?) \| (`.+?) \|$", table, re.MULTILINE):
        first, *others = re.findall(r"`([\w.]+)`", names)
        beginning = first.partition(".")[0]
        fields = re.findall(r"[a-z_]+", re.sub(r"\(.*?\)", "", data))
        for name in (first, *others):
            told[beginning + name if name.startswith(".") else name] = fields
    assert told == {each.name: [f.name for f in fields_of(each)] for each in services.EVENTS}


def test_an_order_is_told_with_its_ids_and_nothing_personal(api, store, receiver, endpoint):
    build_shop(store)
    buyer = Buyer(api)
    buyer.fill(("BOOK", 1))
    number = buyer.checkout().json()["order"]["number"]
    outbox.drain()
    told = {call["type"]: call for call in receiver.told}
    assert {"order.placed", "stock.changed"} <= told.keys()
    placed = told["order.placed"]
    assert set(placed) == {"type", "timestamp", "data"}
    assert set(placed["data"]) == {"order_id", "number"}
    assert placed["data"]["number"] == number
    assert b"@" not in b"".join(body for _headers, body in receiver.calls)
    assert all(signed_by(endpoint.secret, *call) for call in receiver.calls)
    assert set(WebhookDelivery.objects.values_list("status", "answer")) == {("delivered", 204)}


def test_only_what_was_chosen_is_told(receiver, endpoint):
    publish(CustomerRegistered(customer_id="1", store="main"))
    happen(A)
    outbox.drain()
    assert [call["type"] for call in receiver.told] == ["stock.changed"]


def test_without_endpoints_nothing_is_written(db):
    happen(A)
    outbox.drain()
    assert not WebhookDelivery.objects.exists()


def test_an_event_that_is_heard_twice_is_told_once(receiver, endpoint):
    happen(A)
    outbox.drain()
    hear_again(list(OutboxMessage.objects.values_list("pk", flat=True)))
    outbox.drain()
    assert len(receiver.calls) == 1


def test_two_alike_are_two(receiver, endpoint):
    happen(A)
    happen(A)
    outbox.drain()
    assert len(set(receiver.ids)) == 2


def test_queueing_costs_the_same_for_many_events(endpoint, django_assert_num_queries):
    for number in (1, 20):
        for _n in range(number):
            happen(A)
        messages = OutboxMessage.objects.filter(status="pending", receiver__contains="webhooks")
        heard = [outbox.event_from(each.name, each.payload, each.event_id) for each in messages]
        with django_assert_num_queries(2):
            services.queue(heard)
        messages.update(status="done")


def test_it_is_tried_again_for_three_days_and_then_given_up(receiver, endpoint):
    receiver.status = 500
    happen(A)
    outbox.drain()
    assert len(receiver.calls) == 1
    for pause in telling.PAUSES:
        [delivery] = WebhookDelivery.objects.all()
        # No attempt comes before its time.
        assert timedelta(seconds=pause) <= delivery.due_at - delivery.attempted_at
        assert sweep() == 0
        WebhookEndpoint.objects.update(is_active=True, failing_since=None)
        with time_machine.travel(delivery.due_at, tick=False):
            assert sweep() == 1
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.answer) == ("failed", 10, 500)
    assert len(set(receiver.ids)) == 1
    assert sum(telling.PAUSES) > timedelta(days=2, hours=12).total_seconds()


def test_retry_after_is_kept_to(receiver, endpoint):
    receiver.status, receiver.headers = 429, {"Retry-After": "3600"}
    happen(A)
    outbox.drain()
    delivery = WebhookDelivery.objects.get()
    waits = delivery.due_at - delivery.attempted_at
    assert timedelta(minutes=59) < waits < timedelta(minutes=61)


def test_the_oldest_is_told_first_and_a_refused_one_keeps_no_other(receiver, endpoint):
    receiver.status = 500
    happen(A)
    outbox.drain()
    receiver.status = 204
    happen(B)
    outbox.drain()
    with later(minutes=1):
        sweep()
    said = [call["data"]["product_ids"] for call in receiver.told]
    assert said == [[A], [B], [A]]
    assert WebhookDelivery.objects.filter(status="delivered").count() == 2


class TestRotating:
    def test_both_secrets_verify_until_the_former_ends(self, receiver, endpoint):
        secret = services.rotate_secret(endpoint=endpoint.endpoint, overlap_hours=24)
        happen(A)
        outbox.drain()
        with later(hours=25):
            happen(B)
            outbox.drain()
        first, second = receiver.calls
        assert [signed_by(each, *first) for each in (endpoint.secret, secret)] == [True, True]
        assert [signed_by(each, *second) for each in (endpoint.secret, secret)] == [False, True]

    def test_at_once_where_it_is_known_to_somebody(self, receiver, endpoint):
        secret = services.rotate_secret(endpoint=endpoint.endpoint, overlap_hours=0)
        happen(A)
        outbox.drain()
        [call] = receiver.calls
        assert [signed_by(each, *call) for each in (endpoint.secret, secret)] == [False, True]

    @pytest.mark.parametrize("hours", [-1, 169])
    def test_overlap_has_bounds(self, endpoint, hours):
        with pytest.raises(services.InvalidOverlap):
            services.rotate_secret(endpoint=endpoint.endpoint, overlap_hours=hours)


class TestByAPI:
    def test_made_once_shown_once(self, as_merchant, receiver):
        body = {"name": "ERP", "url": receiver.url, "events": ["stock.changed", "order.paid"]}
        made = as_merchant.post(URL, body, format="json")
        assert made.status_code == 201, made.content
        assert made.json()["events"] == ["order.paid", "stock.changed"]
        secret = made.json()["secret"]
        shown = as_merchant.get(f"{URL}{made.json()['id']}/").json()
        assert "secret" not in shown
        assert shown == {key: value for key, value in made.json().items() if key != "secret"}
        assert secret not in json.dumps(list(AuditEntry.objects.values("changes")), default=str)
        happen(A)
        outbox.drain()
        assert signed_by(secret, *receiver.calls[0])

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"events": []}, "unknown_events"),
            ({"events": ["order.placed", "notification.created"]}, "unknown_events"),
            ({"url": "ftp://example.com/"}, "invalid_url"),
            ({"url": "https://user:pass@example.com/"}, "invalid_url"),
            ({"url": "https:///hooks"}, "invalid_url"),
            ({"url": "https://[::1"}, "invalid_url"),
            ({"url": "javascript:alert(1)"}, "invalid_url"),
        ],
    )
    def test_what_cant_be_is_refused(self, as_merchant, change, code):
        body = {"name": "ERP", "url": "https://example.com/", "events": ["order.paid"], **change}
        answer = as_merchant.post(URL, body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert not WebhookEndpoint.objects.exists()

    def test_changed_stopped_and_told_again_what_waited(self, as_merchant, receiver, endpoint):
        url = f"{URL}{endpoint.endpoint.public_id}/"
        receiver.status = 503
        happen(A)
        outbox.drain()
        stopped = as_merchant.patch(url, {"is_active": False}, format="json").json()
        assert (stopped["is_active"], stopped["name"]) == (False, "ERP")
        happen(B)
        outbox.drain()
        with later(days=1):
            assert sweep() == 0
        receiver.status = 204
        as_merchant.patch(url, {"is_active": True}, format="json")
        outbox.drain()
        assert [call["data"]["product_ids"] for call in receiver.told] == [[A], [A]]
        assert WebhookEndpoint.objects.get().failing_since is None

    def test_test_events_and_replays_by_filter(self, as_merchant, receiver, endpoint):
        url = f"{URL}{endpoint.endpoint.public_id}/"
        assert as_merchant.post(f"{url}test/").json()["event"] == "webhook.test"
        happen(A)
        happen(B)
        outbox.drain()
        told = receiver.ids
        assert len(told) == 3
        WebhookDelivery.objects.filter(event="stock.changed").update(status="failed")
        assert as_merchant.post(f"{url}replay/", {}, format="json").json() == {"replayed": 2}
        outbox.drain()
        assert sorted(receiver.ids[3:]) == sorted(told[1:])
        [row, *_others] = as_merchant.get(LOG, {"event": "webhook.test"}).json()["results"]
        answer = as_merchant.post(f"{LOG}{row['id']}/replay/")
        assert (answer.status_code, answer.json()["status"]) == (200, "waiting")
        outbox.drain()
        assert receiver.ids[-1] == row["event_id"]
        assert as_merchant.get(f"{LOG}{row['id']}/").json()["status"] == "delivered"

    def test_log_is_paged_and_costs_the_same(
        self, as_merchant, receiver, endpoint, django_assert_num_queries
    ):
        for number in (1, 12):
            for _n in range(number):
                happen(A)
            outbox.drain()
            with django_assert_num_queries(4):
                page = as_merchant.get(LOG, {"limit": 5, "status": "delivered"}).json()
        assert (len(page["results"]), page["next"] is None) == (5, False)

    def test_deleted_with_its_log(self, as_merchant, receiver, endpoint):
        happen(A)
        outbox.drain()
        assert as_merchant.delete(f"{URL}{endpoint.endpoint.public_id}/").status_code == 204
        assert not WebhookDelivery.objects.exists()

    def test_there_are_so_many_and_no_more(self, merchant, endpoint, monkeypatch):
        monkeypatch.setattr("apps.webhooks.services.endpoints.MOST_ENDPOINTS", 1)
        with pytest.raises(services.TooManyEndpoints):
            services.create_endpoint(
                created_by=merchant, name="B", url="https://e.com/", events=["order.paid"]
            )


class TestPages:
    def test_made_in_the_back_office(self, client, merchant, receiver):
        client.force_login(merchant)
        add = reverse("admin:webhooks_webhookendpoint_add")
        body = {"name": "ERP", "url": "https://u:p@example.com/", "events": ["stock.changed"]}
        assert b"without a user name" in client.post(add, body).content
        told = client.post(add, {**body, "url": receiver.url}, follow=True)
        [message] = [str(m) for m in told.context["messages"] if "whsec_" in str(m)]
        happen(A)
        outbox.drain()
        secret = message.split("whsec_")[1].split("<")[0].strip()
        assert signed_by("whsec_" + secret, *receiver.calls[0])
        [row] = WebhookDelivery.objects.all()
        shown = client.get(reverse("admin:webhooks_webhookdelivery_change", args=[row.pk]))
        assert b"stock.changed" in shown.content

    def test_log_stands_on_the_developers_page(self, client, merchant, receiver, endpoint):
        client.force_login(merchant)
        page = reverse("shop:webhook", args=[endpoint.endpoint.public_id])
        assert page.encode() in client.get(reverse("shop:developers")).content
        assert client.post(page, {"test": "1"}).status_code == 302
        outbox.drain()
        shown = client.get(page).content.decode()
        assert "webhook.test" in shown
        [row] = WebhookDelivery.objects.all()
        assert client.post(page, {"replay": str(row.public_id)}).status_code == 302
        outbox.drain()
        assert receiver.ids == [str(row.event_id)] * 2
        assert client.post(page, {"replay": "nothing"}).status_code == 404

    def test_it_is_nobody_elses(self, client, stranger, endpoint):
        client.force_login(stranger)
        page = reverse("shop:webhook", args=[endpoint.endpoint.public_id])
        assert client.get(page).status_code == 404
        assert client.post(page, {"test": "1"}).status_code == 404


def test_who_is_limited_to_stores_makes_none(as_merchant, merchant, store, receiver):
    from apps.stores.models import StoreLimit

    StoreLimit.objects.create(user=merchant, store=store)
    type(merchant).objects.filter(pk=merchant.pk).update(is_superuser=False)
    body = {"name": "ERP", "url": receiver.url, "events": ["order.paid"]}
    assert as_merchant.post(URL, body, format="json").status_code == 403
    assert not WebhookEndpoint.objects.exists()


def test_old_deliveries_are_forgotten_but_for_those_that_wait(receiver, endpoint):
    happen(A)
    outbox.drain()
    receiver.status = 500
    happen(B)
    outbox.drain()
    with later(days=31):
        assert prune() == 1
    assert [row.status for row in WebhookDelivery.objects.all()] == ["waiting"]


def test_whoever_made_it_is_told_that_it_was_stopped(receiver, endpoint, merchant):
    receiver.status = 410
    happen(A)
    outbox.drain()
    assert WebhookEndpoint.objects.get().is_active is False
    [message] = mail.outbox
    assert (message.to, "ERP" in message.subject) == ([merchant.email], True)
    assert AuditEntry.objects.filter(action="stop_webhook").count() == 1
