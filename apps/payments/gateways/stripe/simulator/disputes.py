"""Disputes: money withdrawn by the cardholder's bank, and how they end ("Disputes")."""

from __future__ import annotations

from apps.payments.gateways.simulation.store import now
from apps.payments.gateways.simulation.wire import JsonObject

from .charges import book
from .errors import invalid, refused
from .params import Params
from .routing import Route, expanded, matching, page
from .store import new_id
from .wire import Call
from .world import World

REASONS = (
    "bank_cannot_process",
    "check_returned",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "noncompliant",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
CLOSED = ("won", "lost", "warning_closed")
# Withdrawn with the money, and not given back with it.
FEE = 1500
WEEK = 7 * 24 * 3600
# What the text of the evidence decides in test mode ("Testing", disputes).
_WINNING, _LOSING = "winning_evidence", "losing_evidence"


def open_dispute(
    world: World,
    charge: JsonObject,
    reason: str,
    amount: int | None = None,
    *,
    inquiry: bool = False,
) -> JsonObject:
    """Dispute a captured charge, by default over all that was not refunded (minor units).

    An inquiry withdraws no funds. Raises StripeError (400) when there is nothing to dispute.
    """
    open_amount = charge["amount"] - charge["amount_refunded"]
    if not charge["captured"] or charge["disputed"] or open_amount <= 0:
        raise refused(f"Charge {charge['id']} cannot be disputed.")
    if amount is not None and not 0 < amount <= open_amount:
        raise invalid("The disputed amount must be positive and at most what is left.", "amount")
    if reason not in REASONS:
        raise invalid(f"Invalid reason: {reason}", "reason")
    dispute = _new_dispute(charge, reason, amount or open_amount, inquiry=inquiry)
    world.store.add(dispute)
    charge["disputed"] = True
    if not inquiry:
        _book(world, dispute, -dispute["amount"])
    world.emit("charge.dispute.created", dispute)
    if not inquiry:
        world.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close_dispute(world: World, dispute: JsonObject, status: str) -> None:
    """End a dispute: `won` gives the funds back, `lost` does not. Raises StripeError (400)."""
    if status not in CLOSED:
        raise invalid("Invalid status: must be one of won, lost, or warning_closed", "status")
    if dispute["status"] in CLOSED:
        raise refused("This dispute is already closed.")
    dispute["status"] = status
    dispute["is_charge_refundable"] = status != "lost"
    reinstated = status == "won" and bool(dispute["balance_transactions"])
    if reinstated:
        _book(world, dispute, dispute["amount"])
    world.emit("charge.dispute.closed", dispute)
    if reinstated:
        world.emit("charge.dispute.funds_reinstated", dispute)


def blocking(world: World, charge: JsonObject) -> bool:
    """Whether a dispute keeps the charge from being refunded."""
    return any(
        row["charge"] == charge["id"] and row["status"] not in ("won", "warning_closed")
        for row in world.store.rows("dispute")
        if not row["status"].startswith("warning_")
    )


def _new_dispute(charge: JsonObject, reason: str, amount: int, *, inquiry: bool) -> JsonObject:
    brand = charge["payment_method_details"].get("card", {}).get("brand", "visa")
    return {
        "id": new_id("dispute"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now() + WEEK,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": brand,
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": brand,
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def _book(world: World, dispute: JsonObject, amount: int) -> None:
    row = world.store.tables["balance_transaction"][book(world, dispute, amount, "adjustment")]
    if amount < 0:
        row |= {"fee": FEE, "net": amount - FEE}
    dispute["balance_transactions"].append(row)


def _retrieve(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    return expanded(world, world.store.named("dispute", call.ids[0]), call)


def _list(world: World, call: Call) -> JsonObject:
    rows = matching(world.store.rows("dispute"), call, "charge", "payment_intent")
    return expanded(world, page(rows, call), call)


def _update(world: World, call: Call) -> JsonObject:
    dispute = world.store.named("dispute", call.ids[0])
    params = Params(call.params)
    params.only(("evidence", "metadata", "submit", "expand"))
    evidence = params.nested("evidence")
    evidence.only(EVIDENCE)
    # `submit` is true unless told otherwise ("Update a dispute").
    submit = params.boolean("submit") is not False and params.given("evidence")
    if dispute["status"] in CLOSED and params.given("evidence"):
        raise refused("This dispute is already closed.")
    dispute["metadata"] = params.metadata(dispute["metadata"])
    for name in evidence.values:
        dispute["evidence"][name] = evidence.text(name, 150_000)
    details = dispute["evidence_details"]
    details["has_evidence"] = any(dispute["evidence"].get(name) for name in EVIDENCE)
    if submit:
        details["submission_count"] += 1
        prefix = "warning_" if dispute["status"].startswith("warning_") else ""
        dispute["status"] = f"{prefix}under_review"
    world.emit("charge.dispute.updated", dispute)
    if submit and dispute["evidence"]["uncategorized_text"] in (_WINNING, _LOSING):
        won = dispute["evidence"]["uncategorized_text"] == _WINNING
        close_dispute(world, dispute, "won" if won else "lost")
    return expanded(world, dispute, call)


def _close(world: World, call: Call) -> JsonObject:
    """Closing is giving in: the dispute is lost ("Close a dispute")."""
    Params(call.params).only(("expand",))
    dispute = world.store.named("dispute", call.ids[0])
    inquiry = dispute["status"].startswith("warning_")
    close_dispute(world, dispute, "warning_closed" if inquiry else "lost")
    return expanded(world, dispute, call)


ROUTES = [
    Route("GET", "/v1/disputes", _list),
    Route("GET", "/v1/disputes/{}", _retrieve),
    Route("POST", "/v1/disputes/{}", _update),
    Route("POST", "/v1/disputes/{}/close", _close),
]
