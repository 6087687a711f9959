"""Returns as the API shapes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet

from apps.core.money import money_json
from apps.orders.models import Order
from apps.returns import states
from apps.returns.models import ReturnLabel, ReturnRequest
from apps.returns.selectors.exchanges import Choice
from apps.returns.selectors.photos import photo_json
from apps.returns.selectors.refunds import Estimate
from apps.returns.selectors.terms import Terms

_AMOUNTS = ("goods", "fee", "label", "shipping", "refund")


def returns_for_reading() -> QuerySet[ReturnRequest]:
    """Returns with everything that is shown of one, in a constant number of queries."""
    found = ReturnRequest.objects.select_related("order__store", "location", "replacement_order")
    return found.prefetch_related(
        _labels(),
        *("lines__order_line", "lines__replacement__product", "lines__inspections__location"),
        *("timeline", "photos", "payouts__refund__payment"),
    )


def _labels() -> Prefetch:
    """Without the papers themselves."""
    return Prefetch("labels", ReturnLabel.objects.defer("document").select_related("location"))


def return_json(request: ReturnRequest, *, for_staff: bool = False) -> dict[str, Any]:
    """The document of a return. Staff also see the inspections, who did what, what may come next.

    `request` comes from `returns_for_reading()`.
    """
    currency = request.order.currency
    document = {
        "id": str(request.public_id),
        "number": request.number,
        "order": request.order.number,
        "kind": request.kind,
        "status": request.status,
        "refund_to": request.refund_to,
        "shipping_paid_by": request.shipping_paid_by,
        "note": request.note,
        "reason": request.reason,
        "lines": [_line(line, for_staff) for line in request.lines.all()],
        "amounts": {
            n: money_json(getattr(request, f"{n}_amount"), currency) for n in (*_AMOUNTS, "credit")
        }
        if request.settled_at
        else None,
        "label": _label(request, for_staff),
        "replacement": _replacement(request.replacement_order),
        "photos": [photo_json(photo) for photo in request.photos.all()],
        "timeline": [_entry(entry, for_staff) for entry in request.timeline.all()],
        "created_at": request.created_at,
        "refunded_at": request.refunded_at,
    }
    if for_staff:
        document |= {
            "email": request.order.email,
            "location": request.location.code if request.location else None,
            "payouts": [_payout(payout, currency) for payout in request.payouts.all()],
            "allowed_events": states.allowed_events(request.status),
        }
    return document


def _label(request: ReturnRequest, for_staff: bool) -> dict[str, Any] | None:
    label = request.label
    if label is None:
        return None
    row = {
        "status": label.status,
        "carrier": label.carrier_name or label.carrier,
        "tracking_number": label.tracking_number,
        "tracking_url": label.tracking_url,
        "parcel_status": label.parcel_status,
    }
    if for_staff:
        row |= {
            "service": label.service,
            "location": label.location.code,
            "price": money_json(label.amount, label.currency) if label.currency else None,
            "is_deducted": label.is_deducted,
            "error": label.error,
        }
    return row


def _replacement(order: Order | None) -> dict[str, Any] | None:
    if order is None:
        return None
    return {
        "order": order.number,
        "status": order.status,
        "total": money_json(order.total, order.currency),
    }


def _line(line: Any, for_staff: bool) -> dict[str, Any]:
    row = {
        "id": str(line.public_id),
        "order_line": str(line.order_line.public_id),
        "sku": line.order_line.sku,
        "name": line.order_line.name,
        "quantity": line.quantity,
        "received_quantity": line.received_quantity,
        "accepted_quantity": line.accepted_quantity,
        "reason": line.reason,
        "condition": line.condition,
        "exchange_for": line.replacement.sku if line.replacement else "",
    }
    if for_staff:
        row["inspections"] = [
            {"outcome": i.outcome, "quantity": i.quantity, "location": i.location.code}
            for i in line.inspections.all()
        ]
    return row


def _entry(entry: Any, for_staff: bool) -> dict[str, Any]:
    row = {"kind": entry.kind, "message": entry.message, "created_at": entry.created_at}
    return {**row, "actor": entry.actor} if for_staff else row


def _payout(payout: Any, currency: str) -> dict[str, Any]:
    refund = payout.refund
    return {
        "amount": money_json(payout.amount, currency),
        "payment": str(refund.payment.public_id) if refund else None,
        "status": refund.status if refund else "succeeded",
    }


def terms_json(terms: Terms, choices: Sequence[Choice]) -> dict[str, Any]:
    """What may be done with a line of an order, on what terms, and what it may be exchanged for."""
    policy, line = terms.policy, terms.line
    return {
        "order_line": str(line.public_id),
        "sku": line.sku,
        "name": line.name,
        "pieces": terms.pieces,
        "may_return": terms.may_return,
        "may_withdraw": terms.may_withdraw,
        "return_until": terms.return_until,
        "withdraw_until": terms.withdraw_until,
        "condition": policy.condition,
        "is_final_sale": policy.is_final_sale,
        "fee_percent": str(policy.fee_percent),
        "fee_fixed": money_json(policy.fee_fixed, policy.store.default_currency),
        "shipping_paid_by": policy.shipping_paid_by,
        "exchange_for": [{"sku": choice.sku, "label": choice.label} for choice in choices],
    }


def estimate_json(found: Estimate, currency: str) -> dict[str, Any]:
    """What a return would give back, and what its replacement would cost."""
    names = ("paid", *_AMOUNTS, "credit", "to_pay")
    replacement = found.replacement
    return {
        **{name: money_json(getattr(found, name), currency) for name in names},
        "replacement": None if replacement is None else money_json(replacement, currency),
    }
