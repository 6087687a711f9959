"""Orders v2: create, approve, then capture or authorize."""

from __future__ import annotations

from typing import Any

from apps.payments.gateways.simulation.wire import JsonObject

from .errors import PayPalError, not_approved, unprocessable
from .payments import book_authorization, book_capture
from .world import API, DECLINED, World, links, money_in, needed, new_id, now, payments_of

PAYER = {
    "email_address": "buyer@example.com",
    "payer_id": "QYR5Z8XDVJNXQ",
    "name": {"given_name": "Ana", "surname": "García"},
    "address": {"country_code": "ES"},
}


def create(world: World, content: JsonObject) -> tuple[int, JsonObject]:
    """201, or 200 where the payment source was given with it."""
    intent = needed(content, "intent")
    if intent not in ("CAPTURE", "AUTHORIZE"):
        raise PayPalError(400, "INVALID_PARAMETER_VALUE")
    units = needed(content, "purchase_units")
    if len(units) != 1:
        raise unprocessable("UNSUPPORTED_INTENT")
    identifier = new_id()
    wallet = (content.get("payment_source") or {}).get("paypal")
    context = (wallet or {}).get("experience_context") or content.get("application_context") or {}
    approve = "payer-action" if wallet else "approve"
    order = {
        "id": identifier,
        "intent": intent,
        "status": "PAYER_ACTION_REQUIRED" if wallet else "CREATED",
        "create_time": now(),
        "purchase_units": [
            {
                "reference_id": units[0].get("reference_id", "default"),
                "amount": money_in(units[0]),
                **{n: units[0][n] for n in ("custom_id", "description") if n in units[0]},
            }
        ],
        **({"payment_source": {"paypal": {}}} if wallet else {}),
        "links": links(
            ("self", f"{API}/v2/checkout/orders/{identifier}", "GET"),
            (approve, f"{world.base_url}/checkoutnow?token={identifier}", "GET"),
        ),
    }
    world.store.private(identifier).update(
        return_url=context.get("return_url", ""), cancel_url=context.get("cancel_url", "")
    )
    return (200 if wallet else 201), world.add("order", order)


def approve(world: World, order: JsonObject) -> None:
    """The customer agreed on PayPal's page."""
    if order["status"] not in ("CREATED", "PAYER_ACTION_REQUIRED"):
        return
    order["status"] = "APPROVED"
    order["payer"] = dict(PAYER)
    world.emit("CHECKOUT.ORDER.APPROVED", "checkout-order", order)


def pay(world: World, order: JsonObject, intent: str) -> tuple[int, JsonObject]:
    """Capture or authorize an approved order. Raises PayPalError (422)."""
    if order["intent"] != intent:
        raise unprocessable("ACTION_DOES_NOT_MATCH_INTENT")
    if payments_of(order):
        raise unprocessable(
            "ORDER_ALREADY_CAPTURED" if intent == "CAPTURE" else "ORDER_ALREADY_AUTHORIZED"
        )
    if order["status"] != "APPROVED":
        raise not_approved(intent)
    outcome = world.next_outcome("decline", "3ds")
    if outcome == "3ds":
        order["status"] = "PAYER_ACTION_REQUIRED"
        raise unprocessable("PAYER_ACTION_REQUIRED")
    private = world.store.private(order["id"])
    if outcome == "decline" or private.get("instrument") == DECLINED:
        raise unprocessable(DECLINED)
    order["status"] = "COMPLETED"
    amount = order["purchase_units"][0]["amount"]
    book: Any = book_capture if intent == "CAPTURE" else book_authorization
    book(world, order, amount)
    return 201, order
