"""Telling endpoints, at least once, the oldest first; a dead one keeps no other waiting.

Each endpoint is a task of its own, one worker at a time (a lease), and a breaker lets a server
that isn't there be asked once in half a minute, however much waits for it.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from apps.core import http, remote
from apps.core.events import Event, publish
from apps.core.failpoints import failpoint
from apps.core.ids import uuid7
from apps.core.secrets import UndecryptableSecret
from apps.webhooks.events import DeliveriesQueued
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.services.endpoints import stop_endpoint
from apps.webhooks.services.signing import signature
from apps.webhooks.services.topics import TEST

_Status = WebhookDelivery.Status
# Seconds before each further attempt: three days in all, as Standard Webhooks proposes.
PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
LONGEST_PAUSE = 86_400
# An endpoint to which nothing has come for so long is stopped.
STOP_AFTER = timedelta(days=3)
LEASE = timedelta(minutes=2)
KEPT = timedelta(days=30)
_LARGEST_ANSWER = 256 * 1024
_BATCH = 500


def queue(events: Sequence[Event]) -> set[int]:
    """Write down whom these events are to be told; the keys of the endpoints. Safe to repeat."""
    endpoints = list(WebhookEndpoint.objects.filter(is_active=True))
    now, rows = timezone.now(), []
    for event in events:
        told = [endpoint for endpoint in endpoints if event.name in endpoint.events]
        event_id = event.occurrence
        if not told or event_id is None:
            continue
        body = _body(event.name, event_id, asdict(event))
        rows += [
            WebhookDelivery(
                endpoint=endpoint, event_id=event_id, event=event.name, body=body, due_at=now
            )
            for endpoint in told
        ]
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_BATCH)
    return {row.endpoint_id for row in rows}


@transaction.atomic
def send_test(*, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Queue an event that means nothing, to see whether it arrives."""
    event_id = uuid7()
    publish(DeliveriesQueued(str(endpoint.public_id)))
    return WebhookDelivery.objects.create(
        endpoint=endpoint,
        event_id=event_id,
        event=TEST,
        body=_body(TEST, event_id, {"endpoint": str(endpoint.public_id)}),
        due_at=timezone.now(),
    )


@transaction.atomic
def replay(*, endpoint: WebhookEndpoint, deliveries: QuerySet[WebhookDelivery]) -> int:
    """Tell these of an endpoint once more, under the ids they had, from the first attempt on; how
    many. One that is stopped is told once it is active again."""
    now = timezone.now()
    publish(DeliveriesQueued(str(endpoint.public_id)))
    return deliveries.update(status=_Status.WAITING, attempts=0, due_at=now, updated_at=now)


def due_endpoints() -> list[int]:
    """Active endpoints for which something is due."""
    due = WebhookDelivery.objects.filter(status=_Status.WAITING, due_at__lte=timezone.now())
    active = due.filter(endpoint__is_active=True).order_by()
    return sorted(active.values_list("endpoint", flat=True).distinct())


def deliver(*, endpoint_id: int, max_seconds: float = 40.0) -> int:
    """Tell an endpoint what is due, until nothing is, the time is over or it can't be reached.

    The number of attempts; none while another worker is at it, or the endpoint is left alone.
    """
    endpoint = _claim(endpoint_id)
    if endpoint is None:
        return 0
    started, attempts = time.monotonic(), 0
    try:
        while time.monotonic() - started < max_seconds and _renew(endpoint):
            due = endpoint.deliveries.filter(status=_Status.WAITING, due_at__lte=timezone.now())
            delivery = due.order_by("due_at", "pk").first()
            if delivery is None:
                break
            if not _attempt(endpoint, delivery):
                break
            attempts += 1
    finally:
        _mine(endpoint).update(lease_until=None)
    return attempts


