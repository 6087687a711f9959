"""Domain events: how a lower room tells upper rooms what happened, without knowing them.

`publish()` writes the event into the outbox in the transaction of the change itself, one row
for each receiver, so that neither is lost and neither is told of something that rolled back.
The relay (`apps.core.outbox`) delivers each row at least once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.core.context import current_actor
from apps.core.failpoints import failpoint
from apps.core.ids import uuid7
from apps.core.models import OutboxMessage


@dataclass(frozen=True)
class Event:
    """Something that happened. Fields are JSON values: ids, codes, numbers, strings, lists."""

    name: ClassVar[str]
    # Of one that a receiver hears: the same however often, and by whomever, it is heard.
    occurrence: ClassVar[UUID | None] = None


Receiver = Callable[[Any], None]

_types: dict[str, type[Event]] = {}
_receivers: dict[str, dict[str, Receiver]] = {}
# The paths of those that hear of many events at once.
_together: set[str] = set()


def receives(*event_types: type[Event], together: bool = False) -> Callable[[Receiver], Receiver]:
    """Register a function as a receiver, called after commit by the relay, at least once.

    It must be idempotent: a crash between its work and the mark makes it run again. With
    `together` it is given a list: all that one batch of the relay has for it, in their order, so
    that what several events ask for is done once.
    """

    def register(function: Receiver) -> Receiver:
        path = f"{function.__module__}.{function.__qualname__}"
        if together:
            _together.add(path)
        for event_type in event_types:
            _types[event_type.name] = event_type
            _receivers.setdefault(event_type.name, {})[path] = function
        return function

    return register


def receivers_of(name: str) -> dict[str, Receiver]:
    """The receivers of an event by their dotted path."""
    return _receivers.get(name, {})


def hears_together(path: str) -> bool:
    """Whether the receiver of this dotted path is given lists of events."""
    return path in _together


def event_from(name: str, payload: dict[str, Any], occurrence: UUID) -> Event:
    """Rebuild an event from its outbox row."""
    event = _types[name](**payload)
    # Frozen, as a value; which of them it is, is no part of that.
    object.__setattr__(event, "occurrence", occurrence)
    return event


def publish(event: Event) -> None:
    """Write `event` to the outbox for each of its receivers, in the current transaction.

    Raises TransactionManagementError outside one: an event without its change would be a lie.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("publish() needs a transaction.")
    paths = receivers_of(event.name)
    if not paths:
        return
    now, event_id = timezone.now(), uuid7()
    request_id, payload = current_actor().request_id, asdict(event)
    failpoint(f"before-outbox:{event.name}")
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            event_id=event_id,
            name=event.name,
            receiver=path,
            payload=payload,
            due_at=now,
            request_id=request_id,
        )
        for path in paths
    )
    failpoint(f"after-outbox:{event.name}")
    # Only a wake-up: the sweeper finds the rows in any case.
    transaction.on_commit(_wake, robust=True)


_wake_relay: list[Callable[[], None]] = []


def on_publish(wake: Callable[[], None]) -> None:
    """Install what is called after a commit that left something in the outbox."""
    _wake_relay[:] = [wake]


def _wake() -> None:
    failpoint("before-wake")
    for wake in _wake_relay:
        wake()
