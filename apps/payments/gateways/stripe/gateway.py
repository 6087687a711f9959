"""Stripe by PaymentIntents with automatic payment methods: cards, Apple Pay, Google Pay and more.

https://docs.stripe.com/payments/payment-intents. Card numbers never reach this process: the
shopper's browser gives them to Stripe (SAQ A).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any

import stripe
from django.utils.translation import gettext_lazy as _

from apps.payments.gateways.base import (
    BrowserForm,
    Gateway,
    GatewayError,
    GatewayState,
    InvalidSignature,
    PayoutLineState,
    PayoutState,
    RefundState,
    SavedCard,
    StartRequest,
    State,
    WebhookEvent,
)
from apps.payments.gateways.stripe import payouts
from apps.payments.gateways.stripe.amounts import from_stripe, to_stripe
from apps.payments.gateways.stripe.webhooks import read_event

TIMEOUT_SECONDS = 8
TOLERANCE_SECONDS = 300
_PAGE = 100
_NOT_ELIGIBLE = "not eligible for the requested card features"
_API = "https://api.stripe.com"
_JS = ("https://js.stripe.com", "https://*.js.stripe.com")
_POLICY = {
    "script-src": _JS,
    "frame-src": (*_JS, "https://hooks.stripe.com"),
    "connect-src": ("'self'", _API),
}
_STATES = {
    "requires_payment_method": State.REQUIRES_ACTION,
    "requires_confirmation": State.REQUIRES_ACTION,
    "requires_action": State.REQUIRES_ACTION,
    "processing": State.PROCESSING,
    "requires_capture": State.AUTHORIZED,
    "succeeded": State.CAPTURED,
    "canceled": State.VOIDED,
}
# https://docs.stripe.com/testing
_TEST_CARDS = (
    ("pm_card_visa", _("Test card that pays")),
    ("pm_card_threeDSecure2Required", _("Test card that asks for 3-D Secure")),
    ("pm_card_chargeDeclined", _("Test card that is declined")),
)
_REASONS = {"duplicate", "fraudulent", "requested_by_customer"}


class StripeGateway(Gateway):
    code = "stripe"
    can_save = True
    missing_codes = ("resource_missing",)
    secrets = ("STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRETS")
    options = ("STRIPE_API_BASE", "STRIPE_CAPTURE_METHOD")
    money_events = ("payment_intent.", "charge.", "refund.")
    tells_payouts = True

    @property
    def is_configured(self) -> bool:
        return bool(self.setting("STRIPE_SECRET_KEY"))

    @property
    def is_test_account(self) -> bool:
        return self.setting("STRIPE_SECRET_KEY").startswith(("sk_test_", "rk_test_"))

    @property
    def address(self) -> str:
        return self.setting("STRIPE_API_BASE")

    @property
    def captures_shipments(self) -> bool:
        return self.setting("STRIPE_CAPTURE_METHOD") == "shipment"

    @property
    def plain_methods(self) -> list[tuple[str, Any]]:
        """Stripe's test cards, with a test key; cards that are real only its script may ask for."""
        return list(_TEST_CARDS) if self.is_test_account else []

    @property
    def browser_form(self) -> BrowserForm | None:
        """The Payment Element, where there is a publishable key.

        Stripe.js must come from Stripe; the simulator has a stand-in of its own. Sources:
        https://docs.stripe.com/security/guide#content-security-policy
        """
        if not (self.is_configured and self.setting("STRIPE_PUBLISHABLE_KEY")):
            return None
        base = self.setting("STRIPE_API_BASE")
        simulated = base != _API
        policy = dict.fromkeys(_POLICY, (base,)) if simulated else _POLICY
        return BrowserForm(
            name=_("Card, Apple Pay, Google Pay and more"),
            script=f"{base}/v3/" if simulated else "https://js.stripe.com/v3/",
            driver="shop/stripe.js",
            key=self.setting("STRIPE_PUBLISHABLE_KEY"),
            policy=policy,
        )

    @cached_property
    def client(self) -> stripe.StripeClient:
        return stripe.StripeClient(
            self.setting("STRIPE_SECRET_KEY"),
            base_addresses={"api": self.setting("STRIPE_API_BASE")},
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
            max_network_retries=1,
        )

    def start(self, request: StartRequest) -> GatewayState:
        params: Any = {
            "amount": to_stripe(request.amount, request.currency),
            "currency": request.currency.lower(),
            "automatic_payment_methods": {"enabled": True},
            "description": request.description,
            "receipt_email": request.email,
            "metadata": {"payment": request.key},
            "expand": ["latest_charge"],
        }
        if request.customer:
            params["customer"] = request.customer
        if request.save_method:
            params["setup_future_usage"] = "off_session"
        if self.setting("STRIPE_CAPTURE_METHOD") in ("manual", "shipment"):
            params["capture_method"] = "manual"
            # https://docs.stripe.com/payments/multicapture
            params["payment_method_options"] = {"card": {"request_multicapture": "if_available"}}
        if request.method:
            params |= {"payment_method": request.method, "confirm": True}
            if request.off_session:
                params["off_session"] = True
            if request.return_url:
                params["return_url"] = request.return_url
            else:
                params["automatic_payment_methods"]["allow_redirects"] = "never"
        try:
            return _state(self._create(params, request.key))
        except _Declined as declined:
            return declined.state(request)

    def _create(self, params: Any, key: str) -> Any:
        try:
            return self._call(
                lambda: self.client.v1.payment_intents.create(params, {"idempotency_key": key})
            )
        except GatewayError as error:
            if "payment_method_options" not in params or _NOT_ELIGIBLE not in str(error):
                raise
        # An account without multicapture: one capture it is.
        params = {name: value for name, value in params.items() if name != "payment_method_options"}
        return self._create(params, f"{key}-once")

    def fetch(self, provider_id: str) -> GatewayState:
        return _state(
            self._call(
                lambda: self.client.v1.payment_intents.retrieve(
                    provider_id, {"expand": ["latest_charge"]}
                )
            )
        )

    def capture(
        self, provider_id: str, *, amount: int, key: str, final: bool = True
    ) -> GatewayState:
        currency = self.fetch(provider_id).currency
        params: Any = {
            "amount_to_capture": to_stripe(amount, currency),
            "expand": ["latest_charge"],
            # Only multicapture knows the word.
            **({} if final else {"final_capture": False}),
        }
        return self._capture(provider_id, params, key)

    def _capture(self, provider_id: str, params: Any, key: str) -> GatewayState:
        return _state(
            self._call(
                lambda: self.client.v1.payment_intents.capture(
                    provider_id, params, {"idempotency_key": key}
                )
            )
        )

    def void(self, provider_id: str, *, key: str) -> GatewayState:
        now = self.fetch(provider_id)
        if now.state == State.CAPTURED and now.captured < now.amount:
            # It is let go already.
            return now
        if now.captured and now.state == State.AUTHORIZED:
            # What multicapture left is let go by a last capture of nothing.
            params = {"amount_to_capture": 0, "final_capture": True, "expand": ["latest_charge"]}
            return self._capture(provider_id, params, key)
        return _state(
            self._call(
                lambda: self.client.v1.payment_intents.cancel(
                    provider_id, {"expand": ["latest_charge"]}, {"idempotency_key": key}
                )
            )
        )

    def refund(self, provider_id: str, *, amount: int, reason: str, key: str) -> RefundState:
        currency = self.fetch(provider_id).currency
        refund = self._call(
            lambda: self.client.v1.refunds.create(
                {
                    "payment_intent": provider_id,
                    "amount": to_stripe(amount, currency),
                    "reason": reason if reason in _REASONS else "requested_by_customer",
                    "metadata": {"refund": key, "reason": reason[:500]},
                },
                {"idempotency_key": key},
            )
        )
        status = refund.status if refund.status in ("succeeded", "failed") else "pending"
        return RefundState(provider_id=refund.id, status=status)

    def create_customer(self, *, key: str, email: str) -> str:
        customer = self._call(
            lambda: self.client.v1.customers.create(
                {"email": email, "metadata": {"customer": key}}, {"idempotency_key": key}
            )
        )
        return str(customer.id)

    def saved_card(self, method_id: str) -> SavedCard | None:
        try:
            method = self._call(lambda: self.client.v1.payment_methods.retrieve(method_id))
        except GatewayError as error:
            if error.code in self.missing_codes:
                return None
            raise
        data = method.to_dict()
        return _card(data.get("customer"), data["id"], data)

    def detach(self, method_id: str) -> None:
        try:
            self._call(lambda: self.client.v1.payment_methods.detach(method_id))
        except GatewayError as error:
            # Refused: it may be detached already.
            if not error.permanent or self.saved_card(method_id):
                raise

    def payouts(self, *, since: date, until: date) -> Iterator[PayoutState]:
        params: Any = {"arrival_date": payouts.window(since, until), "limit": _PAGE}
        for row in self._each(self.client.v1.payouts.list, params):
            yield payouts.read_payout(row)

    def payout_lines(self, provider_id: str) -> Iterator[PayoutLineState]:
        params: Any = {"payout": provider_id, "expand": ["data.source"], "limit": _PAGE}
        for row in self._each(self.client.v1.balance_transactions.list, params):
            # The payout is a transaction as well.
            if row["type"] not in ("payout", "payout_failure", "payout_cancel"):
                yield payouts.read_line(row)

    def _each(self, ask: Any, params: Any) -> Iterator[dict[str, Any]]:
        page = self._call(lambda: ask(params))
        while True:
            yield from (row.to_dict() for row in page.data)
            if not page.has_more:
                return
            after = {**params, "starting_after": page.data[-1].id}
            page = self._call(lambda after=after: ask(after))

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        signature = headers.get("Stripe-Signature", "")
        if not signature.isascii():
            # The SDK's comparison would raise something else.
            raise InvalidSignature("A signature is hexadecimal.")
        for secret in self.listed("STRIPE_WEBHOOK_SECRETS"):
            try:
                stripe.WebhookSignature.verify_header(
                    body.decode(), signature, secret, TOLERANCE_SECONDS
                )
                break
            except (stripe.SignatureVerificationError, UnicodeDecodeError):
                continue
        else:
            raise InvalidSignature("No secret of ours made this signature.")
        return read_event(json.loads(body))

    @staticmethod
    def _call(call: Any) -> Any:
        try:
            return call()
        except stripe.CardError as error:
            raise _Declined(error) from error
        except (stripe.APIConnectionError, stripe.RateLimitError) as error:
            raise GatewayError(str(error), code="gateway_unreachable", permanent=False) from error
        except stripe.StripeError as error:
            # 409 and 5xx: the first call with this key may still be running, or have worked.
            status = error.http_status or 500
            permanent = status < 500 and status != 409
            code = error.code or "gateway_error"
            raise GatewayError(str(error), code=code, permanent=permanent) from error


