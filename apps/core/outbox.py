"""The relay: delivers outbox rows to their receivers, at least once, with retries.

Claims are conditional UPDATEs, so that any number of relays may run at once on any engine.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from celery import current_app
from django.db.models import F
from django.utils import timezone

from apps.core.context import Actor, acting
from apps.core.events import event_from, hears_together, receivers_of
from apps.core.failpoints import failpoint
from apps.core.ids import uuid7
from apps.core.models import OutboxMessage

logger = logging.getLogger(__name__)

BATCH = 50
# A relay that died leaves its claims; they are due again after the lease.
LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 12
_FIRST_DELAY, _LONGEST_DELAY = 5.0, 6 * 3600.0


def retry_delay(attempts: int) -> timedelta:
    """Exponential back-off with full jitter's upper half: 5 s, 10 s, … 6 h."""
    seconds = min(_FIRST_DELAY * 2 ** (attempts - 1), _LONGEST_DELAY)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))  # noqa: S311 (jitter)


def relay_due(limit: int = BATCH) -> int:
    """Deliver up to `limit` due messages; the number that was claimed."""
    messages = _claim(limit, timezone.now())
    for group in _groups(messages):
        _deliver(group)
    return len(messages)


def drain() -> int:
    """Deliver until nothing is due; the number delivered."""
    total = 0
    while delivered := relay_due():
        total += delivered
    return total


def _claim(limit: int, now: datetime) -> list[OutboxMessage]:
    due = OutboxMessage.objects.filter(status=OutboxMessage.Status.PENDING, due_at__lte=now)
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    if not ids:
        return []
    token = uuid7()
    due.filter(pk__in=ids).update(claim=token, due_at=now + LEASE)
    return list(OutboxMessage.objects.filter(pk__in=ids, claim=token).order_by("pk"))


def _groups(messages: Sequence[OutboxMessage]) -> list[list[OutboxMessage]]:
    """What is delivered by one call each: alone, or all of a receiver that hears together."""
    groups: dict[str, list[OutboxMessage]] = {}
    for message in messages:
        together = hears_together(message.receiver)
        groups.setdefault(message.receiver if together else str(message.pk), []).append(message)
    return list(groups.values())


def _deliver(group: Sequence[OutboxMessage]) -> None:
    """Messages of one claim to their receiver; if many fail together, each is tried alone."""
    first = group[0]
    mine = OutboxMessage.objects.filter(pk__in=[m.pk for m in group], claim=first.claim)
    try:
        _tell(group)
    except Exception as error:
        logger.exception("outbox delivery failed", extra={"receiver": first.receiver})
        if len(group) > 1:
            for message in group:
                _deliver([message])
            return
        attempts = first.attempts + 1
        dead = attempts >= MAX_ATTEMPTS
        mine.update(
            status=OutboxMessage.Status.DEAD if dead else OutboxMessage.Status.PENDING,
            attempts=attempts,
            due_at=timezone.now() + retry_delay(attempts),
            last_error=f"{type(error).__name__}: {error}"[:2000],
        )
    else:
        mine.update(
            status=OutboxMessage.Status.DONE,
            attempts=F("attempts") + 1,
            done_at=timezone.now(),
            claim=None,
        )


def _tell(group: Sequence[OutboxMessage]) -> None:
    first = group[0]
    receiver = receivers_of(first.name).get(first.receiver)
    if receiver is None:
        raise LookupError(f"No receiver {first.receiver} is installed.")
    heard = [event_from(message.name, message.payload, message.event_id) for message in group]
    requests = {message.request_id for message in group}
    with acting(Actor(request_id=requests.pop() if len(requests) == 1 else "")):
        receiver(heard if hears_together(first.receiver) else heard[0])
    for message in group:
        failpoint(f"received:{message.name}")


def replay(message_ids: list[int]) -> int:
    """Make dead or done messages due again (admin, ops); the number of rows."""
    return OutboxMessage.objects.filter(pk__in=message_ids).update(
        status=OutboxMessage.Status.PENDING, attempts=0, due_at=timezone.now(), claim=None
    )


class Waker:
    """Wakes a Celery relay after a commit, from a thread of its own.

    No request waits for the broker, dead or alive; many commits at once are one call. While the
    broker doesn't answer, the sweeper in beat does the work.
    """

    pause = 30.0

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        self._asked.set()
        with self._starting:
            # Here, not at start: a forked worker has lost the threads of its parent.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            try:
                current_app.send_task(
                    "apps.core.tasks.relay_outbox", retry=False, ignore_result=True
                )
            except Exception as error:
                logger.warning("broker unreachable, the sweeper takes over: %s", error)
                time.sleep(self.pause)
