"""PaymentMethods: cards by test number, token or documented name, and US bank accounts."""

from __future__ import annotations

import hashlib

from apps.payments.gateways.simulation.store import now
from apps.payments.gateways.simulation.wire import JsonObject

from . import cards
from .errors import StripeError, invalid, missing, refused
from .params import ADDRESS, Params
from .routing import Route, expanded, matching, page
from .store import new_id
from .wire import Call
from .world import World

_CREATE = ("type", "card", "billing_details", "metadata", "allow_redisplay", "customer", "expand")
_BROWSER_CREATE = (*_CREATE, "payment_user_agent", "referrer", "time_on_page")
_CARD_FIELDS = ("number", "exp_month", "exp_year", "cvc", "token", "networks")
# Documented names of test bank accounts, and whether the debit goes through ("Testing").
_BANK_ACCOUNTS = {
    "pm_usBankAccount_success": True,
    "pm_usBankAccount_accountClosed": False,
    "pm_usBankAccount_insufficientFunds": False,
}


def card_of(world: World, identifier: str) -> cards.TestCard | None:
    """The test card behind a stored payment method; None when it is a bank account."""
    private = world.store.private(identifier)
    if "number" not in private:
        return None
    return cards.by_number(private["number"])


def bank_debit_succeeds(world: World, identifier: str) -> bool:
    return bool(world.store.private(identifier)["debit_succeeds"])


def resolve(world: World, identifier: str, param: str = "payment_method") -> JsonObject:
    """The stored payment method, or a new one for a documented test name.

    Stripe makes a new PaymentMethod each time a name such as `pm_card_visa` is used.
    Raises StripeError (400 `resource_missing`).
    """
    found = world.store.get("payment_method", identifier)
    if found is not None:
        return found
    card = cards.by_payment_method(identifier)
    if card is not None:
        return _store_card(world, card, {}, {})
    if identifier in _BANK_ACCOUNTS:
        return _store_bank_account(world, debit_succeeds=_BANK_ACCOUNTS[identifier])
    raise missing("PaymentMethod", identifier, param)


def from_data(world: World, params: Params) -> JsonObject:
    """A new payment method from `payment_method_data` or the body of a create request."""
    params.require("type")
    kind = params.text("type")
    if kind != "card":
        raise invalid(
            f"The payment method type provided: {kind} is invalid. (The simulator creates cards.)",
            params.name("type"),
        )
    details = params.nested("card")
    details.only(_CARD_FIELDS)
    metadata = Params(params.values).metadata()
    token = details.text("token")
    if token:
        card = cards.by_token(token)
        if card is None:
            raise missing("token", token, details.name("token"))
        return _store_card(world, card, _billing(params), metadata)
    card = cards.by_number(details.needed("number"))
    if card.decline in (cards.INCORRECT_NUMBER, cards.LIVE_CARD):
        raise card_error(card.decline)
    expiry = {
        "exp_month": details.integer("exp_month", 1) or 12,
        "exp_year": details.integer("exp_year", 2000) or 2034,
    }
    return _store_card(world, card, {**_billing(params), "expiry": expiry}, metadata)


def card_error(decline: cards.Decline, extra: JsonObject | None = None) -> StripeError:
    """The 402 `card_error` of a decline; it was executed."""
    return StripeError(
        402,
        "card_error",
        decline.message,
        decline.code,
        decline.param,
        decline.decline_code,
        extra=extra or {},
    )


def attach(world: World, method: JsonObject, customer: str) -> None:
    """Save a payment method for a customer. Raises StripeError (402) for a card that declines."""
    card = card_of(world, method["id"])
    if card and card.decline and not card.attachable:
        raise card_error(card.decline)
    if method["customer"] == customer:
        return
    if method["customer"] or world.store.private(method["id"]).get("consumed"):
        raise refused(
            "The payment method you provided has already been attached to a customer or used "
            "without one, and may not be used again."
        )
    method["customer"] = customer
    world.emit("payment_method.attached", method)


