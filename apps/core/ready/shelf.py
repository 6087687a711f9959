"""What a process keeps in memory: the least recently asked for goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """Values by key, of at most `room` bytes together."""

    def __init__(self, room: int) -> None:
        self._room, self._used = room, 0
        self._kept: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> T | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: str, value: T, *, size: int) -> None:
        """Keep a value of `size` bytes, unless it alone would fill the shelf."""
        with self._lock:
            self._take(key)
            if size > self._room:
                return
            self._kept[key] = (value, size)
            self._used += size
            while self._used > self._room:
                self._take(next(iter(self._kept)))

    def drop(self, key: str) -> None:
        with self._lock:
            self._take(key)

    def _take(self, key: str) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._used -= found[1]
