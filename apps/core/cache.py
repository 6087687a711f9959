"""A value kept in the process for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from apps.core.outdated import State, log

T = TypeVar("T")


class ShortCache(Generic[T]):
    """Calls `load` again once its value is `seconds` old, or its key is outdated. For small, rarely
    changing rows."""

    def __init__(
        self, load: Callable[[], T], *, key: str, seconds: float, enabled: Callable[[], bool]
    ) -> None:
        self._load, self._key = load, (key,)
        self._seconds, self._enabled = seconds, enabled
        self._value: tuple[float, State, T] | None = None

    def get(self) -> T:
        now = time.monotonic()
        # Before the rows are read: what changes meanwhile outdates what was read.
        state, kept = log.state, self._value
        if kept is not None and self._enabled() and now - kept[0] < self._seconds:
            then, value = kept[1:]
            if then is state or state.knows_no_more(self._key, then.of(self._key)):
                return value
        value = self._load()
        self._value = (now, state, value)
        return value