class _Declined(GatewayError):
    def __init__(self, error: stripe.CardError) -> None:
        super().__init__(
            error.user_message or str(error), code=error.code or "card_declined", permanent=True
        )
        answer: Any = error.json_body or {}
        body = answer.get("error", {})
        self.decline_code = body.get("decline_code") or self.code
        self.intent = body.get("payment_intent") or {}

    def state(self, request: StartRequest) -> GatewayState:
        return GatewayState(
            provider_id=self.intent.get("id", ""),
            state=State.FAILED,
            amount=request.amount,
            currency=request.currency,
            reference=request.key,
            error_code=self.decline_code,
            error_message=str(self),
            is_test=not self.intent.get("livemode", True),
        )


def _state(intent: stripe.PaymentIntent) -> GatewayState:
    data = intent.to_dict()
    currency = data["currency"].upper()
    received, capturable = data["amount_received"], data["amount_capturable"]
    redirect = (data.get("next_action") or {}).get("redirect_to_url") or {}
    error = data.get("last_payment_error") or {}
    return GatewayState(
        provider_id=data["id"],
        state=_STATES[data["status"]],
        amount=from_stripe(data["amount"], currency),
        currency=currency,
        authorized=from_stripe(received + capturable, currency),
        captured=from_stripe(received, currency),
        refunded=from_stripe(_refunded(data["latest_charge"], capturable), currency),
        reference=(data.get("metadata") or {}).get("payment", ""),
        client_secret=data.get("client_secret") or "",
        redirect_url=redirect.get("url") or "",
        error_code=error.get("decline_code") or error.get("code") or "",
        error_message=error.get("message") or "",
        is_test=not data["livemode"],
        saved=_saved(data),
        captures_several=_multicapture(data["latest_charge"]) == "available",
    )


