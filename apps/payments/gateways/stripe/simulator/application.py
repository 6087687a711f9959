"""From a request to its reply: authentication, idempotency, faults, the endpoint, the errors."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import traceback
from collections.abc import Sequence

from apps.payments.gateways.simulation.delivery import Dispatcher
from apps.payments.gateways.simulation.faults import Fault
from apps.payments.gateways.simulation.store import token
from apps.payments.gateways.simulation.wire import JsonObject, Reply, Request, json_reply

from . import (
    charges,
    checkout_sessions,
    customers,
    disputes,
    pages,
    payment_flow,
    payment_intents,
    payment_methods,
    payouts,
    refunds,
    setup_intents,
    webhook_endpoints,
)
from .control import Control
from .errors import StripeError, injected, unauthorized, unrecognized
from .forms import decode, merge
from .routing import Route, Router
from .wire import Call
from .world import API_VERSION, World

_RESOURCES = (
    payment_intents,
    payment_methods,
    charges,
    refunds,
    disputes,
    customers,
    setup_intents,
    checkout_sessions,
    payouts,
    webhook_endpoints,
)
_SECRET_PREFIXES = ("sk_test_", "rk_test_")
# A browser confirms from the shop's page, so that every origin must be able to read the reply.
_CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"),
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, Stripe-Version",
    ),
    ("Access-Control-Expose-Headers", "Request-Id, Idempotent-Replayed"),
)


class Application:
    """The simulated API. `accepted_keys` narrows the secret keys from "any test key" to those."""

    def __init__(
        self, world: World, dispatcher: Dispatcher, accepted_keys: Sequence[str] = ()
    ) -> None:
        self.world = world
        self.control = Control(world, dispatcher)
        self.accepted_keys = tuple(accepted_keys)
        self.is_recording = False
        # Route, parameters, status and answer of each call while it records.
        self.exchanges: list[tuple[str, JsonObject, int, JsonObject]] = []
        self.router = Router([route for resource in _RESOURCES for route in resource.ROUTES])
        world.jobs.update(
            settle_refund=refunds.settle,
            settle_bank_debit=payment_flow.settle_bank_debit,
            complete_checkout=checkout_sessions.complete,
        )

    def handle(self, request: Request) -> Reply:
        """The reply to any request. A defect of the simulator is a 500 and a trace on stderr."""
        try:
            if request.path.startswith(("/_sim/", "/_config/")):
                return self.control.answer(request)
            if request.path.startswith("/v1/"):
                return self._api(request)
            with self.world.lock:
                page = pages.answer(self.world, request)
            if page is None:
                raise unrecognized(request.method, request.path)
            return page
        except StripeError as error:
            return error.reply()
        except Exception:
            traceback.print_exc()
            return injected(500).reply()

    def _api(self, request: Request) -> Reply:
        request_id = f"req_{token(14)}"
        headers: tuple[tuple[str, str], ...] = (
            ("Request-Id", request_id),
            ("Stripe-Version", request.headers.get("stripe-version") or API_VERSION),
            *_CORS,
        )
        key = request.headers.get("idempotency-key")
        if key:
            headers = (*headers, ("Idempotency-Key", key))
        if request.method == "OPTIONS":
            return Reply(204, b"", headers=headers)
        try:
            reply = self._accepted(request, request_id)
        except StripeError as error:
            reply = error.reply()
        return Reply(
            reply.status, reply.body, reply.content_type, (*headers, *reply.headers), reply.drop
        )

    def _accepted(self, request: Request, request_id: str) -> Reply:
        params = merge(decode(request.query), decode(request.body))
        publishable = self._authenticate(request, str(params.pop("key", "")))
        found = self.router.match(request.method, request.path)
        if found is None:
            raise unrecognized(request.method, request.path)
        route, ids = found
        if publishable and not route.browser:
            raise unauthorized(
                "This API call cannot be made with a publishable API key. Please use a secret API "
                "key.",
                "secret_key_required",
            )
        # Only POST has effects that a key must guard ("Idempotent requests").
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        call = Call(request.method, request.path, params, request_id, key or None, publishable, ids)
        return self._guarded(route, call)

    def _guarded(self, route: Route, call: Call) -> Reply:
        """Count, inject the ordered fault, and execute at most once per idempotency key."""
        world = self.world
        with world.lock:
            world.store.requests[route.label] += 1
            if call.idempotency_key:
                world.store.key_requests[call.idempotency_key] += 1
            fault = world.faults.take(call.method, call.path) or Fault(times=0)
        if fault.status is not None or fault.drop_before_execute:
            world.stopping.wait(fault.timeout_seconds)
            error = injected(fault.status or 503).reply()
            return Reply(error.status, error.body, drop=fault.drop_before_execute)
        with world.lock:
            replay = world.keys.claim(world.store, call)
        if replay is None:
            replay = self._execute(route, call, fault)
        if not fault.drop_after_execute:
            return replay
        return Reply(replay.status, replay.body, headers=replay.headers, drop=True)

    def _execute(self, route: Route, call: Call, fault: Fault) -> Reply:
        world = self.world
        if fault.timeout_seconds:
            world.stopping.wait(fault.timeout_seconds)
        with world.lock:
            world.call = call
            executed = True
            try:
                reply = json_reply(200, route.handler(world, call))
            except StripeError as error:
                executed = error.executed
                reply = error.reply()
            except BaseException:
                world.keys.release(call)
                raise
            finally:
                world.call = None
                if call.method != "GET":
                    world.changed()
            world.keys.settle(world.store, call, reply, executed=executed)
            if self.is_recording:
                answer = json.loads(reply.body)
                self.exchanges.append((route.label, call.params, reply.status, answer))
            return reply

    def _authenticate(self, request: Request, key_param: str) -> bool:
        """Whether the key is a publishable one. Raises StripeError (401) for a bad or no key."""
        key = _bearer(request.headers.get("authorization", "")) or key_param
        if not key:
            raise unauthorized(
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                "YOUR_SECRET_KEY')."
            )
        if key.startswith("pk_test_"):
            return True
        known = any(
            secrets.compare_digest(key.encode(), one.encode()) for one in self.accepted_keys
        )
        if known or (not self.accepted_keys and key.startswith(_SECRET_PREFIXES)):
            return False
        raise unauthorized(f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}")


def _bearer(header: str) -> str:
    """The key of a Bearer header, or the user name of a Basic one ("Authentication")."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
