"""Telling people things: once for each event, in their language, until it worked."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.utils import parseaddr
from functools import cache
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation

from apps.core.events import publish
from apps.core.ids import uuid7
from apps.notifications.events import NotificationCreated
from apps.notifications.models import Notification
from apps.stores.models import Store

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 10
# Longer than any mail server may take; a sender that died gives its message back by then.
LEASE = timedelta(minutes=5)
_FIRST_DELAY, _LONGEST_DELAY = 60.0, 6 * 3600.0


@transaction.atomic
def notify(
    *,
    kind: str,
    recipient: str,
    language: str,
    context: Mapping[str, Any],
    dedupe_key: str,
    is_confidential: bool = False,
) -> Notification | None:
    """Write one message and have it sent; a second call with the same `dedupe_key` returns it.

    None without a recipient: orders of people who were erased have no address any more.
    A confidential one loses its text when it was sent: the log keeps that, not what, was told.

    `kind` ("orders/placed") names the templates `emails/orders/placed.{subject.txt,txt,html}`,
    rendered in `language` (the site's where there is no such translation). `context` holds JSON
    values: `store_name` always, `store_email` where the store has an address of its own.
    """
    if not recipient:
        return None
    first = Notification.objects.filter(dedupe_key=dedupe_key).first()
    if first is not None:
        return first
    validate_email(recipient)
    message = Notification(
        kind=kind,
        sender=_sender(context),
        recipient=recipient,
        dedupe_key=dedupe_key,
        is_confidential=is_confidential,
        due_at=timezone.now(),
        **_render(kind, _supported(language), context),
    )
    try:
        with transaction.atomic():
            message.save()
    except IntegrityError:
        return Notification.objects.get(dedupe_key=dedupe_key)
    publish(NotificationCreated(notification_id=str(message.public_id)))
    return message


def send_message(
    *,
    store: Store,
    recipient: str,
    subject: str,
    body: str,
    language: str = "",
    key: str | None = None,
) -> Notification | None:
    """A free message from the staff; `body` is plain text. The same `key` sends it once."""
    return notify(
        kind="notifications/message",
        recipient=recipient,
        language=language,
        context={
            "store_name": store.name,
            "store_email": store.email,
            "subject": subject,
            "body": body,
        },
        dedupe_key=f"message:{key or uuid7()}",
    )


def send_due(*, limit: int = 100) -> int:
    """Send what is due, after failures and crashes too; the number of messages tried."""
    ids = _due(timezone.now()).order_by("due_at", "pk").values_list("pk", flat=True)[:limit]
    return sum(_send_claimed(pk) for pk in list(ids))


def send_notification(*, notification_id: str) -> None:
    """Send one message, by its public id, unless somebody else does or it isn't due."""
    pk = Notification.objects.filter(public_id=notification_id).values_list("pk", flat=True)
    for found in pk:
        _send_claimed(found)


def retry_notifications(*, ids: Sequence[int]) -> int:
    """Make failed messages due again; the number of messages."""
    return Notification.objects.filter(pk__in=ids, status=Notification.Status.FAILED).update(
        status=Notification.Status.PENDING, attempts=0, due_at=timezone.now()
    )


def retry_delay(attempts: int) -> timedelta:
    """Exponential back-off with jitter: about 1 min, 2 min, 4 min, … at most 6 h."""
    seconds = min(_FIRST_DELAY * 2 ** (attempts - 1), _LONGEST_DELAY)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311 (jitter)


def _due(now: datetime) -> Any:
    # A message that is being sent is due again when its sender's lease is over.
    waiting = (Notification.Status.PENDING, Notification.Status.SENDING)
    return Notification.objects.filter(status__in=waiting, due_at__lte=now)


def _send_claimed(pk: int) -> bool:
    now = timezone.now()
    claimed = _due(now).filter(pk=pk)
    if not claimed.update(
        status=Notification.Status.SENDING, due_at=now + LEASE, attempts=F("attempts") + 1
    ):
        return False
    message = Notification.objects.get(pk=pk)
    # The attempt's number is the claim: whoever lost the lease meanwhile writes nothing.
    mine = Notification.objects.filter(
        pk=pk, status=Notification.Status.SENDING, attempts=message.attempts
    )
    try:
        _mail(message).send()
    except Exception as error:
        given_up = message.attempts >= MAX_ATTEMPTS
        logger.warning(
            "mail not sent",
            extra={"notification": str(message.public_id), "error": type(error).__name__},
        )
        mine.update(
            status=Notification.Status.FAILED if given_up else Notification.Status.PENDING,
            due_at=timezone.now() + retry_delay(message.attempts),
            last_error=f"{type(error).__name__}: {error}"[:2000],
        )
    else:
        forgotten = {"body_text": "", "body_html": ""} if message.is_confidential else {}
        mine.update(
            status=Notification.Status.SENT, sent_at=timezone.now(), last_error="", **forgotten
        )
    return True


def _mail(message: Notification) -> EmailMultiAlternatives:
    domain = parseaddr(message.sender)[1].rpartition("@")[2]
    mail = EmailMultiAlternatives(
        message.subject,
        message.body_text,
        message.sender,
        [message.recipient],
        headers={
            # The same at each attempt, so that a mailbox shows a repeated message once.
            "Message-ID": f"<{message.public_id}@{domain}>",
            "Content-Language": message.language,
            "Auto-Submitted": "auto-generated",
        },
    )
    if message.body_html:
        mail.attach_alternative(message.body_html, "text/html")
    return mail


def _render(kind: str, language: str, context: Mapping[str, Any]) -> dict[str, str]:
    values = {**context, "language": language}
    with translation.override(language):
        subject = _plain(f"emails/{kind}.subject.txt", values)
        values["mail_subject"] = subject = " ".join(subject.split())[:250]
        return {
            "language": language,
            "subject": subject,
            "body_text": _plain(f"emails/{kind}.txt", values).strip() + "\n",
            "body_html": _inliner().inline(get_template(f"emails/{kind}.html").render(values)),
        }


@cache
def _inliner() -> Any:
    """Media queries can't be inlined, so the style element stays as well. Nothing is fetched."""
    import css_inline  # noqa: PLC0415 (heavy, and only who writes mails needs it)

    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)


def _plain(template: str, values: Mapping[str, Any]) -> str:
    """A text template: escaping is for HTML, "Tom & Jerry" must stay what it is."""
    return get_template(template).template.render(Context(values, autoescape=False))  # type: ignore[attr-defined]


def _supported(language: str) -> str:
    known = dict(settings.LANGUAGES)
    for candidate in (language.lower(), language.lower().partition("-")[0]):
        if candidate in known:
            return candidate
    return settings.LANGUAGE_CODE


def _sender(context: Mapping[str, Any]) -> str:
    address = context.get("store_email") or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    name = " ".join(str(context.get("store_name", "")).split())
    return str(Address(display_name=name, addr_spec=address))
