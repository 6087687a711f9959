"""What happens by itself: asynchronous outcomes and saving the state file."""

from __future__ import annotations

import time

from .store import replace_file
from .world import World

IDLE_SECONDS = 0.5
# A busy simulator writes its file at most this often; a crash loses no more than that.
SAVE_SECONDS = 0.25


class Clockwork:
    """`run` is the body of one background thread; it ends with the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.saved_at = 0.0

    def run(self) -> None:
        while not self.world.stopping.is_set():
            with self.world.lock:
                if not self._run_due():
                    self.world.wake.wait(self._pause())
            self.save()

    def save(self, *, now: bool = False) -> None:
        """Write the state file if something changed and the last write is not too recent."""
        path = self.world.state_file
        recent = time.monotonic() - self.saved_at < SAVE_SECONDS
        if path is None or (recent and not now):
            return
        with self.world.lock:
            if not self.world.unsaved:
                return
            content = self.world.store.snapshot()
            self.world.unsaved = False
        replace_file(path, content)
        self.saved_at = time.monotonic()

    def _run_due(self) -> bool:
        moment = time.time()
        timers = self.world.store.timers
        due = [timer for timer in timers if timer["due"] <= moment]
        timers[:] = [timer for timer in timers if timer["due"] > moment]
        for timer in due:
            self.world.jobs[timer["job"]](self.world, timer["id"])
        return bool(due)

    def _pause(self) -> float:
        pause = SAVE_SECONDS if self.world.unsaved else IDLE_SECONDS
        for timer in self.world.store.timers:
            pause = min(pause, max(timer["due"] - time.time(), 0.001))
        return pause
