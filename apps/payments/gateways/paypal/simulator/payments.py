"""Payments v2: authorizations, captures, refunds, and disputes of them."""

from __future__ import annotations

from decimal import Decimal

from apps.payments.gateways.simulation.wire import JsonObject

from .errors import unprocessable
from .world import API, World, links, money_in, new_id, now, payments_of, value_of

_FEE = Decimal("0.35")


def book_authorization(world: World, order: JsonObject, amount: JsonObject) -> JsonObject:
    unit = order["purchase_units"][0]
    row = _row("authorizations", order, amount, status="CREATED", seller_protection=_PROTECTED)
    payments_of(order).setdefault("authorizations", []).append(row)
    world.emit("PAYMENT.AUTHORIZATION.CREATED", "authorization", related(order, row))
    return {**row, **({"custom_id": unit["custom_id"]} if "custom_id" in unit else {})}


def book_capture(
    world: World, order: JsonObject, amount: JsonObject, *, final: bool = True
) -> JsonObject:
    pending = world.next_outcome("pending") == "pending"
    net = max(value_of(amount) - _FEE, Decimal(0))
    breakdown = {
        "gross_amount": dict(amount),
        "paypal_fee": {**amount, "value": str(_FEE)},
        "net_amount": {**amount, "value": f"{net:f}"},
    }
    row = _row("captures", order, amount, status="PENDING" if pending else "COMPLETED")
    row |= {"final_capture": final, "seller_protection": _PROTECTED}
    if pending:
        row["status_details"] = {"reason": "PENDING_REVIEW"}
    else:
        row["seller_receivable_breakdown"] = breakdown
    payments_of(order).setdefault("captures", []).append(row)
    kind = "PENDING" if pending else "COMPLETED"
    world.emit(f"PAYMENT.CAPTURE.{kind}", "capture", related(order, row))
    return row


def settle_pending(world: World, capture_id: str, *, completed: bool = True) -> None:
    """PayPal's review ended."""
    order, row = world.order_with("captures", capture_id)
    row.pop("status_details", None)
    row["status"] = "COMPLETED" if completed else "DECLINED"
    kind = "COMPLETED" if completed else "DENIED"
    world.emit(f"PAYMENT.CAPTURE.{kind}", "capture", related(order, row))


def capture(world: World, identifier: str, content: JsonObject) -> tuple[int, JsonObject]:
    order, authorization = world.order_with("authorizations", identifier)
    status = authorization["status"]
    if status == "VOIDED":
        raise unprocessable("AUTHORIZATION_VOIDED")
    if status == "CAPTURED":
        raise unprocessable("AUTHORIZATION_ALREADY_CAPTURED")
    taken = sum((value_of(c["amount"]) for c in payments_of(order).get("captures", [])), Decimal(0))
    left = value_of(authorization["amount"]) - taken
    amount = (
        money_in(content)
        if content.get("amount")
        else {
            **authorization["amount"],
            "value": f"{left:f}",
        }
    )
    _check_currency(amount, authorization)
    most = value_of(authorization["amount"]) * world.overcapture - taken
    if value_of(amount) > most:
        raise unprocessable("MAX_CAPTURE_AMOUNT_EXCEEDED")
    final = bool(content.get("final_capture")) or value_of(amount) >= left
    authorization["status"] = "CAPTURED" if final else "PARTIALLY_CAPTURED"
    return 201, related(order, book_capture(world, order, amount, final=final))


def void(world: World, identifier: str) -> tuple[int, JsonObject]:
    order, authorization = world.order_with("authorizations", identifier)
    if authorization["status"] == "VOIDED":
        raise unprocessable("PREVIOUSLY_VOIDED")
    if authorization["status"] not in ("CREATED", "PARTIALLY_CAPTURED"):
        raise unprocessable("PREVIOUSLY_CAPTURED")
    authorization["status"] = "VOIDED"
    world.emit("PAYMENT.AUTHORIZATION.VOIDED", "authorization", related(order, authorization))
    return 200, related(order, authorization)


def refund(world: World, identifier: str, content: JsonObject) -> tuple[int, JsonObject]:
    order, row = world.order_with("captures", identifier)
    if row["status"] == "REFUNDED":
        raise unprocessable("CAPTURE_FULLY_REFUNDED")
    if row["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED"):
        raise unprocessable("REFUND_NOT_ALLOWED")
    if row["id"] in world.store.private("disputed"):
        raise unprocessable("REFUND_NOT_ALLOWED")
    left = value_of(row["amount"]) - refunded(order, row["id"])
    amount = money_in(content) if content.get("amount") else {**row["amount"], "value": f"{left:f}"}
    _check_currency(amount, row)
    if value_of(amount) > left:
        raise unprocessable("REFUND_AMOUNT_EXCEEDED")
    given = _row("refunds", order, amount, status="COMPLETED")
    if content.get("custom_id"):
        given["custom_id"] = content["custom_id"]
    up = f"{API}/v2/payments/captures/{row['id']}"
    given["links"] += links(("up", up, "GET"))
    payments_of(order).setdefault("refunds", []).append(given)
    row["status"] = "REFUNDED" if value_of(amount) == left else "PARTIALLY_REFUNDED"
    world.emit("PAYMENT.CAPTURE.REFUNDED", "refund", given)
    return 201, given


def refunded(order: JsonObject, capture_id: str) -> Decimal:
    """What went back of a capture."""
    ups = f"/captures/{capture_id}"
    rows = payments_of(order).get("refunds", [])
    mine = [r for r in rows if any(link["href"].endswith(ups) for link in r["links"])]
    return sum((value_of(row["amount"]) for row in mine), Decimal(0))


def dispute(world: World, capture_id: str, reason: str) -> JsonObject:
    """The customer complains of a capture."""
    _order, row = world.order_with("captures", capture_id)
    found = {
        "dispute_id": f"PP-D-{new_id()[:8]}",
        "create_time": now(),
        "update_time": now(),
        "disputed_transactions": [{"seller_transaction_id": row["id"]}],
        "reason": reason,
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "dispute_amount": dict(row["amount"]),
        "dispute_life_cycle_stage": "CHARGEBACK",
        "seller_response_due_date": now(days=10),
    }
    world.store.private("disputed")[row["id"]] = True
    world.add("dispute", {"id": found["dispute_id"], **found})
    world.emit("CUSTOMER.DISPUTE.CREATED", "dispute", found)
    return found


def related(order: JsonObject, row: JsonObject) -> JsonObject:
    """A payment as Payments v2 shows it: with its order."""
    return {**row, "supplementary_data": {"related_ids": {"order_id": order["id"]}}}


_PROTECTED = {"status": "ELIGIBLE", "dispute_categories": ["ITEM_NOT_RECEIVED"]}


def _row(kind: str, order: JsonObject, amount: JsonObject, **more: object) -> JsonObject:
    identifier = new_id()
    unit = order["purchase_units"][0]
    return {
        "id": identifier,
        "amount": dict(amount),
        **({"custom_id": unit["custom_id"]} if "custom_id" in unit else {}),
        **more,
        "create_time": now(),
        "update_time": now(),
        "links": links(("self", f"{API}/v2/payments/{kind}/{identifier}", "GET")),
    }


def _check_currency(amount: JsonObject, row: JsonObject) -> None:
    if amount["currency_code"] != row["amount"]["currency_code"]:
        raise unprocessable("CURRENCY_MISMATCH")
