"""PayPal by Orders v2 and Payments v2: the customer approves on PayPal's page, then we take it.

https://developer.paypal.com/docs/api/orders/v2/ and …/payments/v2/. A payment of ours is one order
of theirs, with one purchase unit, whose `custom_id` is our key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.payments.gateways.base import (
    Gateway,
    GatewayError,
    GatewayState,
    InvalidSignature,
    RefundState,
    StartRequest,
    State,
    WebhookEvent,
)
from apps.payments.gateways.paypal import amounts, events
from apps.payments.gateways.paypal.client import PayPalClient

ORDERS, ORDER = "/v2/checkout/orders", "/v2/checkout/orders/{}"
_REFUND = "/v2/payments/captures/{}/refund"
_LIVE = "https://api-m.paypal.com"
_REFUNDS = {"COMPLETED": "succeeded", "PENDING": "pending"}
# The order is as we want it, or waits for the customer: what it is now says which.
_LOOK_AGAIN = {
    "ORDER_ALREADY_CAPTURED",
    "ORDER_ALREADY_AUTHORIZED",
    "ORDER_NOT_APPROVED",
    "PAYER_ACTION_REQUIRED",
}
# Another refund of that capture came first.
_LESS_LEFT = {"REFUND_AMOUNT_EXCEEDED", "CAPTURE_FULLY_REFUNDED"}
_TURNS = 5
_DECLINED = {"INSTRUMENT_DECLINED", "TRANSACTION_REFUSED", "PAYER_CANNOT_PAY"}


class PayPalGateway(Gateway):
    code = "paypal"
    missing_codes = ("INVALID_RESOURCE_ID", "RESOURCE_NOT_FOUND")
    secrets = ("PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET", "PAYPAL_WEBHOOK_ID")
    options = ("PAYPAL_API_BASE", "PAYPAL_INTENT")
    asks_to_verify = True
    money_events = ("CHECKOUT.", "PAYMENT.", "CUSTOMER.DISPUTE.")

    @cached_property
    def client(self) -> PayPalClient:
        return PayPalClient(self.setting)

    @property
    def is_configured(self) -> bool:
        return bool(self.setting("PAYPAL_CLIENT_ID") and self.setting("PAYPAL_CLIENT_SECRET"))

    @property
    def is_test_account(self) -> bool:
        return self.setting("PAYPAL_API_BASE") != _LIVE

    @property
    def address(self) -> str:
        return self.setting("PAYPAL_API_BASE")

    @property
    def captures_shipments(self) -> bool:
        return self.setting("PAYPAL_INTENT") == "SHIPMENT"

    @property
    def plain_methods(self) -> list[tuple[str, Any]]:
        return [("", _("PayPal"))]

    def start(self, request: StartRequest) -> GatewayState:
        unit = {
            "custom_id": request.key,
            "description": request.description[:127],
            "amount": amounts.to_paypal(request.amount, request.currency),
        }
        content: dict[str, Any] = {
            "intent": "AUTHORIZE" if self.captures_shipments else self.setting("PAYPAL_INTENT"),
            "purchase_units": [unit],
        }
        if request.return_url:
            context = {
                "return_url": request.return_url,
                "cancel_url": request.return_url,
                "user_action": "PAY_NOW",
                "shipping_preference": "NO_SHIPPING",
            }
            content["payment_source"] = {"paypal": {"experience_context": context}}
        return self._read(self.client.post(ORDERS, content=content, key=request.key))

    def fetch(self, provider_id: str) -> GatewayState:
        return self._read(self._order(provider_id))

    def complete(self, provider_id: str, *, key: str) -> GatewayState:
        """A refused funding source fails the payment: the customer begins another one."""
        verb = "authorize" if self._order(provider_id)["intent"] == "AUTHORIZE" else "capture"
        try:
            self.client.post(f"{ORDER}/{verb}", provider_id, key=key)
        except GatewayError as error:
            if error.code in _DECLINED:
                now = self.fetch(provider_id)
                return replace(
                    now,
                    state=State.FAILED,
                    approved=False,
                    redirect_url="",
                    error_code=error.code,
                    error_message=str(error),
                )
            if error.code not in _LOOK_AGAIN:
                raise
        return self.fetch(provider_id)

    def capture(
        self, provider_id: str, *, amount: int, key: str, final: bool = True
    ) -> GatewayState:
        """Asked for again, the key answers, open still or not."""
        authorizations = _payments(self._order(provider_id)).get("authorizations", [])
        if not authorizations:
            raise GatewayError("Nothing is authorized.", code="not_authorized", permanent=True)
        authorization = authorizations[-1]
        currency = authorization["amount"]["currency_code"]
        content = {"amount": amounts.to_paypal(amount, currency), "final_capture": final}
        path = "/v2/payments/authorizations/{}/capture"
        answer = self.client.post(path, authorization["id"], content=content, key=key)
        if answer["status"] in ("DECLINED", "FAILED"):
            raise GatewayError("It was declined.", code="capture_declined", permanent=True)
        return self.fetch(provider_id)

    def void(self, provider_id: str, *, key: str) -> GatewayState:
        """An order that wasn't taken is simply never taken: PayPal has no call for that."""
        order = self._order(provider_id)
        authorization = _open_authorization(order)
        now = self._read(order)
        # Of one captured in part, the rest may be let go already.
        is_over = now.state == State.CAPTURED and 0 < now.captured < now.amount
        if authorization:
            self.client.post("/v2/payments/authorizations/{}/void", authorization["id"], key=key)
            now = self.fetch(provider_id)
        elif now.state in (State.CAPTURED, State.PROCESSING, State.AUTHORIZED) and not is_over:
            raise GatewayError("It is captured.", code="captured", permanent=True)
        if now.captured:
            return now
        return replace(now, state=State.VOIDED, approved=False, redirect_url="")

    def refund(self, provider_id: str, *, amount: int, reason: str, key: str) -> RefundState:
        """PayPal refunds a capture: the last one first, each by a key of its own.

        What the key gave back before is read from the order; where another refund comes in
        between, the rest is laid out anew.
        """
        for _turn in range(_TURNS):
            payments = _payments(self._order(provider_id))
            given = [each for each in payments.get("refunds", []) if each.get("custom_id") == key]
            left = amount - amounts.given(given)
            parts = amounts.lay_out(payments, left) if left > 0 else []
            if not parts and not given:
                raise GatewayError("Nothing was captured.", code="not_captured", permanent=True)
            if self._refund_parts(parts, key, given):
                return _refund_state(given)
        raise GatewayError("Others refund it too.", code="refund_contended", permanent=False)

    def _refund_parts(
        self, parts: Sequence[tuple[str, dict[str, str]]], key: str, given: list[dict[str, Any]]
    ) -> bool:
        """Add what PayPal answers to `given`; False if less was left of a capture than seen."""
        for capture_id, money in parts:
            content = {"amount": money, "custom_id": key}
            part = f"{key}-{capture_id}-{money['value']}"
            try:
                given.append(self.client.post(_REFUND, capture_id, content=content, key=part))
            except GatewayError as error:
                if error.code not in _LESS_LEFT:
                    raise
                return False
        return True

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """PayPal itself verifies its signature: https://developer.paypal.com/api/rest/webhooks/"""
        event, webhook_id = json.loads(body), self.setting("PAYPAL_WEBHOOK_ID")
        if not isinstance(event, dict) or not webhook_id:
            raise InvalidSignature("No webhook of ours.")
        question = events.question(headers, body, webhook_id)
        path = "/v1/notifications/verify-webhook-signature"
        if self.client.post_raw(path, question).get("verification_status") != "SUCCESS":
            raise InvalidSignature("PayPal didn't send it.")
        return events.read(event, self._order_of)

    def _read(self, order: Mapping[str, Any]) -> GatewayState:
        return _state(order, is_test=self.is_test_account)

    def _order(self, provider_id: str) -> Any:
        return self.client.get(ORDER, provider_id)

    def _order_of(self, capture_id: str) -> str:
        """The order of a capture; "" if there is no such capture of ours."""
        try:
            capture = self.client.get("/v2/payments/captures/{}", capture_id)
        except GatewayError as error:
            if error.permanent:
                return ""
            raise
        return events.related_order(capture)


