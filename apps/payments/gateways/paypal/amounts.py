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


def given(refunds: Sequence[Mapping[str, Any]]) -> int:
    """What these refunds give back, or will."""
    return _sum(refunds, _GIVEN)


def lay_out(payments: Mapping[str, Any], amount: int) -> list[tuple[str, dict[str, str]]]:
    """`amount` over the captures of an order that have something left, the last one first: each
    capture's id, and PayPal's money. Less than `amount` where less is left."""
    parts = []
    for capture in reversed(payments.get("captures", [])):
        if capture["status"] not in TAKEN:
            continue
        money = capture["amount"]
        ups = f"/captures/{capture['id']}"
        mine = [
            refund
            for refund in payments.get("refunds", [])
            if any(link["href"].endswith(ups) for link in refund.get("links", []))
        ]
        part = min(amount, from_paypal(money) - given(mine))
        if part > 0:
            parts.append((str(capture["id"]), to_paypal(part, money["currency_code"])))
            amount -= part
    return parts


def _sum(rows: Sequence[Mapping[str, Any]], statuses: Sequence[str]) -> int:
    return sum(from_paypal(row["amount"]) for row in rows if row["status"] in statuses)
