"""What Stripe's webhooks tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from apps.payments.gateways.base import DisputeState, WebhookEvent
from apps.payments.gateways.stripe.amounts import from_stripe

# News of a saved method that change what we know of it.
_METHOD_NEWS = {
    "payment_method.automatically_updated",
    "payment_method.detached",
    "payment_method.updated",
}


def read_event(event: Any) -> WebhookEvent:
    """A verified event, as it was sent: https://docs.stripe.com/api/events/object.

    Raises ValueError for what is none.
    """
    data = event.get("data") if isinstance(event, dict) else None
    obj = data.get("object") if isinstance(data, dict) else None
    if not isinstance(obj, dict):
        raise ValueError("This isn't an event of Stripe's.")
    kind, name = obj.get("object"), event.get("type", "")
    provider_id = obj.get("id" if kind == "payment_intent" else "payment_intent")
    dispute = None
    if kind == "dispute":
        currency = str(obj.get("currency", "")).upper()
        dispute = DisputeState(
            provider_id=obj.get("id", ""),
            amount=from_stripe(obj.get("amount", 0), currency),
            reason=obj.get("reason", ""),
            status=obj.get("status", ""),
            fee=from_stripe(sum(b["fee"] for b in obj.get("balance_transactions", [])), currency),
            due_at=_moment((obj.get("evidence_details") or {}).get("due_by")),
        )
    return WebhookEvent(
        event_id=str(event.get("id", "")),
        type=name,
        provider_id=provider_id if isinstance(provider_id, str) else "",
        method_id=obj.get("id", "") if name in _METHOD_NEWS else "",
        dispute=dispute,
        payload={
            "livemode": event.get("livemode"),
            "object": kind,
            "created": event.get("created"),
        },
    )


def _moment(stamp: int | None) -> str:
    return datetime.fromtimestamp(stamp, UTC).isoformat() if stamp else ""
