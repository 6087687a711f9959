"""The control plane: what a test or a demo orders, over HTTP under `/_sim/` or in process."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, fields, replace
from typing import Any

from apps.payments.gateways.simulation.control import next_behaviour
from apps.payments.gateways.simulation.delivery import Dispatcher
from apps.payments.gateways.simulation.faults import Fault
from apps.payments.gateways.simulation.store import now
from apps.payments.gateways.simulation.wire import JsonObject, Reply, Request, json_reply
from apps.payments.gateways.simulation.world import WebhookPlan

from . import (
    checkout_sessions,
    disputes,
    payment_flow,
    payment_methods,
    refunds,
    setup_intents,
    webhook_endpoints,
)
from .errors import invalid, unrecognized
from .world import World


class Control:
    """Every order is one method. They raise StripeError for what they cannot do."""

    def __init__(self, world: World, dispatcher: Dispatcher) -> None:
        self.world = world
        self.dispatcher = dispatcher
        # Set by the simulator, which knows the behaviours that may be ordered.
        self.simulator: Any = None
        self.orders = {
            "/_sim/webhooks/config": self._configure,
            "/_sim/webhooks/flush": self._flush,
            "/_sim/webhooks/send": self._send,
            "/_sim/webhooks/roll_secret": self._roll_secret,
            "/_sim/faults": self._add_fault,
            "/_sim/faults/clear": self._clear_faults,
            "/_sim/dispute": self._dispute,
            "/_sim/dispute/close": self._close_dispute,
            "/_sim/refund/finish": self._finish_refund,
            "/_sim/complete_action": self._complete_action,
            "/_sim/complete_checkout": self._complete_checkout,
            "/_sim/card/renew": self._renew_card,
            "/_sim/reset": self._reset,
        }

    def answer(self, request: Request) -> Reply:
        """One order or question over HTTP."""
        if request.method == "GET" and request.path == "/_sim/state":
            return json_reply(200, self.state())
        if request.method == "GET" and request.path == "/_sim/webhooks/attempts":
            with self.world.lock:
                return json_reply(200, {"data": list(self.world.attempts)})
        if (request.method, request.path) == ("POST", "/_sim/next") and self.simulator:
            return next_behaviour(self.simulator, _json_object(request.body))
        if request.method != "POST":
            raise unrecognized(request.method, request.path)
        content = _json_object(request.body)
        prefix = "/_config/webhooks/"
        if request.path.startswith(prefix) and len(request.path) > len(prefix):
            return json_reply(200, self._register(request.path.removeprefix(prefix), content))
        order = self.orders.get(request.path)
        if order is None:
            raise unrecognized(request.method, request.path)
        if request.path == "/_sim/webhooks/flush":
            # Sends over the network: the lock would keep the receiver from asking us anything.
            return json_reply(200, order(content))
        with self.world.lock:
            answer = order(content)
            self.world.changed()
            return json_reply(200, answer)

    def state(self) -> JsonObject:
        """The ground truth, in counts and in minor units per currency."""
        with self.world.lock:
            store = self.world.store
            charges = store.rows("charge")
            taken = [row for row in charges if row["captured"]]
            returned = [row for row in store.rows("refund") if row["status"] != "failed"]
            return {
                "payment_intents": _count(store.rows("payment_intent"), "status"),
                "charges": _count(charges, "status"),
                "authorized": _total([row for row in charges if row["paid"]], "amount"),
                "captured": _total(taken, "amount_captured"),
                "refunded": _total(returned, "amount"),
                "refunds": _count(store.rows("refund"), "status"),
                "disputes": _count(store.rows("dispute"), "status"),
                "customers": len(store.tables.get("customer", {})),
                "checkout_sessions": _count(store.rows("checkout.session"), "status"),
                "events": _count(store.rows("event"), "type"),
                "idempotency_keys": dict(store.key_requests),
                "requests": dict(store.requests),
                "webhooks": {
                    "plan": asdict(self.world.plan),
                    "waiting": len(store.deliveries) + self.dispatcher.in_flight,
                    "attempts": len(self.world.attempts),
                    "delivered": sum(one["delivered"] for one in self.world.attempts),
                },
                "faults": [asdict(fault) for fault in self.world.faults.ordered],
            }

    def _configure(self, content: JsonObject) -> JsonObject:
        _check(content, tuple(field.name for field in fields(WebhookPlan)))
        self.world.plan = replace(self.world.plan, **content)
        return asdict(self.world.plan)

    def _flush(self, content: JsonObject) -> JsonObject:
        _check(content, ("reverse",))
        return {"sent": self.dispatcher.flush(reverse=bool(content.get("reverse")))}

    def _send(self, content: JsonObject) -> JsonObject:
        _check(content, ("event_id", "all", "times"))
        event_id = None if content.get("all") else content.get("event_id")
        if event_id is None and not content.get("all"):
            raise invalid("Give an event_id, or all: true.", "event_id")
        if event_id is not None:
            self.world.store.named("event", event_id)
        return {"queued": self.dispatcher.send(event_id, int(content.get("times", 1)))}

    def _roll_secret(self, content: JsonObject) -> JsonObject:
        _check(content, ("endpoint", "secret"))
        endpoint = _needed(content, "endpoint")
        secret = webhook_endpoints.roll_secret(self.world, endpoint, content.get("secret"))
        return {"secret": secret}

    def _add_fault(self, content: JsonObject) -> JsonObject:
        _check(content, tuple(field.name for field in fields(Fault)))
        fault = Fault(**content)
        self.world.faults.add(fault)
        return asdict(fault)

    def _clear_faults(self, content: JsonObject) -> JsonObject:
        self.world.faults.clear()
        return {"faults": []}

    def _dispute(self, content: JsonObject) -> JsonObject:
        _check(content, ("payment_intent", "reason", "amount", "inquiry"))
        intent = self.world.store.named("payment_intent", _needed(content, "payment_intent"))
        charge = self.world.store.named("charge", intent["latest_charge"] or "")
        return disputes.open_dispute(
            self.world,
            charge,
            content.get("reason", "fraudulent"),
            content.get("amount"),
            inquiry=bool(content.get("inquiry")),
        )

    def _close_dispute(self, content: JsonObject) -> JsonObject:
        _check(content, ("dispute", "status"))
        dispute = self.world.store.named("dispute", _needed(content, "dispute"))
        disputes.close_dispute(self.world, dispute, _needed(content, "status"))
        return dispute

    def _finish_refund(self, content: JsonObject) -> JsonObject:
        _check(content, ("refund", "status"))
        refund = self.world.store.named("refund", _needed(content, "refund"))
        refunds.finish(self.world, refund, _needed(content, "status"))
        return refund

    def _complete_action(self, content: JsonObject) -> JsonObject:
        _check(content, ("payment_intent", "setup_intent", "outcome"))
        outcome = content.get("outcome", "succeeded")
        if outcome not in ("succeeded", "failed"):
            raise invalid("Invalid outcome: must be one of succeeded, or failed", "outcome")
        if content.get("setup_intent"):
            intent = self.world.store.named("setup_intent", content["setup_intent"])
            setup_intents.complete_setup(self.world, intent, succeeded=outcome == "succeeded")
            return intent
        intent = self.world.store.named("payment_intent", _needed(content, "payment_intent"))
        payment_flow.complete_action(self.world, intent, succeeded=outcome == "succeeded")
        return intent

    def _complete_checkout(self, content: JsonObject) -> JsonObject:
        _check(content, ("session", "payment_method"))
        session = self.world.store.named("checkout.session", _needed(content, "session"))
        method = content.get("payment_method", "pm_card_visa")
        checkout_sessions.pay(self.world, session, method)
        return session

    def _renew_card(self, content: JsonObject) -> JsonObject:
        _check(content, ("payment_method", "exp_month", "exp_year"))
        method = self.world.store.named("payment_method", _needed(content, "payment_method"))
        payment_methods.renew(self.world, method, content["exp_month"], content["exp_year"])
        return method

    def _register(self, identifier: str, content: JsonObject) -> JsonObject:
        """An endpoint under an identifier of the caller's choice; given again, it is replaced."""
        _check(content, ("url", "secret", "events"))
        with self.world.lock:
            return webhook_endpoints.register(
                self.world,
                _needed(content, "url"),
                content.get("secret"),
                list(content.get("events") or ["*"]),
                identifier,
            )

    def _reset(self, content: JsonObject) -> JsonObject:
        self.world.reset()
        return {"reset": now()}


def _json_object(body: str) -> JsonObject:
    try:
        content = json.loads(body or "{}")
    except ValueError:
        raise invalid("The body is not JSON.") from None
    if not isinstance(content, dict):
        raise invalid("The body is not a JSON object.")
    return content


def _check(content: JsonObject, allowed: tuple[str, ...]) -> None:
    for name in content:
        if name not in allowed:
            raise invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")


def _needed(content: JsonObject, name: str) -> str:
    value: Any = content.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    return value


def _count(rows: list[JsonObject], name: str) -> dict[str, int]:
    return dict(Counter(row[name] for row in rows))


def _total(rows: list[JsonObject], name: str) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row["currency"]] += row[name]
    return dict(totals)