def _saved(intent: dict[str, Any]) -> SavedCard | None:
    charge = intent["latest_charge"]
    if intent.get("setup_future_usage") != "off_session" or not (charge and charge["paid"]):
        return None
    details = charge.get("payment_method_details") or {}
    return _card(intent.get("customer"), charge["payment_method"], details)


def _card(customer: str | None, method_id: str, details: dict[str, Any]) -> SavedCard | None:
    """What a payment method, or a charge's details of it, tells of a card; None for others."""
    card = details.get("card")
    if not customer or not card:
        return None
    return SavedCard(
        method_id=method_id,
        customer=customer,
        brand=card["brand"] or "",
        last4=card["last4"] or "",
        expiry_month=card["exp_month"],
        expiry_year=card["exp_year"],
    )


def _refunded(charge: dict[str, Any] | None, capturable: int) -> int:
    """What went back of the captured money: Stripe also counts a rest that was let go as
    refunded."""
    if charge is None:
        return 0
    let_go = charge["amount"] - charge["amount_captured"] - capturable
    return max(0, charge["amount_refunded"] - let_go)


def _multicapture(charge: dict[str, Any] | None) -> str:
    card = ((charge or {}).get("payment_method_details") or {}).get("card") or {}
    return str((card.get("multicapture") or {}).get("status", ""))
