"""Gateways with their simulators behind one face, for tests that hold for each of them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from decimal import Decimal
from typing import Any

from apps.payments.gateways import gateway
from apps.payments.gateways.paypal.simulator import PayPalSimulator
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.payments.models import Payment
from tests.flows.conftest import sign


class Bench(ABC):
    """One gateway, and what its customers and its bank do. Sums in cents of euro."""

    code: str

    def __init__(self, simulator: Any) -> None:
        self.simulator = simulator

    @abstractmethod
    def good(self) -> str:
        """The method that pays."""

    @abstractmethod
    def asking(self) -> str:
        """The method that has to be approved."""

    @abstractmethod
    def approve(self, payment: Payment) -> None:
        """The customer says yes at the gateway; nobody is told yet."""

    @abstractmethod
    def sums(self) -> tuple[int, int]:
        """What the gateway took and gave back."""

    @abstractmethod
    def news(self, payment: Payment) -> dict[str, Any]:
        """The event that tells of the customer's yes."""

    @abstractmethod
    def headers(self, body: bytes) -> dict[str, str]:
        """The gateway's own signature."""

    @abstractmethod
    def stray(self, payment: Payment, amount: int) -> dict[str, Any]:
        """A genuine event of somebody's payment of `amount` that names ours."""

    def lose_charge(self) -> None:
        self.simulator.add_fault(self.simulator.lost_charge())
        self.simulator.add_fault(self.simulator.lost_charge())

    def deliver(self, client: Any, event: dict[str, Any]) -> Any:
        body = json.dumps(event).encode()
        url = f"/api/v1/webhooks/{self.code}/"
        return client.generic(
            "POST", url, body, content_type="application/json", headers=self.headers(body)
        )


class StripeBench(Bench):
    code = "stripe"
    simulator: StripeSimulator

    def good(self) -> str:
        return "pm_card_visa"

    def asking(self) -> str:
        return "pm_card_threeDSecure2Required"

    def approve(self, payment: Payment) -> None:
        self.simulator.complete_action(payment.provider_id or "")

    def sums(self) -> tuple[int, int]:
        state = self.simulator.state()
        return state["captured"].get("eur", 0), state["refunded"].get("eur", 0)

    def news(self, payment: Payment) -> dict[str, Any]:
        return self.simulator.events("payment_intent.succeeded")[-1]

    def headers(self, body: bytes) -> dict[str, str]:
        return {"Stripe-Signature": sign(body)}

    def stray(self, payment: Payment, amount: int) -> dict[str, Any]:
        client: Any = gateway("stripe")
        client.client.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": "eur",
                "metadata": {"payment": str(payment.public_id)},
                "payment_method": "pm_card_visa",
                "confirm": True,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            }
        )
        return self.simulator.events("payment_intent.succeeded")[-1]


class PayPalBench(Bench):
    code = "paypal"
    simulator: PayPalSimulator

    def good(self) -> str:
        return ""

    def asking(self) -> str:
        return ""

    def approve(self, payment: Payment) -> None:
        self.simulator.approve(payment.provider_id or "")

    def sums(self) -> tuple[int, int]:
        state = self.simulator.state()
        return _cents(state["captured"]), _cents(state["refunded"])

    def news(self, payment: Payment) -> dict[str, Any]:
        return self.simulator.events("CHECKOUT.ORDER.APPROVED")[-1]

    def headers(self, body: bytes) -> dict[str, str]:
        return self.simulator.sign(body)

    def stray(self, payment: Payment, amount: int) -> dict[str, Any]:
        client: Any = gateway("paypal")
        unit = {
            "custom_id": str(payment.public_id),
            "amount": {"currency_code": "EUR", "value": str(Decimal(amount) / 100)},
        }
        order = client.client.post(
            "/v2/checkout/orders", content={"intent": "CAPTURE", "purchase_units": [unit]}
        )
        self.simulator.approve(order["id"])
        return self.simulator.events("CHECKOUT.ORDER.APPROVED")[-1]


def _cents(sums: dict[str, str]) -> int:
    return int(Decimal(sums.get("EUR", "0")) * 100)
