"""The staff's messages and the delivery log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from apps.notifications.models import Notification
from apps.notifications.selectors import notifications_unsent
from apps.notifications.services import notify
from tests.factories.accounts import StaffFactory

SEND = "/api/v1/admin/notifications/send/"
HISTORY = "/api/v1/admin/notifications/history/"
STATS = "/api/v1/admin/notifications/stats/"
BODY = {"recipient": "ana@example.com", "subject": "Your order", "body": "It waits for you."}


@pytest.fixture
def messages(db):
    return [
        notify(
            kind=kind,
            recipient=f"{n}@example.com",
            language="en",
            context={"store_name": "Main", "number": "WEB-1"},
            dedupe_key=str(n),
        )
        for n, kind in enumerate(["orders/cancelled", "orders/cancelled", "orders/refunded"])
    ]


def test_message_is_sent(as_merchant, store, drain):
    response = as_merchant.post(SEND, BODY)
    assert response.status_code == 201
    answer = response.json()
    assert (answer["status"], answer["subject"]) == ("pending", "Your order")
    drain()
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["ana@example.com"], "Your order")
    assert sent.body.startswith("It waits for you.\n")
    (listed,) = as_merchant.get(HISTORY).json()["results"]
    assert (listed["id"], listed["status"]) == (answer["id"], "sent")


def test_message_with_a_key_is_sent_once(as_merchant, store, drain):
    headers = {"Idempotency-Key": "1"}
    first = as_merchant.post(SEND, BODY, headers=headers)
    second = as_merchant.post(SEND, BODY, headers=headers)
    assert second["Idempotent-Replayed"] == "true"
    assert first.content == second.content
    assert Notification.objects.count() == 1
    as_merchant.post(SEND, BODY)
    assert Notification.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"recipient": "nobody"},
        {"recipient": "a@b.com, c@d.com"},
        {"recipient": "a@b.com\r\nBcc: c@d.com"},
        {"subject": ""},
        {"subject": "x" * 251},
        {"body": " "},
        {"language": "xx"},
        {"html": "<b>x</b>"},
    ],
)
def test_message_refuses(as_merchant, store, change):
    assert as_merchant.post(SEND, BODY | change).status_code == 400
    assert Notification.objects.count() == 0


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [2, 1, 0]),
        ("ordering=created", [0, 1, 2]),
        ("kind=orders/refunded", [2]),
        ("recipient=1@EXAMPLE.com", [1]),
        ("status=sent", []),
        ("status=pending&limit=2", [2, 1]),
        ("created_after=2999-01-01T00:00:00Z", []),
        ("created_before=2999-01-01T00:00:00Z&kind=orders/cancelled", [1, 0]),
    ],
)
def test_history_is_filtered(as_merchant, messages, query, numbers):
    results = as_merchant.get(f"{HISTORY}?{query}").json()["results"]
    assert [m["recipient"] for m in results] == [f"{n}@example.com" for n in numbers]


@pytest.mark.parametrize("query", ["status=lost", "created_after=yesterday", "body_text=x"])
def test_history_wrong_filter_is_refused(as_merchant, messages, query):
    assert as_merchant.get(f"{HISTORY}?{query}").status_code == 400


def test_history_costs_the_same_for_any_number(as_merchant, messages, django_assert_num_queries):
    with django_assert_num_queries(4):
        assert len(as_merchant.get(HISTORY).json()["results"]) == 3


def test_stats_count_per_day_kind_and_status(as_merchant, messages):
    now = timezone.now()
    Notification.objects.filter(pk=messages[0].pk).update(
        created_at=now - timedelta(days=2), status="failed"
    )
    today, before = now.date().isoformat(), (now - timedelta(days=2)).date().isoformat()
    assert as_merchant.get(STATS).json() == {
        "results": [
            {"date": today, "kind": "orders/cancelled", "status": "pending", "count": 1},
            {"date": today, "kind": "orders/refunded", "status": "pending", "count": 1},
            {"date": before, "kind": "orders/cancelled", "status": "failed", "count": 1},
        ]
    }
    assert len(as_merchant.get(f"{STATS}?days=1").json()["results"]) == 2
    assert notifications_unsent() == 3


@pytest.mark.parametrize("days", ["0", "367", "-1", "x", "1.5", "٣", ""])
def test_stats_wrong_days_are_refused(as_merchant, days):
    assert as_merchant.get(STATS, {"days": days}).status_code == 400


def test_notifications_are_for_staff_who_may(api, as_shopper, as_readonly, client_for, store):
    assert api.get(HISTORY).status_code == 401
    assert api.post(SEND, BODY).status_code == 401
    assert as_shopper.get(STATS).status_code == 403
    assert as_readonly.get(HISTORY).status_code == 200
    assert as_readonly.post(SEND, BODY).status_code == 403
    assert client_for(StaffFactory()).get(STATS).status_code == 403
    assert Notification.objects.count() == 0
