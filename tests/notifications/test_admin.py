"""The delivery log in the back office."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.notifications.models import Notification
from apps.notifications.services import notify

LIST = "admin:notifications_notification_changelist"


@pytest.fixture
def message(db):
    return notify(
        kind="notifications/message",
        recipient="ana@example.com",
        language="en",
        context={"store_name": "Main", "subject": "Hello", "body": '"><script>alert(1)</script>'},
        dedupe_key="k",
    )


def test_message_is_shown_where_it_can_do_nothing(client, merchant, message):
    client.force_login(merchant)
    url = reverse("admin:notifications_notification_change", args=[message.pk])
    page = client.get(url).content.decode()
    assert '<iframe sandbox="" srcdoc="&lt;!DOCTYPE html&gt;' in page
    assert "<script>alert(1)" not in page
    assert client.post(url, {"status": "sent"}).status_code == 403


def test_failed_message_is_sent_again(client, merchant, message):
    client.force_login(merchant)
    Notification.objects.update(status="failed", attempts=10)
    client.post(reverse(LIST), {"action": "retry", "_selected_action": [message.pk]})
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("pending", 0)


def test_read_only_staff_look_but_do_not_retry(client, readonly_staff, message):
    client.force_login(readonly_staff)
    Notification.objects.update(status="failed")
    assert client.get(reverse(LIST)).status_code == 200
    client.post(reverse(LIST), {"action": "retry", "_selected_action": [message.pk]})
    message.refresh_from_db()
    assert message.status == "failed"
