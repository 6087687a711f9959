"""The simulated account: its state and its events."""

from __future__ import annotations

import copy
from pathlib import Path

from apps.payments.gateways.simulation import world as base
from apps.payments.gateways.simulation.store import now
from apps.payments.gateways.simulation.wire import JsonObject

from .idempotency import IdempotencyKeys
from .store import Store, new_id
from .wire import Call

API_VERSION = "2026-10-28.endive"


class World(base.World):
    """One account. `refuse_retired` refuses the parameters that the newest API version retired."""

    store_class = Store
    # What a charge costs: so much of a hundred, and so many minor units.
    fee_percent, fee_fixed = 0, 0
    # Stripe gives multicapture to some accounts, and refuses others that ask for it.
    may_multicapture = True
    store: Store

    def __init__(self, state_file: Path | None = None, settle_seconds: float = 0.5) -> None:
        super().__init__(state_file, settle_seconds)
        self.keys = IdempotencyKeys()
        self.refuse_retired = False
        self.call: Call | None = None

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
