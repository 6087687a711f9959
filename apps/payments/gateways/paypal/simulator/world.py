"""The simulated account: orders, what was paid for them, events."""

from __future__ import annotations

import secrets
import string
import time
from decimal import Decimal
from typing import Any

from apps.payments.gateways.simulation import world as base
from apps.payments.gateways.simulation.wire import JsonObject

from .errors import PayPalError, missing

_LETTERS = string.ascii_uppercase + string.digits
API = "https://api-m.sandbox.paypal.com"
DECLINED = "INSTRUMENT_DECLINED"


def new_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(17))


def now(days: int = 0) -> str:
    """This moment, or so many days later."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))


def value_of(money: JsonObject) -> Decimal:
    return Decimal(money["value"])


class World(base.World):
    """One account. What an order was paid with is in its one purchase unit.

    `overcapture`: captures may sum up to so many times what was authorized; an account's limit is
    1.15 unless its owner had it lowered.
    """

    overcapture = Decimal(1)

    def add(self, kind: str, row: JsonObject) -> JsonObject:
        self.store.tables.setdefault(kind, {})[row["id"]] = row
        return row

    def named(self, kind: str, identifier: str) -> JsonObject:
        """Raises PayPalError (404)."""
        row: JsonObject | None = self.store.get(kind, identifier)
        if row is None:
            raise missing()
        return row

    def order_with(self, kind: str, identifier: str) -> tuple[JsonObject, JsonObject]:
        """An authorization, capture or refund, and its order. Raises PayPalError (404)."""
        for order in self.store.tables.get("order", {}).values():
            for row in payments_of(order).get(kind, []):
                if row["id"] == identifier:
                    return order, row
        raise missing()

    def next_outcome(self, *names: str) -> str:
        """The ordered outcome of what happens now, taken off the list; "" for none of `names`."""
        for name in self.outcomes:
            if name in names:
                self.outcomes.remove(name)
                return name
        return ""

    def emit(self, event_type: str, resource_type: str, resource: JsonObject) -> None:
        """Record an event with the resource as it is now, and queue its webhooks."""
        content = {
            "id": f"WH-{new_id()}-{new_id()}",
            "create_time": now(),
            "resource_type": resource_type,
            "event_version": "1.0",
            "event_type": event_type,
            "summary": event_type.replace(".", " ").capitalize(),
            "resource_version": "2.0",
            "resource": _copy(resource),
            "links": [],
        }
        event = {
            "id": content["id"],
            "object": "event",
            "type": event_type,
            "content": content,
            "pending_webhooks": 0,
        }
        self.store.add(event)
        for endpoint in self.listeners(event_type):
            event["pending_webhooks"] += 1
            for _ in range(1 + self.plan.duplicate):
                self.queue(event, endpoint, self.plan.delay_seconds)


def payments_of(order: JsonObject) -> JsonObject:
    found: JsonObject = order["purchase_units"][0].setdefault("payments", {})
    return found


def links(*triples: tuple[str, str, str]) -> list[JsonObject]:
    return [{"href": href, "rel": rel, "method": method} for rel, href, method in triples]


def needed(content: JsonObject, name: str) -> Any:
    """Raises PayPalError (400) if it isn't there."""
    if not content.get(name):
        raise PayPalError(400, "MISSING_REQUIRED_PARAMETER")
    return content[name]


def money_in(content: JsonObject, name: str = "amount") -> JsonObject:
    """Raises PayPalError for an amount that is none, or isn't above zero."""
    money = needed(content, name)
    value, currency = str(money.get("value", "")), str(money.get("currency_code", ""))
    if not (currency.isalpha() and len(currency) == 3):
        raise PayPalError(422, "INVALID_CURRENCY_CODE")
    whole, point, decimals = value.partition(".")
    if not whole.isdigit() or (point and not decimals.isdigit()):
        raise PayPalError(400, "INVALID_PARAMETER_SYNTAX")
    if len(decimals) > (0 if currency in ("HUF", "JPY", "TWD") else 2):
        raise PayPalError(422, "DECIMAL_PRECISION")
    if Decimal(value) <= 0:
        raise PayPalError(422, "CANNOT_BE_ZERO_OR_NEGATIVE")
    return {"currency_code": currency, "value": value}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value