def _payments(order: Mapping[str, Any]) -> dict[str, Any]:
    return order["purchase_units"][0].get("payments") or {}


def _open_authorization(order: Mapping[str, Any]) -> dict[str, Any] | None:
    payments = _payments(order)
    counts = [c for c in payments.get("captures", []) if c["status"] not in ("DECLINED", "FAILED")]
    if any(capture.get("final_capture") for capture in counts):
        return None
    found = payments.get("authorizations", [])
    return next((a for a in found if a["status"] in ("CREATED", "PARTIALLY_CAPTURED")), None)


def _refund_state(given: Sequence[Mapping[str, Any]]) -> RefundState:
    """Of a refund, made of one of PayPal's or several."""
    told = {_REFUNDS.get(each["status"], "failed") for each in given}
    status = next(each for each in ("failed", "pending", "succeeded") if each in told)
    return RefundState(given[-1]["id"], status)


def _state(order: Mapping[str, Any], *, is_test: bool) -> GatewayState:
    unit = order["purchase_units"][0]
    sums = amounts.sums_of(_payments(order))
    state = _state_of(order, sums)
    waits = state == State.REQUIRES_ACTION
    approved = waits and order["status"] == "APPROVED"
    links = {link["rel"]: link["href"] for link in order.get("links", [])}
    page = links.get("payer-action") or links.get("approve") or ""
    return GatewayState(
        provider_id=order["id"],
        state=state,
        amount=amounts.from_paypal(unit["amount"]),
        currency=unit["amount"]["currency_code"],
        authorized=max(sums.authorized, sums.captured),
        captured=sums.captured,
        refunded=sums.refunded,
        reference=unit.get("custom_id", ""),
        redirect_url=page if waits and not approved else "",
        error_code="declined" if state == State.FAILED else "",
        is_test=is_test,
        approved=approved,
        captures_several=True,
    )


def _state_of(order: Mapping[str, Any], sums: amounts.Sums) -> State:
    payments = _payments(order)
    statuses = {each["status"] for kind in payments.values() for each in kind}
    if sums.captured:
        is_open = _open_authorization(order) or _reviewed(payments)
        return State.AUTHORIZED if is_open else State.CAPTURED
    if "PENDING" in statuses:
        return State.PROCESSING
    if sums.authorized:
        return State.AUTHORIZED
    if "VOIDED" in statuses or order["status"] == "VOIDED":
        return State.VOIDED
    return State.FAILED if statuses else State.REQUIRES_ACTION


def _reviewed(payments: Mapping[str, Any]) -> bool:
    """Whether PayPal still looks at one capture of several."""
    return any(each["status"] == "PENDING" for each in payments.get("captures", []))
