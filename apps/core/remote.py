"""Asking providers over the network while a shopper waits: all at once, not for long, and never
inside of a transaction. Who fails is left alone for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import transaction

T = TypeVar("T")
logger = logging.getLogger(__name__)
MOST_AT_ONCE = 8


class CalledInTransaction(RuntimeError):
    """Nobody waits for the network while rows are locked."""


class RemoteError(Exception):
    """A provider refused, or its answer is unknown.

    permanent: it refused, asking again is useless. Not permanent: it can't be reached, or nobody
    knows what happened; the same call will tell.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


def ask_all(calls: Mapping[str, Callable[[], Any]], *, patience: float) -> dict[str, Any]:
    """Make these calls at once and wait `patience` seconds for all of them; the answers by name.

    Who fails, refuses, is late or is left alone by the breaker of that name isn't among them; a
    permanent RemoteError is a refusal, and no reason to be left alone. Raises CalledInTransaction.
    """
    _refuse_transaction()
    asked = [name for name in calls if Breaker(name).allows()][:MOST_AT_ONCE]
    if not asked:
        return {}
    pool = ThreadPoolExecutor(len(asked), thread_name_prefix="remote")
    futures = {name: pool.submit(calls[name]) for name in asked}
    wait(futures.values(), timeout=patience)
    # Who is late is no longer waited for.
    pool.shutdown(wait=False, cancel_futures=True)
    answers = {}
    for name, future in futures.items():
        error = _error_of(future)
        if error is None:
            answers[name] = future.result()
        elif not (isinstance(error, RemoteError) and error.permanent):
            logger.warning("%s failed: %s", name, type(error).__name__)
            Breaker(name).failed()
            continue
        Breaker(name).succeeded()
    return answers


def ask(name: str, call: Callable[[], T]) -> T:
    """Make one call, that nobody waits for but a worker or a person; its answer.

    Raises RemoteError, also if the breaker of that name leaves the provider alone for now; and
    CalledInTransaction.
    """
    _refuse_transaction()
    breaker = Breaker(name)
    if not breaker.allows():
        raise RemoteError(f"{name} is left alone for a moment.", permanent=False)
    try:
        answer = call()
    except RemoteError as error:
        if error.permanent:
            breaker.succeeded()
        else:
            breaker.failed()
        raise
    breaker.succeeded()
    return answer


def _error_of(future: Future[Any]) -> BaseException | None:
    return future.exception() if future.done() and not future.cancelled() else TimeoutError()


def _refuse_transaction() -> None:
    try:
        # Django's own check, which knows the transactions that tests run in.
        with transaction.atomic(durable=True):
            pass
    except RuntimeError as error:
        raise CalledInTransaction("A provider was asked inside of a transaction.") from error


_KEPT = 3600
# A window slides by a tenth of itself: failures on both sides of a full minute are one row of them.
_PARTS = 10
# Of this process: what is read when the cache has nothing, or isn't there.
_local: dict[str, float] = {}


class Breaker:
    """Closed: the provider is asked. After `failures` within `window` seconds it opens: nobody asks
    for `open_for` seconds. Then one caller may (half-open); how that goes closes it, or opens it
    anew. The state is in the shared cache; without one each process keeps its own.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 5,
        window: float = 60.0,
        open_for: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name, self._failures = f"breaker:{name}", failures
        self._window, self._open_for, self._clock = window, open_for, clock

    def allows(self) -> bool:
        """Whether the provider may be asked now; who asks when it is half-open has the probe."""
        opened = self._read("opened")
        if not opened:
            return True
        if self._clock() < opened + self._open_for:
            return False
        return self._claim(f"probe:{opened}")

    def succeeded(self) -> None:
        """The provider answered."""
        if self._read("opened"):
            self._write("opened", 0.0)

    def failed(self) -> None:
        """The provider couldn't be reached, or didn't answer in time."""
        if self._read("opened") or self._count() >= self._failures:
            self._write("opened", self._clock())

    def _count(self) -> int:
        mine, part = f"{self._name}:failures:", self._window / _PARTS
        now = int(self._clock() // part)
        keys = [f"{mine}{number}" for number in range(now - _PARTS + 1, now + 1)]
        for old in [old for old in tuple(_local) if old.startswith(mine) and old not in keys]:
            _local.pop(old, None)
        _local[keys[-1]] = _local.get(keys[-1], 0.0) + 1
        cache.add(keys[-1], 0, timeout=_KEPT)
        # Without a cache there is nothing to count up.
        with suppress(ValueError):
            cache.incr(keys[-1])
        shared = sum(cache.get_many(keys).values())
        return shared or int(sum(_local.get(key, 0.0) for key in keys))

    def _claim(self, what: str) -> bool:
        key = f"{self._name}:{what}"
        added = cache.add(key, 1, timeout=_KEPT)
        if cache.get(key) is not None:
            return bool(added)
        # No cache: once in each process.
        claimed = key in _local
        _local[key] = 1.0
        return not claimed

    def _read(self, what: str) -> float:
        key = f"{self._name}:{what}"
        value = cache.get(key)
        return float(_local.get(key, 0.0) if value is None else value)

    def _write(self, what: str, value: float) -> None:
        key = f"{self._name}:{what}"
        # Counts and probes of the past are of no use any more.
        for old in [old for old in tuple(_local) if old.startswith(f"{self._name}:")]:
            _local.pop(old, None)
        _local[key] = value
        cache.set(key, value, timeout=_KEPT)
