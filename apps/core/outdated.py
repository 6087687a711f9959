"""What the public is shown has changed: which kept answers are no longer true.

Every public answer names what it is made of (its keys, the `Surrogate-Key` header). `outdate()`
writes keys into a log in the transaction of the change; each web process follows the log
(`log.follow()`, at most every `TRUST` seconds) and drops what was made before. Rows are only ever
added, so that no two changes wait for each other.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, ClassVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, models, transaction
from django.db.models import Max
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from apps.core.events import Event, publish
from apps.core.models import OutdatedKeys

logger = logging.getLogger(__name__)

# Seconds for which a process believes its copy of the log.
TRUST = 0.5
# Seconds for which a process remembers a row; longer than any answer is kept, and than a
# transaction that took its number early may commit late.
MEMORY = 180.0
KEPT_ROWS = timedelta(minutes=10)
Rows = frozenset[int]


@dataclass(frozen=True)
class PublicChanged(Event):
    """Keys were written into the log: caches in front of the shop are to forget them."""

    name: ClassVar[str] = "public.changed"


def outdate(*keys: str) -> None:
    """Nothing made of these keys is true once the current transaction commits.

    Raises TransactionManagementError outside one.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("outdate() needs a transaction.")
    if settings.EDGE_CACHES:
        publish(PublicChanged())
    OutdatedKeys.objects.create(keys=" ".join(dict.fromkeys(keys)))


def outdated_by(
    model: type[models.Model], keys: Callable[[Any], Iterable[str]], *, saved: bool = True
) -> None:
    """Let every deleted (and saved) row of a small table outdate the keys that it names."""

    def changed(instance: models.Model, **kwargs: Any) -> None:
        with transaction.atomic():
            outdate(*keys(instance))

    name = f"outdated_by:{model._meta.label}"
    if saved:
        post_save.connect(changed, sender=model, weak=False, dispatch_uid=name)
    post_delete.connect(changed, sender=model, weak=False, dispatch_uid=name)


@dataclass(frozen=True, slots=True)
class State:
    """The log as a process knew it at a moment; another object after each change."""

    rows: MappingProxyType[str, Rows]

    def of(self, keys: Iterable[str]) -> Rows:
        """The remembered rows that name any of the keys."""
        found = [self.rows[key] for key in keys if key in self.rows]
        return frozenset().union(*found)

    def knows_no_more(self, keys: Iterable[str], seen: Rows) -> bool:
        """Whether an answer that was made when `seen` was known is true still."""
        return all(self.rows.get(key, _NONE) <= seen for key in keys)


_NONE: Rows = frozenset()


class Log:
    """A process's copy. Rows may commit in another order than their numbers': all of the last
    `MEMORY` seconds are looked at, and told apart by number."""

    def __init__(self) -> None:
        self._following = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything (tests: their database is another one each time)."""
        self.state = State(MappingProxyType({}))
        self._due = 0.0
        self._floor: int | None = None
        # Number → when it was first seen here, and its keys.
        self._seen: dict[int, tuple[float, list[str]]] = {}

    def follow(self) -> State:
        """The log, at most `TRUST` seconds old.

        While the database doesn't answer it stays as it was: nothing can change there either.
        """
        now = time.monotonic()
        if now >= self._due and self._following.acquire(blocking=False):
            try:
                _let_go()
                self._read(now)
                self._due = now + TRUST
            except (DatabaseError, InterfaceError):
                self._due = now + 2 * TRUST
                logger.warning("the log of outdated keys can't be read", exc_info=True)
            finally:
                _let_go()
                self._following.release()
        return self.state

    def _read(self, now: float) -> None:
        if self._floor is None:
            old = timezone.now() - timedelta(seconds=2 * MEMORY)
            before = OutdatedKeys.objects.filter(created_at__lt=old)
            self._floor = before.aggregate(last=Max("pk"))["last"] or 0
        rows = OutdatedKeys.objects.filter(pk__gt=self._floor)
        new = [pk for pk in rows.values_list("pk", flat=True) if pk not in self._seen]
        if new:
            found = rows.filter(pk__gte=min(new)).values_list("pk", "keys")
            self._add({pk: keys.split() for pk, keys in found if pk not in self._seen}, now)
        oldest = next(iter(self._seen.values()), None)
        if oldest is not None and oldest[0] < now - 2 * MEMORY:
            self._forget(now - MEMORY)

    def _add(self, new: dict[int, list[str]], now: float) -> None:
        naming: dict[str, set[int]] = {}
        for pk, keys in new.items():
            self._seen[pk] = (now, keys)
            for key in keys:
                naming.setdefault(key, set()).add(pk)
        known = self.state.rows
        changed = {key: known.get(key, _NONE) | pks for key, pks in naming.items()}
        self.state = State(MappingProxyType({**known, **changed}))

    def _forget(self, before: float) -> None:
        kept = {pk: seen for pk, seen in self._seen.items() if seen[0] >= before}
        self._floor = max(pk for pk in self._seen if pk not in kept)
        self._seen, self.state = {}, State(MappingProxyType({}))
        for pk, (at, keys) in kept.items():
            self._add({pk: keys}, at)


def _let_go() -> None:
    """What Django does before and after a request, which hasn't begun here: close a connection
    that is broken or has had its time."""
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


log = Log()


def prune() -> int:
    """Delete rows that nobody asks for any more; the number deleted."""
    old = timezone.now() - KEPT_ROWS
    return OutdatedKeys.objects.filter(created_at__lt=old).delete()[0]
