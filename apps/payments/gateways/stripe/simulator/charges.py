"""Charges, and the balance transactions they, their refunds and their disputes leave."""

from __future__ import annotations

from dataclasses import replace

from apps.payments.gateways.simulation.store import now
from apps.payments.gateways.simulation.wire import JsonObject

from . import cards
from .params import Params
from .routing import LIST_PARAMS, Route, expanded, matching, page
from .store import new_id
from .wire import Call
from .world import World

_MULTICAPTURE = ("visa", "mastercard", "amex", "discover")
_DETAILS = ("description", "receipt_email", "shipping", "transfer_group", "on_behalf_of")


def open_charge(
    world: World, intent: JsonObject, method: JsonObject, decline: cards.Decline | None = None
) -> JsonObject:
    """A new charge over the whole amount: authorised, not captured, or failed with a decline."""
    charge = world.store.add(
        {
            "id": new_id("charge"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": intent["application_fee_amount"],
            "balance_transaction": None,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": intent["statement_descriptor"] or "SIMULATOR",
            "captured": False,
            "created": now(),
            "currency": intent["currency"],
            "customer": intent["customer"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": decline.code if decline else None,
            "failure_message": decline.message if decline else None,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "outcome": _outcome(decline),
            "paid": decline is None,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": _method_details(intent, method),
            "receipt_number": None,
            "receipt_url": None if decline else f"{world.base_url}/receipts/{intent['id']}",
            "refunded": False,
            "review": None,
            "source": None,
            "source_transfer": None,
            "statement_descriptor": intent["statement_descriptor"],
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": "failed" if decline else "succeeded",
            "transfer_data": intent["transfer_data"],
            **{name: intent[name] for name in _DETAILS},
        }
    )
    intent["latest_charge"] = charge["id"]
    return charge


def capture(charge: JsonObject, amount: int, *, final: bool = True) -> None:
    """Capture; what a final one leaves is released and shows as refunded ("Capture a charge")."""
    charge["captured"] = True
    charge["amount_captured"] += amount
    if final:
        charge["amount_refunded"] += charge["amount"] - charge["amount_captured"]
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def release(charge: JsonObject) -> None:
    """Give back what is authorised and not captured."""
    charge["amount_refunded"] += charge["amount"] - charge["amount_captured"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]


def may_multicapture(intent: JsonObject, card: JsonObject) -> bool:
    """Whether it was asked for, and the card's network does it ("Capture multiple times")."""
    options = (intent["payment_method_options"] or {}).get("card") or {}
    return options.get("request_multicapture") == "if_available" and card["brand"] in _MULTICAPTURE


def book(world: World, source: JsonObject, amount: int, kind: str) -> str:
    """The id of a new balance transaction: minor units, negative when money leaves. Charges cost
    the account's fee."""
    stamp = now()
    fee = amount * world.fee_percent // 100 + world.fee_fixed if kind == "charge" else 0
    detail = {
        "amount": fee,
        "application": None,
        "currency": source["currency"],
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    row = world.store.add(
        {
            "id": new_id("balance_transaction"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": stamp,
            "balance_type": "payments",
            "created": stamp,
            "currency": source["currency"],
            "description": source.get("description"),
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": amount - fee,
            "reporting_category": "dispute" if kind == "adjustment" else kind,
            "source": source["id"],
            "status": "available",
            "type": kind,
        }
    )
    return str(row["id"])


def _outcome(decline: cards.Decline | None) -> JsonObject:
    outcome: JsonObject = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    if decline:
        outcome["network_status"] = "declined_by_network"
        outcome["reason"] = decline.decline_code or decline.code
        outcome["seller_message"] = "The bank did not return any further details."
        outcome["type"] = "issuer_declined"
    return outcome


def _method_details(intent: JsonObject, method: JsonObject) -> JsonObject:
    kind = method["type"]
    if kind != "card":
        return {"type": kind, kind: dict(method[kind])}
    card = method["card"]
    shared = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    return {
        "type": "card",
        "card": {
            "amount_authorized": intent["amount"],
            "authorization_code": "123456",
            "checks": {**card["checks"], "cvc_check": "pass"},
            "extended_authorization": {"status": "disabled"},
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "mandate": None,
            "multicapture": {
                "status": "available" if may_multicapture(intent, card) else "unavailable"
            },
            "network": card["brand"],
            "network_token": {"used": False},
            "network_transaction_id": None,
            "overcapture": {
                "maximum_amount_capturable": intent["amount"],
                "status": "unavailable",
            },
            "regulated_status": card["regulated_status"],
            "three_d_secure": None,
            "transaction_link_id": None,
            "wallet": None,
            **{name: card[name] for name in shared},
        },
    }


def _retrieve(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    return expanded(world, world.store.named("charge", call.ids[0]), call)


def _list(world: World, call: Call) -> JsonObject:
    rows = matching(
        world.store.rows("charge"), call, "customer", "payment_intent", "transfer_group"
    )
    return expanded(world, page(rows, call), call)


def _update(world: World, call: Call) -> JsonObject:
    charge = world.store.named("charge", call.ids[0])
    params = Params(call.params)
    params.only(
        ("description", "metadata", "receipt_email", "shipping", "transfer_group", "expand")
    )
    for name in ("description", "receipt_email", "transfer_group"):
        if params.given(name):
            charge[name] = params.text(name)
    if params.given("shipping"):
        charge["shipping"] = params.shipping()
    charge["metadata"] = params.metadata(charge["metadata"])
    world.emit("charge.updated", charge)
    return expanded(world, charge, call)


def _transaction(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    return expanded(world, world.store.named("balance_transaction", call.ids[0]), call)


def _transactions(world: World, call: Call) -> JsonObject:
    names = ("currency", "source", "type")
    Params(call.params).only((*LIST_PARAMS, *names, "payout"))
    rows = world.store.rows("balance_transaction")
    if payout := Params(call.params).text("payout"):
        world.store.referenced("payout", payout, "payout")
        rows = [row for row in rows if world.store.private(row["id"]).get("payout") == payout]
    params = {name: value for name, value in call.params.items() if name != "payout"}
    rows = matching(rows, replace(call, params=params), *names)
    return expanded(world, page(rows, call), call)


def _balance(world: World, call: Call) -> JsonObject:
    """Everything booked counts as available until it is paid out."""
    Params(call.params).only(("expand",))
    totals: dict[str, int] = {}
    for row in world.store.rows("balance_transaction"):
        totals[row["currency"]] = totals.get(row["currency"], 0) + row["net"]
    totals = totals or {"usd": 0}

    def shown(amounts: dict[str, int]) -> list[JsonObject]:
        return [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency, amount in sorted(amounts.items())
        ]

    return {
        "object": "balance",
        "available": shown(totals),
        "connect_reserved": [{"amount": 0, "currency": currency} for currency in sorted(totals)],
        "livemode": False,
        "pending": shown(dict.fromkeys(totals, 0)),
    }


ROUTES = [
    Route("GET", "/v1/charges", _list),
    Route("GET", "/v1/charges/{}", _retrieve),
    Route("POST", "/v1/charges/{}", _update),
    Route("GET", "/v1/balance", _balance),
    Route("GET", "/v1/balance_transactions", _transactions),
    Route("GET", "/v1/balance_transactions/{}", _transaction),
]
