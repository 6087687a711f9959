"""The simulator as an object: tests start it in process, the command line runs it."""

from __future__ import annotations

import copy
import secrets
from collections import Counter
from decimal import Decimal
from pathlib import Path

from apps.payments.gateways.simulation.control import Control
from apps.payments.gateways.simulation.simulator import Simulator
from apps.payments.gateways.simulation.wire import JsonObject

from . import orders, payments, signing
from .application import Application
from .world import DECLINED, World, payments_of, value_of

_TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")


class PayPalSimulator(Simulator):
    """A PayPal account on this machine, over real HTTP. No network beyond loopback.

    `port` 0 takes a free one. `state_file` keeps the account over a restart.
    """

    world: World
    application: Application
    charge_path = "/v2/checkout/orders/"

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        state_file: Path | None = None,
        settle_seconds: float = 0.5,
    ) -> None:
        self.client_id, self.client_secret = "simulator-client", "simulator-secret"
        self.webhook_id = "SIMULATORWEBHOOK"
        world = World(state_file, settle_seconds)
        super().__init__((host, port), world, signing.headers)
        # Kept with the account, so that a restart still knows what it signed.
        hidden = world.store.private("signing")
        self._secret = hidden.setdefault("secret", secrets.token_hex(32))
        client = (self.client_id, self.client_secret)
        self.application = Application(world, Control(self), client, self._secret)

    def use_webhook(self, url: str) -> None:
        """The one endpoint, told everything."""
        with self.world.lock:
            endpoint = {
                "id": self.webhook_id,
                "object": "webhook_endpoint",
                "status": "enabled",
                "enabled_events": ["*"],
                "url": url,
            }
            self.world.store.add(endpoint)
            self.world.store.private(self.webhook_id)["secrets"] = [self._secret, self.webhook_id]

    def approve(self, order_id: str, *, declined: bool = False) -> None:
        """What the customer does on PayPal's page; with a card that the bank declines."""
        with self.world.lock:
            if declined:
                self.world.store.private(order_id)["instrument"] = DECLINED
            orders.approve(self.world, self.world.named("order", order_id))

    def dispute(self, order_id: str, reason: str = "UNAUTHORISED") -> JsonObject:
        with self.world.lock:
            order = self.world.named("order", order_id)
            capture = payments_of(order)["captures"][0]["id"]
            return payments.dispute(self.world, capture, reason)

    def dispute_latest(self) -> JsonObject:
        """Dispute the latest payment that was taken."""
        with self.world.lock:
            paid = [o for o in self.world.store.rows("order") if payments_of(o).get("captures")]
            return self.dispute(paid[0]["id"])

    def settle_pending(self, order_id: str, *, completed: bool = True) -> None:
        """PayPal's review of a payment ended."""
        with self.world.lock:
            capture = payments_of(self.world.named("order", order_id))["captures"][0]["id"]
            payments.settle_pending(self.world, capture, completed=completed)

    def events(self, kind: str | None = None) -> list[JsonObject]:
        """The events so far as they are sent, oldest first."""
        with self.world.lock:
            rows = self.world.store.tables.get("event", {}).values()
            return [copy.deepcopy(r["content"]) for r in rows if kind in (None, r["type"])]

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers of a delivery of `body`."""
        return dict(signing.headers([self._secret, self.webhook_id], body))

    def state(self) -> JsonObject:
        """The ground truth: counts, and sums as decimals by currency."""
        with self.world.lock:
            rows = self.world.store.rows("order")
            captures = [c for order in rows for c in payments_of(order).get("captures", [])]
            refunds = [r for order in rows for r in payments_of(order).get("refunds", [])]
            return {
                "orders": dict(Counter(order["status"] for order in rows)),
                "captured": _total([c for c in captures if c["status"] in _TAKEN]),
                "refunded": _total(refunds),
                "requests": dict(self.world.store.requests),
                "idempotency_keys": dict(self.world.store.key_requests),
            }


def _total(rows: list[JsonObject]) -> dict[str, str]:
    totals: dict[str, Decimal] = {}
    for row in rows:
        currency = row["amount"]["currency_code"]
        totals[currency] = totals.get(currency, Decimal(0)) + value_of(row["amount"])
    return {currency: f"{total:f}" for currency, total in totals.items()}
