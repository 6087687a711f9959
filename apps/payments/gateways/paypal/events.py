"""PayPal's webhooks: the question whether one is genuine, and what it tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from apps.payments.gateways.base import DisputeState, InvalidSignature, WebhookEvent
from apps.payments.gateways.paypal.amounts import from_paypal

_HEADERS = {
    "auth_algo": "PAYPAL-AUTH-ALGO",
    "cert_url": "PAYPAL-CERT-URL",
    "transmission_id": "PAYPAL-TRANSMISSION-ID",
    "transmission_sig": "PAYPAL-TRANSMISSION-SIG",
    "transmission_time": "PAYPAL-TRANSMISSION-TIME",
}


def question(headers: Mapping[str, str], body: bytes, webhook_id: str) -> bytes:
    """What `verify-webhook-signature` is asked. The event goes in byte for byte: the signature
    covers it as it was sent. Raises InvalidSignature if a header is missing."""
    fields = {name: headers.get(header, "")[:500] for name, header in _HEADERS.items()}
    if not all(fields.values()):
        raise InvalidSignature("A header is missing.")
    start = json.dumps({**fields, "webhook_id": webhook_id}).encode()
    return start[:-1] + b', "webhook_event": ' + body + b"}"


def read(event: Mapping[str, Any], order_of: Callable[[str], str]) -> WebhookEvent:
    """What an event tells; `order_of` finds the order of a capture."""
    resource = event.get("resource") or {}
    kind = str(event.get("resource_type", ""))
    return WebhookEvent(
        event_id=str(event.get("id", "")),
        type=str(event.get("event_type", "")),
        provider_id=_order_id(kind, resource, order_of),
        dispute=_dispute(resource) if kind == "dispute" else None,
        payload={
            "object": kind,
            "created": event.get("create_time"),
            "resource": resource.get("id") or resource.get("dispute_id"),
        },
    )


def related_order(resource: Mapping[str, Any]) -> str:
    related = (resource.get("supplementary_data") or {}).get("related_ids") or {}
    return str(related.get("order_id", ""))


def _order_id(kind: str, resource: Mapping[str, Any], order_of: Callable[[str], str]) -> str:
    if kind == "checkout-order":
        return str(resource.get("id", ""))
    if kind in ("capture", "authorization"):
        return related_order(resource)
    if kind == "refund":
        ups = [link["href"] for link in resource.get("links", []) if link.get("rel") == "up"]
        return related_order(resource) or (order_of(ups[0].rpartition("/")[2]) if ups else "")
    if kind == "dispute":
        transactions = resource.get("disputed_transactions") or [{}]
        capture = transactions[0].get("seller_transaction_id", "")
        return order_of(capture) if capture else ""
    return ""


def _dispute(resource: Mapping[str, Any]) -> DisputeState:
    money = resource.get("dispute_amount")
    return DisputeState(
        provider_id=str(resource.get("dispute_id", "")),
        amount=from_paypal(money) if money else 0,
        reason=str(resource.get("reason", "")).lower()[:60],
        status=str(resource.get("status", "")).lower()[:40],
        due_at=str(resource.get("seller_response_due_date") or ""),
    )
