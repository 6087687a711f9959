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


class Making:
    """Turns by key. `shared`: over all processes, by Django's cache; without it they only share
    nothing, and each makes its own."""

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
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
        claimed = False
        try:
            claimed = self._claim(key)
            if not claimed and wait:
                self._await(key)
            yield claimed
        finally:
            if claimed and self._shared:
                cache.delete(_name("making", key))
            del self._running[key]
            mine.set()

    def shared(self, key: str) -> Any:
        """What another process made; None without."""
        return cache.get(_name("ready", key)) if self._shared else None

    def share(self, key: str, value: Any, *, seconds: float) -> None:
        if self._shared and seconds >= 1:
            cache.set(_name("ready", key), value, timeout=int(seconds))

    def _claim(self, key: str) -> bool:
        # A cache that is gone answers None: then every process makes its own.
        return not self._shared or cache.add(_name("making", key), 1, timeout=CLAIM) is not False

    def _await(self, key: str) -> None:
        end = time.monotonic() + PATIENCE_SHARED
        while time.monotonic() < end and cache.get(_name("making", key)) is not None:
            time.sleep(_PAUSE)


def _name(what: str, key: str) -> str:
    return f"{what}:{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"
