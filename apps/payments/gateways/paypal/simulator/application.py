"""From a request to its reply: the token, PayPal-Request-Id, faults, the call, the errors."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import traceback
from collections.abc import Callable

from apps.payments.gateways.simulation.control import Control
from apps.payments.gateways.simulation.faults import Fault
from apps.payments.gateways.simulation.wire import JsonObject, Reply, Request, json_reply

from . import orders, pages, payments, signing
from .errors import PayPalError, unprocessable
from .world import World

Answer = tuple[int, JsonObject]
Call = Callable[[World, tuple[str, ...], JsonObject], Answer]

ROUTES: dict[tuple[str, str], Call] = {
    ("POST", "/v2/checkout/orders"): lambda w, ids, c: orders.create(w, c),
    ("GET", "/v2/checkout/orders/{}"): lambda w, ids, c: (200, w.named("order", ids[0])),
    ("POST", "/v2/checkout/orders/{}/capture"): lambda w, ids, c: orders.pay(
        w, w.named("order", ids[0]), "CAPTURE"
    ),
    ("POST", "/v2/checkout/orders/{}/authorize"): lambda w, ids, c: orders.pay(
        w, w.named("order", ids[0]), "AUTHORIZE"
    ),
    ("GET", "/v2/payments/authorizations/{}"): lambda w, ids, c: _shown(
        w, "authorizations", ids[0]
    ),
    ("POST", "/v2/payments/authorizations/{}/capture"): lambda w, ids, c: payments.capture(
        w, ids[0], c
    ),
    ("POST", "/v2/payments/authorizations/{}/void"): lambda w, ids, c: payments.void(w, ids[0]),
    ("GET", "/v2/payments/captures/{}"): lambda w, ids, c: _shown(w, "captures", ids[0]),
    ("POST", "/v2/payments/captures/{}/refund"): lambda w, ids, c: payments.refund(w, ids[0], c),
    ("GET", "/v2/payments/refunds/{}"): lambda w, ids, c: (
        200,
        w.order_with("refunds", ids[0])[1],
    ),
}
_PATTERNS = [
    (method, re.compile(path.replace("{}", "([A-Za-z0-9-]+)") + "$"), f"{method} {path}", call)
    for (method, path), call in ROUTES.items()
]
_VERIFY = "/v1/notifications/verify-webhook-signature"


class Application:
    """The simulated API. `exchanges` are the requests and replies so far, where `is_recording`."""

    def __init__(
        self, world: World, control: Control, client: tuple[str, str], secret: str
    ) -> None:
        self.world = world
        self.control = control
        self.client = client
        self.secret = secret
        self.is_recording = False
        self.exchanges: list[tuple[str, JsonObject, int, JsonObject]] = []
        self.tokens: set[str] = set()

    def handle(self, request: Request) -> Reply:
        """The reply to any request. A defect of the simulator is a 500 and a trace on stderr."""
        try:
            if request.path.startswith("/_sim/"):
                return self.control.answer(request)
            if not request.path.startswith(("/v1/", "/v2/")):
                with self.world.lock:
                    page = pages.answer(self.world, request)
                if page is None:
                    raise PayPalError(404)
                return page
            return self._guarded(request)
        except PayPalError as error:
            return error.reply()
        except Exception:
            traceback.print_exc()
            return PayPalError(500).reply()

    def _guarded(self, request: Request) -> Reply:
        """Count, inject the ordered fault, and execute."""
        world = self.world
        with world.lock:
            fault = world.faults.take(request.method, request.path) or Fault(times=0)
        world.stopping.wait(fault.timeout_seconds)
        if fault.status is not None or fault.drop_before_execute:
            reply = PayPalError(fault.status or 503).reply()
            return Reply(reply.status, reply.body, drop=fault.drop_before_execute)
        try:
            reply = self._api(request)
        except PayPalError as error:
            reply = error.reply()
        if fault.drop_after_execute:
            return Reply(reply.status, reply.body, drop=True)
        return reply

    def _api(self, request: Request) -> Reply:
        if request.path == "/v1/oauth2/token":
            return self._token(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            raise PayPalError(401)
        content = _json_object(request.body)
        if (request.method, request.path) == ("POST", _VERIFY):
            status = signing.verify(self.secret, content, request)
            answer = {"verification_status": status}
            self._record(f"POST {_VERIFY}", content, 200, answer)
            return json_reply(200, answer)
        for method, pattern, label, call in _PATTERNS:
            found = pattern.match(request.path)
            if method == request.method and found:
                return self._once(request, label, call, found.groups(), content)
        raise PayPalError(404)

    def _once(
        self, request: Request, label: str, call: Call, ids: tuple[str, ...], content: JsonObject
    ) -> Reply:
        """Execute; a POST with a PayPal-Request-Id once."""
        key = request.headers.get("paypal-request-id", "") if request.method == "POST" else ""
        digest = hashlib.sha256(f"{request.path} {request.body}".encode()).hexdigest()
        with self.world.lock:
            store = self.world.store
            store.requests[label] += 1
            if key:
                store.key_requests[key] += 1
            known = store.answers.get(key) if key else None
            if known and known["digest"] != digest:
                raise unprocessable("DUPLICATE_REQUEST_ID")
            if known:
                return Reply(known["status"], known["body"].encode())
            try:
                status, row = call(self.world, ids, content)
                reply = json_reply(status, row)
            except PayPalError as error:
                reply = error.reply()
            self._record(label, content, reply.status, json.loads(reply.body))
            if key and reply.status < 500:
                body = reply.body.decode()
                store.answers[key] = {"digest": digest, "status": reply.status, "body": body}
            self.world.changed()
            return reply

    def _token(self, request: Request) -> Reply:
        pair = base64.b64encode(":".join(self.client).encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return json_reply(
                401,
                {"error": "invalid_client", "error_description": "Client Authentication failed"},
            )
        token = secrets.token_urlsafe(32)
        with self.world.lock:
            self.tokens.add(token)
            self.world.store.requests["POST /v1/oauth2/token"] += 1
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": 32400}
        return json_reply(200, answer)

    def _record(self, label: str, content: JsonObject, status: int, answer: JsonObject) -> None:
        if self.is_recording:
            self.exchanges.append((label, content, status, answer))


def _shown(world: World, kind: str, identifier: str) -> Answer:
    order, row = world.order_with(kind, identifier)
    return 200, payments.related(order, row)


def _json_object(body: str) -> JsonObject:
    try:
        content = json.loads(body or "{}")
    except ValueError:
        raise PayPalError(400, "MALFORMED_REQUEST_JSON") from None
    if not isinstance(content, dict):
        raise PayPalError(400, "MALFORMED_REQUEST_JSON")
    return content
