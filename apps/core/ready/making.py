"""One makes an answer, whoever asks meanwhile; and processes share what they made."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.cache import cache

logger = logging.getLogger(__name__)

# Seconds: how long one waits for another's answer before making its own, in this process and for
# another one; and when a maker that died is forgotten.
PATIENCE, PATIENCE_SHARED, CLAIM = 5.0, 0.5, 10
_PAUSE = 0.01
# A silent cache costs its time-out; not for every answer.
QUIET = 30.0


class Making:
    """Turns by key. `shared`: over all processes, by Django's cache; without it each process makes
    its own, and so it does while the cache is gone."""

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        self._quiet_until = 0.0
        self._lock = threading.Lock()
        self._running: dict[str, threading.Event] = {}

    @contextmanager
    def turn(self, key: str, *, wait: bool) -> Iterator[bool]:
        """True for who is to make it now; False for who isn't, after the wait if it wants one."""
        with self._lock:
            running = self._running.get(key)
            if running is None:
                self._running[key] = mine = threading.Event()
        if running is not None:
            if wait:
                running.wait(PATIENCE)
            yield False
            return
        claim: bool | None = None
        try:
            claim = self._claim(key)
            if claim is False and wait:
                self._await(key)
            yield claim is not False
        finally:
            if claim:
                cache.delete(_name("making", key))
            del self._running[key]
            mine.set()

    def shared(self, key: str) -> Any:
        """What another process made; None without."""
        return cache.get(_name("ready", key)) if self._is_shared() else None

    def share(self, key: str, value: Any, *, seconds: float) -> None:
        if seconds >= 1 and self._is_shared():
            cache.set(_name("ready", key), value, timeout=int(seconds))

    def _is_shared(self) -> bool:
        return self._shared and time.monotonic() >= self._quiet_until

    def _claim(self, key: str) -> bool | None:
        """Whether this process is the one; None without a cache that answers."""
        if not self._is_shared():
            return None
        try:
            claim: bool | None = cache.add(_name("making", key), 1, timeout=CLAIM)
        except Exception:
            claim = None
        if claim is None:
            # Where django-redis ignores an error, it answers None.
            self._quiet_until = time.monotonic() + QUIET
            logger.warning("no cache, nothing shared")
        return claim

    def _await(self, key: str) -> None:
        end = time.monotonic() + PATIENCE_SHARED
        while time.monotonic() < end and cache.get(_name("making", key)) is not None:
            time.sleep(_PAUSE)


def _name(what: str, key: str) -> str:
    return f"{what}:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"