def renew(world: World, method: JsonObject, exp_month: int, exp_year: int) -> None:
    """The card's network tells that the bank renewed it ("Automatic card updates")."""
    if not method["customer"]:
        raise refused("The payment method is not attached to a customer.")
    method["card"].update(exp_month=exp_month, exp_year=exp_year)
    world.emit("payment_method.automatically_updated", method)


def _create(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    params.only(_BROWSER_CREATE if call.publishable else _CREATE)
    return expanded(world, from_data(world, params), call)


def _retrieve(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    return expanded(world, world.store.named("payment_method", call.ids[0]), call)


def _update(world: World, call: Call) -> JsonObject:
    method = world.store.named("payment_method", call.ids[0])
    params = Params(call.params)
    params.only(("metadata", "billing_details", "card", "allow_redisplay", "expand"))
    if not method["customer"]:
        raise refused("You must save this PaymentMethod to a customer before you can update it.")
    if params.given("metadata"):
        method["metadata"] = params.metadata(method["metadata"])
    if params.given("billing_details"):
        method["billing_details"] = _billing(params)["billing_details"]
    world.emit("payment_method.updated", method)
    return expanded(world, method, call)


def _list(world: World, call: Call) -> JsonObject:
    rows = matching(world.store.rows("payment_method"), call, "customer", "type")
    saved = [row for row in rows if row["customer"]]
    return expanded(world, page(saved, call), call)


def _attach(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    params.only(("customer", "expand"))
    customer = world.store.referenced("customer", params.needed("customer"), "customer")
    method = resolve(world, call.ids[0])
    attach(world, method, customer["id"])
    return expanded(world, method, call)


def _detach(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    method = world.store.named("payment_method", call.ids[0])
    if not method["customer"]:
        raise refused("The payment method you provided is not attached to a customer.")
    method["customer"] = None
    # A detached payment method can never be used again ("Detach a PaymentMethod").
    world.store.private(method["id"])["consumed"] = True
    world.emit("payment_method.detached", method)
    return expanded(world, method, call)


def _billing(params: Params) -> JsonObject:
    details = params.nested("billing_details")
    details.only(("address", "email", "name", "phone", "tax_id"))
    shown: JsonObject = {name: details.text(name) for name in ("email", "name", "phone", "tax_id")}
    shown["address"] = details.address() or dict.fromkeys(ADDRESS)
    return {"billing_details": shown}


def _base(world: World, kind: str, metadata: JsonObject) -> JsonObject:
    return world.store.add(
        {
            "id": new_id("payment_method"),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": _billing(Params({}))["billing_details"],
            "created": now(),
            "customer": None,
            "customer_account": None,
            "livemode": False,
            "metadata": metadata,
            "type": kind,
        }
    )


def _store_card(
    world: World, card: cards.TestCard, details: JsonObject, metadata: JsonObject
) -> JsonObject:
    method = _base(world, "card", metadata)
    expiry = details.pop("expiry", {"exp_month": 12, "exp_year": 2034})
    method.update(details)
    method["card"] = {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "unchecked",
        },
        "country": card.country,
        "display_brand": card.brand,
        **expiry,
        "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": card.brand != "unionpay"},
        "wallet": None,
    }
    world.store.private(method["id"])["number"] = card.number
    return method


def _store_bank_account(world: World, *, debit_succeeds: bool) -> JsonObject:
    method = _base(world, "us_bank_account", {})
    method["us_bank_account"] = {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "last4": "6789",
        "routing_number": "110000000",
    }
    world.store.private(method["id"])["debit_succeeds"] = debit_succeeds
    return method


ROUTES = [
    Route("POST", "/v1/payment_methods", _create, browser=True),
    Route("GET", "/v1/payment_methods", _list),
    Route("GET", "/v1/payment_methods/{}", _retrieve),
    Route("POST", "/v1/payment_methods/{}", _update),
    Route("POST", "/v1/payment_methods/{}/attach", _attach),
    Route("POST", "/v1/payment_methods/{}/detach", _detach),
]
