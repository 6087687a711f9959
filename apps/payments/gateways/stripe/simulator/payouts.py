"""Payouts: what is in the balance goes to the bank, each with the transactions it is made of."""

from __future__ import annotations

from apps.payments.gateways.simulation.store import now
from apps.payments.gateways.simulation.wire import JsonObject

from .charges import book
from .params import Params
from .routing import LIST_PARAMS, Route, expanded, page, within
from .store import new_id
from .wire import Call
from .world import World


def pay_out(world: World) -> list[JsonObject]:
    """Pay out all that isn't yet, one payout for each currency; they are paid at once."""
    open_rows: dict[str, list[JsonObject]] = {}
    for row in world.store.rows("balance_transaction"):
        if not world.store.private(row["id"]).get("payout"):
            open_rows.setdefault(row["currency"], []).append(row)
    return [_payout(world, currency, rows) for currency, rows in sorted(open_rows.items())]


def _payout(world: World, currency: str, rows: list[JsonObject]) -> JsonObject:
    stamp = now()
    payout: JsonObject = {
        "id": new_id("payout"),
        "object": "payout",
        "amount": sum(row["net"] for row in rows),
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": stamp,
        "automatic": True,
        "balance_transaction": None,
        "created": stamp,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_simulated",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
    world.store.add(payout)
    payout["balance_transaction"] = book(world, payout, -payout["amount"], "payout")
    for identifier in (payout["balance_transaction"], *(row["id"] for row in rows)):
        world.store.private(identifier)["payout"] = payout["id"]
    world.emit("payout.created", payout)
    world.emit("payout.paid", payout)
    return payout


def _retrieve(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    return expanded(world, world.store.named("payout", call.ids[0]), call)


def _list(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    params.only((*LIST_PARAMS, "arrival_date", "destination", "status"))
    rows = within(world.store.rows("payout"), params, "arrival_date")
    for name in ("destination", "status"):
        if wanted := params.text(name):
            rows = [row for row in rows if row[name] == wanted]
    return expanded(world, page(rows, call), call)


ROUTES = [
    Route("GET", "/v1/payouts", _list),
    Route("GET", "/v1/payouts/{}", _retrieve),
]
