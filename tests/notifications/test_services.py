"""Messages: written once, in the right language, sent until it worked."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from apps.notifications import services, tasks
from apps.notifications.models import Notification
from apps.notifications.services import notify, retry_notifications, send_due
from tests.factories.stores import StoreFactory

Status = Notification.Status
PLACED = {
    "store_name": "Main",
    "number": "WEB-1",
    "lines": [{"name": "T-shirt", "sku": "TS-1", "quantity": 2, "total": "20,00 €"}],
    "subtotal": "20,00 €",
    "shipping": "4,90 €",
    "tax": "4,32 €",
    "discount": "",
    "total": "24,90 €",
    "shipping_address": {
        "first_name": "Ana",
        "last_name": "López",
        "line1": "Calle Mayor 1",
        "city": "Madrid",
        "postal_code": "28013",
        "country": "ES",
    },
    "order_url": "https://shop.example.com/orders/WEB-1?token=abc",
}
CONTEXTS = {
    "orders/placed": PLACED,
    "orders/cancelled": {"store_name": "Main", "number": "WEB-1"},
    "orders/refunded": {"store_name": "Main", "number": "WEB-1", "amount": "5,00 €"},
    "orders/pay_link": {
        "store_name": "Main",
        "number": "WEB-1",
        "amount": "5,00 €",
        "until": "1.12.",
        "pay_url": "https://shop.example.com/pay/abc/",
    },
    "orders/changed": {
        "store_name": "Main",
        "number": "WEB-1",
        "reason": "By phone",
        "method": "Express",
        "total_before": "20,00 €",
        "total": "29,90 €",
        "refunded": "1,00 €",
        "owed": "5,00 €",
        "until": "1.12.",
        "pay_url": "https://shop.example.com/pay/abc/",
        "order_url": "https://shop.example.com/orders/WEB-1?token=abc",
        "shipping_address": PLACED["shipping_address"],
    },
    "fulfillment/shipped": {
        "store_name": "Main",
        "number": "WEB-1",
        "carrier": "Correos",
        "tracking_number": "PQ123",
        "tracking_url": "https://track.example.com/PQ123",
        "lines": PLACED["lines"],
    },
    **{
        f"fulfillment/{kind}": {"store_name": "Main", "number": "WEB-1", "lines": PLACED["lines"]}
        for kind in ("delivered", "failed", "returned")
    },
    "gift_cards/issued": {
        "store_name": "Main",
        "amount": "50,00 €",
        "code": "AAAA-BBBB-CCCC-DDDD-EEEE",
        "expires": "31/12/2030",
        "sender_name": "Bob",
        "message": "Happy birthday",
        "shop_url": "https://shop.example.com",
    },
    "accounts/welcome": {"store_name": "Main", "first_name": "Ana"},
}


class Broken(EmailBackend):
    """A mail server that refuses everything."""

    def send_messages(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")


BROKEN = f"{__name__}.Broken"


def write(kind="orders/cancelled", context=None, key="k", language="en", to="ana@example.com"):
    return notify(
        kind=kind,
        recipient=to,
        language=language,
        context=CONTEXTS[kind] if context is None else context,
        dedupe_key=key,
    )


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", CONTEXTS)
def test_every_mail_says_what_it_knows(db, kind, language):
    message = write(kind, language=language)
    assert (message.kind, message.language) == (kind, language)
    assert "\n" not in message.subject
    assert f'lang="{language}"' in message.body_html
    context = CONTEXTS[kind]
    facts = [v for v in context.values() if isinstance(v, str) and v]
    facts += [v for line in context.get("lines", []) for n, v in line.items() if n == "name"]
    facts += list(context.get("shipping_address", {}).values())
    for fact in facts:
        assert fact in message.body_text, fact
        assert fact in message.body_html, fact
    # Nothing left over of the template, nothing to fetch, styles where mail programs see them.
    for body in (message.subject, message.body_text, message.body_html):
        assert "{{" not in body
        assert "{%" not in body
    assert "<script" not in message.body_html
    assert "<link" not in message.body_html
    assert 'class="head" style="' in message.body_html


def test_mail_is_sent_when_the_outbox_is_relayed(db, drain):
    write("orders/placed", PLACED | {"store_email": "shop@example.com"})
    assert mail.outbox == []
    drain()
    (sent,) = mail.outbox
    message = Notification.objects.get()
    assert sent.subject == message.subject == "Main: your order WEB-1"
    assert sent.from_email == "Main <shop@example.com>"
    assert sent.to == ["ana@example.com"]
    assert sent.body == message.body_text
    assert [(a.content, a.mimetype) for a in sent.alternatives] == [
        (message.body_html, "text/html")
    ]
    assert sent.extra_headers["Message-ID"] == f"<{message.public_id}@example.com>"
    assert (message.status, message.attempts) == (Status.SENT, 1)
    assert message.sent_at is not None
    assert send_due() == 0


def test_sender_is_the_sites_where_the_store_has_no_address(db, settings):
    settings.DEFAULT_FROM_EMAIL = "Somebody <site@example.com>"
    assert write().sender == "Main <site@example.com>"


def test_same_key_is_written_and_sent_once(db, drain):
    first = write(key="order-1")
    second = write("orders/refunded", key="order-1")
    assert first == second
    assert second.kind == "orders/cancelled"
    drain()
    drain()
    assert len(mail.outbox) == 1
    write(key="order-2")
    drain()
    assert len(mail.outbox) == 2


@pytest.mark.parametrize(
    ("asked", "got"), [("es", "es"), ("es-MX", "es"), ("ES", "es"), ("fr", "en"), ("", "en")]
)
def test_language_falls_back(db, asked, got):
    assert write(language=asked).language == got


def test_html_is_escaped_and_text_is_not(db):
    name = '<script>alert(1)</script> & "Co"'
    context = PLACED | {
        "store_name": name,
        "order_url": "javascript:alert(1)",
        "lines": [{"name": name, "sku": "", "quantity": 1, "total": "1"}],
    }
    message = write("orders/placed", context)
    assert "<script" not in message.body_html
    assert "&lt;script&gt;" in message.body_html
    assert 'href="javascript' not in message.body_html
    assert name in message.body_text
    assert name in message.subject


def test_subject_and_sender_keep_to_one_line(db, drain):
    context = {"store_name": "Main\r\nBcc: all@example.com", "number": "1\n2"}
    message = write(context=context)
    assert message.subject == "Main Bcc: all@example.com: order 1 2 is cancelled"
    drain()
    (sent,) = mail.outbox
    assert sent.message()["Bcc"] is None
    assert Notification.objects.get().status == Status.SENT


@pytest.mark.parametrize("address", ["nobody", "a@b.com\nBcc: x@example.com", "a@b.com,c@d.com"])
def test_recipient_that_is_no_address_is_refused(db, address):
    with pytest.raises(ValidationError):
        write(to=address)
    assert Notification.objects.count() == 0


def test_nobody_is_told_where_there_is_no_address_any_more(db):
    assert write(to="") is None
    assert Notification.objects.count() == 0


def test_failure_is_tried_again_later_and_given_up_at_last(db, drain, settings):
    settings.EMAIL_BACKEND = BROKEN
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        message = write()
        drain()
        delays = []
        for attempt in range(1, services.MAX_ATTEMPTS):
            message.refresh_from_db()
            assert (message.status, message.attempts) == (Status.PENDING, attempt)
            assert message.last_error == "SMTPServerDisconnected: gone"
            delays.append((message.due_at - timezone.now()).total_seconds())
            assert send_due() == 0
            clock.move_to(message.due_at)
            assert send_due() == 1
        message.refresh_from_db()
        assert (message.status, message.attempts) == (Status.FAILED, services.MAX_ATTEMPTS)
        clock.shift(timedelta(days=1))
        assert send_due() == 0
    assert [30 * 2**n <= d <= 60 * 2**n for n, d in enumerate(delays)] == [True] * 9


def test_confidential_text_is_forgotten_once_it_was_sent(db, drain, settings):
    works, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, BROKEN
    context = CONTEXTS["gift_cards/issued"]
    message = notify(
        kind="gift_cards/issued",
        recipient="ana@example.com",
        language="en",
        context=context,
        dedupe_key="k",
        is_confidential=True,
    )
    drain()
    message.refresh_from_db()
    assert context["code"] in message.body_text
    settings.EMAIL_BACKEND = works
    with time_machine.travel(message.due_at, tick=False):
        assert send_due() == 1
    message.refresh_from_db()
    assert context["code"] in mail.outbox[0].body
    assert (message.status, message.body_text, message.body_html) == (Status.SENT, "", "")
    assert message.subject == "Bob sends you a gift card of Main"


def test_failed_message_is_sent_after_retry(db, drain, settings):
    message = write()
    Notification.objects.update(status=Status.FAILED, attempts=10)
    assert send_due() == 0
    assert retry_notifications(ids=[message.pk]) == 1
    assert send_due() == 1
    assert Notification.objects.get().status == Status.SENT
    assert retry_notifications(ids=[message.pk]) == 0


def test_message_of_a_sender_that_died_is_sent_after_its_lease(db):
    write()
    now = timezone.now()
    Notification.objects.update(status=Status.SENDING, due_at=now + services.LEASE, attempts=1)
    assert send_due() == 0
    with time_machine.travel(now + services.LEASE + timedelta(seconds=1)):
        assert tasks.send_due() == 1
    message = Notification.objects.get()
    assert (message.status, message.attempts) == (Status.SENT, 2)


def test_send_due_keeps_to_its_limit(db):
    for number in range(3):
        write(key=str(number))
    assert send_due(limit=2) == 2
    assert [m.status for m in Notification.objects.order_by("pk")] == [
        Status.SENT,
        Status.SENT,
        Status.PENDING,
    ]


def test_unknown_notification_is_ignored(db):
    services.send_notification(notification_id="018f0000-0000-7000-8000-000000000000")
    assert mail.outbox == []


def test_free_message_is_plain_text(db):
    message = services.send_message(
        store=StoreFactory(name="Main", email="shop@example.com"),
        recipient="ana@example.com",
        subject="About <your> order",
        body="Hello,\n\n<b>bold</b>",
        key="1",
    )
    assert message.subject == "About <your> order"
    assert message.body_text.startswith("Hello,\n\n<b>bold</b>\n")
    assert "&lt;b&gt;bold&lt;/b&gt;" in message.body_html
    assert message.sender == "Main <shop@example.com>"


@pytest.mark.race
def test_message_is_sent_once_by_many_senders(at_once):
    write()
    assert sum(at_once(8, lambda n: send_due())) == 1
    assert len(mail.outbox) == 1
    assert Notification.objects.get().attempts == 1


@pytest.mark.race
def test_same_key_at_once_is_written_once(at_once):
    answers = at_once(8, lambda n: write().pk)
    assert set(answers) == {Notification.objects.get().pk}
