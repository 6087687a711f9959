"""The simulated account: its state, its one lock, its events and its clockwork."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .faults import Faults
from .idempotency import IdempotencyKeys
from .store import Store, new_id, now
from .wire import Call, JsonObject

API_VERSION = "2026-10-28.endive"

Job = Callable[["World", str], None]


@dataclass
class WebhookPlan:
    """How webhooks leave: late, several times, last first, or not at all until flushed."""

    delay_seconds: float = 0.0
    duplicate: int = 0
    reorder: bool = False
    paused: bool = False


class World:
    """One account. Whoever reads or changes it holds `lock`.

    `settle_seconds` is how long an asynchronous outcome takes (a bank debit, a refund that
    fails later). `refuse_retired` refuses the parameters that the newest API version retired.
    """

    def __init__(self, state_file: Path | None = None, settle_seconds: float = 0.5) -> None:
        self.lock = threading.RLock()
        self.wake = threading.Condition(self.lock)
        self.stopping = threading.Event()
        self.state_file = state_file
        self.settle_seconds = settle_seconds
        self.store = Store.restore(state_file) if state_file else Store()
        self.keys = IdempotencyKeys()
        self.faults = Faults()
        self.plan = WebhookPlan()
        self.base_url = ""
        self.refuse_retired = False
        self.call: Call | None = None
        self.jobs: dict[str, Job] = {}
        self.attempts: list[JsonObject] = []
        self.unsaved = False

    def emit(self, kind: str, subject: JsonObject) -> JsonObject:
        """Record an event with the object as it is now, and queue its webhooks."""
        event: JsonObject = {
            "id": new_id("event"),
            "object": "event",
            "api_version": API_VERSION,
            "created": now(),
            "data": {"object": copy.deepcopy(subject)},
            "livemode": False,
            "pending_webhooks": 0,
            "request": {
                "id": self.call.request_id if self.call else None,
                "idempotency_key": self.call.idempotency_key if self.call else None,
            },
            "type": kind,
        }
        self.store.add(event)
        for endpoint in self.listeners(kind):
            event["pending_webhooks"] += 1
            for _ in range(1 + self.plan.duplicate):
                self.queue(event, endpoint, self.plan.delay_seconds)
        return event

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
        self.store = Store(tables={"webhook_endpoint": endpoints}, hidden=hidden)
        self.faults.clear()
        self.plan = WebhookPlan()
        self.attempts.clear()
        self.changed()
