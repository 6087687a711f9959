"""Stripe's minor units and ours."""

from __future__ import annotations

from apps.core.money import exponent
from apps.payments.gateways.base import GatewayError

# https://docs.stripe.com/currencies#special-cases: for Stripe, ISK and UGX have two decimals
# (always "00"), and amounts with three decimals end in 0.
_TWO_AT_STRIPE = frozenset({"ISK", "UGX"})


def to_stripe(amount: int, currency: str) -> int:
    """Raises GatewayError for what Stripe doesn't take."""
    if currency in _TWO_AT_STRIPE:
        return amount * 100
    if exponent(currency) == 3 and amount % 10:
        raise GatewayError(
            f"Stripe takes {currency} in steps of 0.010.", code="amount_step", permanent=True
        )
    return amount


def from_stripe(amount: int, currency: str) -> int:
    return amount // 100 if currency in _TWO_AT_STRIPE else amount
