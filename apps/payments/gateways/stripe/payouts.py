"""Stripe's payouts, and the balance transactions that each is made of.

https://docs.stripe.com/payouts/reconciliation: only automatic payouts have transactions of their
own, known once `reconciliation_status` is "completed".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from apps.payments.gateways.base import PayoutLineState, PayoutState
from apps.payments.gateways.stripe.amounts import from_stripe

_STATUSES = {"canceled": "cancelled"}
# https://docs.stripe.com/reports/balance-transaction-types
_KINDS = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund",
    "payment_failure_refund": "refund",
    "stripe_fee": "fee",
    "tax_fee": "fee",
    "stripe_fx_fee": "fee",
}


def window(since: date, until: date) -> dict[str, int]:
    """Stripe's bounds of these days, both included, in UTC."""
    first = datetime.combine(since, time(), UTC)
    after = datetime.combine(until + timedelta(days=1), time(), UTC)
    return {"gte": int(first.timestamp()), "lt": int(after.timestamp())}


def read_payout(row: Mapping[str, Any]) -> PayoutState:
    currency = row["currency"].upper()
    return PayoutState(
        provider_id=row["id"],
        amount=from_stripe(row["amount"], currency),
        currency=currency,
        arrives_on=datetime.fromtimestamp(row["arrival_date"], UTC).date(),
        status=_STATUSES.get(row["status"], row["status"]),
        is_complete=row["automatic"] and row["reconciliation_status"] == "completed",
        is_test=not row["livemode"],
    )


def read_line(row: Mapping[str, Any]) -> PayoutLineState:
    """A balance transaction, with its source."""
    currency = row["currency"].upper()
    source = row["source"] if isinstance(row["source"], dict) else {}
    payment = source.get("payment_intent")
    is_refund = source.get("object") == "refund"
    is_dispute = row["type"] == "adjustment" and source.get("object") == "dispute"
    return PayoutLineState(
        provider_id=row["id"],
        kind="dispute" if is_dispute else _KINDS.get(row["type"], "other"),
        gross=from_stripe(row["amount"], currency),
        fee=from_stripe(row["fee"], currency),
        net=from_stripe(row["net"], currency),
        booked_at=datetime.fromtimestamp(row["created"], UTC),
        payment_id=payment if isinstance(payment, str) else "",
        refund_id=source["id"] if is_refund else "",
        description=row["description"] or "",
    )
