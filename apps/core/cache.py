"""A value kept in the process for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class ShortCache(Generic[T]):
    """Calls `load` again once its value is `seconds` old. For small, rarely changing rows."""

    def __init__(
        self, load: Callable[[], T], *, seconds: float, enabled: Callable[[], bool]
    ) -> None:
        self._load, self._seconds, self._enabled = load, seconds, enabled
        self._value: tuple[float, T] | None = None

    def get(self) -> T:
        now = time.monotonic()
        kept = self._value
        if kept is not None and self._enabled() and now - kept[0] < self._seconds:
            return kept[1]
        value = self._load()
        self._value = (now, value)
        return value
