"""A simulated account: its state, its one lock, its webhooks and its clockwork."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .faults import Faults
from .store import Store
from .wire import JsonObject

Job = Callable[[Any, str], None]


@dataclass
class WebhookPlan:
    """How webhooks leave: late, several times, last first, or not at all until flushed."""

    delay_seconds: float = 0.0
    duplicate: int = 0
    reorder: bool = False
    paused: bool = False


class World:
    """One account. Whoever reads or changes it holds `lock`.

    `settle_seconds` is how long an asynchronous outcome takes. `outcomes` are the next payments'
    ends that somebody ordered, by name, the first one first.
    """

    store_class: type[Store] = Store

    def __init__(self, state_file: Path | None = None, settle_seconds: float = 0.5) -> None:
        self.lock = threading.RLock()
        self.wake = threading.Condition(self.lock)
        self.stopping = threading.Event()
        self.state_file = state_file
        self.settle_seconds = settle_seconds
        self.store: Any = self.store_class.restore(state_file) if state_file else self.store_class()
        self.faults = Faults()
        self.plan = WebhookPlan()
        self.base_url = ""
        self.jobs: dict[str, Job] = {}
        self.attempts: list[JsonObject] = []
        self.outcomes: list[str] = []
        self.unsaved = False

    def listeners(self, kind: str) -> list[JsonObject]:
        return [
            endpoint
            for endpoint in self.store.tables.get("webhook_endpoint", {}).values()
            if endpoint["status"] == "enabled"
            and ("*" in endpoint["enabled_events"] or kind in endpoint["enabled_events"])
        ]

    def queue(self, event: JsonObject, endpoint: JsonObject, delay_seconds: float = 0.0) -> None:
        moment = time.time()
        self.store.deliveries.append(
            {
                "event": event["id"],
                "endpoint": endpoint["id"],
                "queued": moment,
                "due": moment + delay_seconds,
                "attempt": 0,
            }
        )
        self.changed()

    def later(self, job: str, identifier: str) -> None:
        """Run a job on an object after `settle_seconds`."""
        due = time.time() + self.settle_seconds
        self.store.timers.append({"job": job, "id": identifier, "due": due})
        self.changed()

    def forget_timer(self, identifier: str) -> None:
        self.store.timers[:] = [timer for timer in self.store.timers if timer["id"] != identifier]

    def changed(self) -> None:
        self.unsaved = self.state_file is not None
        self.wake.notify_all()

    def reset(self) -> None:
        """Forget everything but the webhook endpoints and their secrets."""
        endpoints = self.store.tables.get("webhook_endpoint", {})
        hidden = {key: value for key, value in self.store.hidden.items() if key in endpoints}
        self.store = self.store_class(tables={"webhook_endpoint": endpoints}, hidden=hidden)
        self.faults.clear()
        self.plan = WebhookPlan()
        self.attempts.clear()
        self.outcomes.clear()
        self.changed()
