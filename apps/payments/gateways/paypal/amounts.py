"""PayPal's decimals and ours, and what an order's payments sum up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.money import to_decimal, to_minor
from apps.payments.gateways.base import GatewayError

# https://developer.paypal.com/reference/currency-codes/: PayPal takes no decimals of these.
_WHOLE = frozenset({"HUF", "JPY", "TWD"})
TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
_GIVEN = ("COMPLETED", "PENDING")
_AUTHORIZED = ("CREATED", "CAPTURED", "PARTIALLY_CAPTURED")


@dataclass(frozen=True, slots=True)
class Sums:
    """Minor units."""

    authorized: int
    captured: int
    refunded: int


def to_paypal(amount: int, currency: str) -> dict[str, str]:
    """PayPal's money of minor units. Raises GatewayError for decimals that PayPal doesn't take."""
    value = to_decimal(amount, currency)
    if currency in _WHOLE:
        if value != value.to_integral_value():
            raise GatewayError(
                f"PayPal takes whole {currency} only.", code="amount_step", permanent=True
            )
        value = value.to_integral_value()
    return {"currency_code": currency, "value": f"{value:f}"}


def from_paypal(money: Mapping[str, str]) -> int:
    return to_minor(money["value"], money["currency_code"])


def sums_of(payments: Mapping[str, Any]) -> Sums:
    """What the authorizations, captures and refunds of an order come to."""
    authorizations = payments.get("authorizations", [])
    return Sums(
        authorized=_sum(authorizations, _AUTHORIZED),
        captured=_sum(payments.get("captures", []), TAKEN),
        refunded=_sum(payments.get("refunds", []), _GIVEN),
    )


def _sum(rows: Sequence[Mapping[str, Any]], statuses: Sequence[str]) -> int:
    return sum(from_paypal(row["amount"]) for row in rows if row["status"] in statuses)
