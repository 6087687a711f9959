"""Leaves a carrier alone that fails, so that shoppers don't wait for it.

Closed: it is asked. After `failures` within `window` seconds it opens: nobody asks for `open_for`
seconds. Then one caller may (half-open); how that goes closes it, or opens it anew. The state is
in the shared cache; without one each process keeps its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.core.cache import cache

_KEPT = 3600
# Of this process: what is read when the cache has nothing, or isn't there.
_local: dict[str, float] = {}


class Breaker:
    def __init__(
        self,
        name: str,
        *,
        failures: int = 5,
        window: float = 60.0,
        open_for: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._name, self._failures = f"shipping:breaker:{name}", failures
        self._window, self._open_for, self._clock = window, open_for, clock

    def allows(self) -> bool:
        """Whether the carrier may be asked now; who asks when it is half-open has the probe."""
        opened = self._read("opened")
        if not opened:
            return True
        if self._clock() < opened + self._open_for:
            return False
        return self._claim(f"probe:{opened}")

    def succeeded(self) -> None:
        """The carrier answered."""
        if self._read("opened"):
            self._write("opened", 0.0)

    def failed(self) -> None:
        """The carrier couldn't be reached, or didn't answer in time."""
        if self._read("opened") or self._count() >= self._failures:
            self._write("opened", self._clock())

    def _count(self) -> int:
        mine = f"{self._name}:failures:"
        key = f"{mine}{int(self._clock() // self._window)}"
        for old in [old for old in tuple(_local) if old.startswith(mine) and old != key]:
            _local.pop(old, None)
        _local[key] = _local.get(key, 0.0) + 1
        cache.add(key, 0, timeout=_KEPT)
        try:
            shared = cache.incr(key)
        except ValueError:
            shared = 0
        return shared or int(_local[key])

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