def prune() -> int:
    """Delete the log of what was told, or given up, longer than 30 days ago; how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=timezone.now() - KEPT)
    over = old.exclude(status=_Status.WAITING)
    gone = 0
    while ids := list(over.order_by("created_at").values_list("pk", flat=True)[:_BATCH]):
        gone += WebhookDelivery.objects.filter(pk__in=ids).delete()[0]
    return gone


def _body(name: str, event_id: UUID, data: dict[str, Any]) -> str:
    # A version 7 UUID begins with its milliseconds: when it happened, whenever it is written.
    happened = datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC)
    told = {"type": name, "timestamp": happened.isoformat(timespec="milliseconds"), "data": data}
    return json.dumps(told, separators=(",", ":"))


def _claim(endpoint_id: int) -> WebhookEndpoint | None:
    now = timezone.now()
    free = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True).exclude(
        lease_until__gte=now
    )
    lease = now + LEASE
    if not free.update(lease_until=lease):
        return None
    endpoint = WebhookEndpoint.objects.select_related("created_by").get(pk=endpoint_id)
    endpoint.lease_until = lease
    return endpoint


def _mine(endpoint: WebhookEndpoint) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(pk=endpoint.pk, lease_until=endpoint.lease_until)


def _renew(endpoint: WebhookEndpoint) -> bool:
    """False when somebody stopped it, or took it over."""
    lease = timezone.now() + LEASE
    if not _mine(endpoint).filter(is_active=True).update(lease_until=lease):
        return False
    endpoint.lease_until = lease
    return True


def _attempt(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> bool:
    """Tell it once, and write down how it went; False where the others needn't be tried now."""
    try:
        answer = remote.ask(f"webhook-{endpoint.pk}", partial(_send, endpoint, delivery))
    except remote.RemoteError as error:
        # Without a cause it wasn't asked: the breaker leaves it alone.
        if error.__cause__ is not None:
            _failed(endpoint, delivery, None, str(error), None)
        return False
    failpoint("webhook-sent")
    if 200 <= answer.status < 300:
        _note(delivery, status=_Status.DELIVERED, answer=answer.status, error="")
        if endpoint.failing_since is not None:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=None)
            endpoint.failing_since = None
        return True
    error = f"The server answered {answer.status}."
    _failed(endpoint, delivery, answer.status, error, answer.retry_after)
    return True


def _send(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> http.Fetched:
    """Raises RemoteError where it can't be reached, or doesn't answer in time."""
    body, timestamp = delivery.body.encode(), int(time.time())
    try:
        secrets = endpoint.secrets.open()
    except UndecryptableSecret as error:
        raise remote.RemoteError(str(error), permanent=True) from error
    ends = endpoint.previous_expires_at
    known = [secrets["secret"]]
    if "previous" in secrets and ends is not None and ends > timezone.now():
        known.append(secrets["previous"])
    message_id = str(delivery.event_id)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(
            known, message_id=message_id, timestamp=timestamp, body=body
        ),
    }
    try:
        return http.post(endpoint.url, body, max_bytes=_LARGEST_ANSWER, headers=headers)
    except http.FetchError as error:
        raise remote.RemoteError(str(error), permanent=False) from error


def _failed(
    endpoint: WebhookEndpoint,
    delivery: WebhookDelivery,
    answer: int | None,
    error: str,
    retry_after: int | None,
) -> None:
    now = timezone.now()
    if delivery.attempts < len(PAUSES):
        pause = PAUSES[delivery.attempts] * random.uniform(1, 1.2)  # noqa: S311 (jitter)
        pause = max(pause, min(retry_after or 0, LONGEST_PAUSE))
        due_at = now + timedelta(seconds=pause)
        _note(delivery, status=_Status.WAITING, answer=answer, error=error, due_at=due_at)
    else:
        _note(delivery, status=_Status.FAILED, answer=answer, error=error)
    since = endpoint.failing_since or now
    if endpoint.failing_since is None:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=now)
        endpoint.failing_since = now
    # 410: "the endpoint is gone", which Standard Webhooks lets receivers say.
    if answer == 410 or now - since >= STOP_AFTER:
        stop_endpoint(endpoint=endpoint, why=error)


def _note(delivery: WebhookDelivery, **outcome: Any) -> None:
    now = timezone.now()
    outcome["error"] = outcome["error"][:300]
    # What somebody replays meanwhile stays due.
    same = WebhookDelivery.objects.filter(pk=delivery.pk, due_at=delivery.due_at)
    same.update(attempts=F("attempts") + 1, attempted_at=now, updated_at=now, **outcome)
