"""Refunds: never more than was captured and not yet refunded ("Refunds")."""

from __future__ import annotations

from apps.payments.gateways.simulation.store import now
from apps.payments.gateways.simulation.wire import JsonObject

from . import disputes, payment_methods
from .charges import book
from .currencies import check_currency, display
from .errors import StripeError, invalid, refused
from .params import Params
from .routing import Route, expanded, matching, page
from .store import new_id
from .wire import Call
from .world import World

CREATE = (
    "amount",
    "charge",
    "currency",
    "customer",
    "expand",
    "instructions_email",
    "metadata",
    "origin",
    "payment_intent",
    "reason",
    "refund_application_fee",
    "reverse_transfer",
)
_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def settle(world: World, identifier: str) -> None:
    """The asynchronous end of a refund: a pending one succeeds, a `refundFail` one fails."""
    refund = world.store.get("refund", identifier)
    if refund is None or refund["status"] == "failed":
        return
    finish(world, refund, "succeeded" if refund["status"] == "pending" else "failed")


def finish(world: World, refund: JsonObject, status: str) -> None:
    """Move a refund to `succeeded` or `failed`. A failed one gives the money back to the account.

    Raises StripeError (400) for another status and for a refund that has failed already.
    """
    if status not in ("succeeded", "failed"):
        raise invalid("Invalid status: must be one of succeeded, or failed", "status")
    if refund["status"] == "failed":
        raise refused("This refund has already failed.")
    world.forget_timer(refund["id"])
    refund["status"] = status
    charge = world.store.tables["charge"][refund["charge"]]
    if status == "failed":
        refund["failure_reason"] = "expired_or_canceled_card"
        refund["failure_balance_transaction"] = book(
            world, refund, refund["amount"], "refund_failure"
        )
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        world.emit("refund.failed", refund)
    world.emit("refund.updated", refund)
    world.emit("charge.refund.updated", refund)


def _create(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    params.only(CREATE)
    amount = params.integer("amount", 1)
    reason = params.choice("reason", _REASONS)
    metadata = params.metadata()
    charge = _charge(world, params)
    currency = params.text("currency")
    if currency and check_currency(currency) != charge["currency"]:
        raise invalid("The currency must be the currency of the charge.", "currency")
    refund = _refund(world, charge, _allowed(world, charge, amount), reason, metadata)
    return expanded(world, refund, call)


def _charge(world: World, params: Params) -> JsonObject:
    intent_id, charge_id = params.text("payment_intent"), params.text("charge")
    if not intent_id and not charge_id:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            "payment_intent",
            "parameter_missing",
        )
    if charge_id:
        charge = world.store.referenced("charge", charge_id, "charge")
        if intent_id and charge["payment_intent"] != intent_id:
            raise invalid("The charge does not belong to the payment_intent.", "charge")
        return charge
    intent = world.store.referenced("payment_intent", intent_id or "", "payment_intent")
    found = world.store.get("charge", intent["latest_charge"])
    if found is None or found["status"] != "succeeded":
        raise refused(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            None,
            "payment_intent",
        )
    return found


def _allowed(world: World, charge: JsonObject, amount: int | None) -> int:
    """The amount to refund, in minor units. Raises StripeError (400) for more than is left."""
    if charge["refunded"]:
        raise refused(
            f"Charge {charge['id']} has already been refunded.", "charge_already_refunded"
        )
    if not charge["captured"]:
        raise refused(
            f"Charge {charge['id']} was not captured. Cancel its PaymentIntent "
            f"({charge['payment_intent']}) instead.",
        )
    if disputes.blocking(world, charge):
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            "charge_disputed",
        )
    left = _left(world, charge)
    if amount is not None and amount > left:
        raise _too_much(amount, left, charge["currency"])
    return left if amount is None else amount


def _left(world: World, charge: JsonObject) -> int:
    """What was captured and hasn't gone back; a rest still authorised can't be refunded."""
    intent = world.store.get("payment_intent", charge["payment_intent"])
    capturable = intent["amount_capturable"] if intent else 0
    return int(charge["amount"] - charge["amount_refunded"] - capturable)


def _too_much(amount: int, left: int, currency: str) -> StripeError:
    return refused(
        f"Refund amount ({display(amount, currency)}) is greater than unrefunded amount on "
        f"charge ({display(left, currency)})",
        None,
        "amount",
    )


def _refund(
    world: World, charge: JsonObject, amount: int, reason: str | None, metadata: JsonObject
) -> JsonObject:
    card = payment_methods.card_of(world, charge["payment_method"])
    pending = card is not None and card.refund == "pending"
    refund: JsonObject = {
        "id": new_id("refund"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": None, "type": "refund"},
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if pending else "succeeded",
        "transfer_reversal": None,
    }
    world.store.add(refund)
    refund["balance_transaction"] = book(world, refund, -amount, "refund")
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge)
    if card is not None and card.refund != "succeeded":
        world.later("settle_refund", refund["id"])
    else:
        world.emit("refund.updated", refund)
        world.emit("charge.refund.updated", refund)
    return refund


def _retrieve(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    return expanded(world, world.store.named("refund", call.ids[0], "refund"), call)


def _list(world: World, call: Call) -> JsonObject:
    rows = matching(world.store.rows("refund"), call, "charge", "payment_intent")
    return expanded(world, page(rows, call), call)


def _update(world: World, call: Call) -> JsonObject:
    refund = world.store.named("refund", call.ids[0], "refund")
    params = Params(call.params)
    params.only(("metadata", "expand"))
    refund["metadata"] = params.metadata(refund["metadata"])
    world.emit("refund.updated", refund)
    world.emit("charge.refund.updated", refund)
    return expanded(world, refund, call)


ROUTES = [
    Route("POST", "/v1/refunds", _create),
    Route("GET", "/v1/refunds", _list),
    Route("GET", "/v1/refunds/{}", _retrieve),
    Route("POST", "/v1/refunds/{}", _update),
]
