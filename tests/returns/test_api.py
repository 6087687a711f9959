"""The API of returns: shoppers' and the staff's."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.returns import services
from apps.returns.models import ReturnPolicy, ReturnRequest
from tests.returns.conftest import wish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def line_of(order: Any, sku: str, quantity: int = 1, **changes: Any) -> dict[str, Any]:
    line = order.lines.get(sku=sku)
    return {
        "order_line": str(line.public_id),
        "quantity": quantity,
        "reason": "changed_mind",
        **changes,
    }


def post(client: APIClient, order: Any, path: str, body: Any = None, **headers: Any) -> Any:
    url = f"/api/v1/orders/{order.number}/{path}?token={order.token}"
    return client.post(url, body or {}, **headers)


def test_guest_sees_the_terms_and_what_it_gives_and_asks(api, order):
    ReturnPolicy.objects.create(store=order.store, days=60, shipping_paid_by="store")
    url = f"/api/v1/orders/{order.number}/returns/"
    terms = api.get(f"{url}terms/", {"token": order.token}).json()["lines"]
    assert [(row["sku"], row["pieces"], row["may_return"]) for row in terms] == [
        ("MUG", 3, True),
        ("BOOK", 2, True),
    ]
    body = {"lines": [line_of(order, "MUG", 2)]}
    preview = post(api, order, "returns/preview/", body)
    assert preview.json() == {
        "paid": eur("24.00"),
        "goods": eur("24.00"),
        "fee": eur("0.00"),
        "label": eur("0.00"),
        "shipping": eur("0.00"),
        "refund": eur("24.00"),
        "credit": eur("0.00"),
        "to_pay": eur("0.00"),
        "replacement": None,
    }
    asked = post(api, order, "returns/", {**body, "note": "Too blue"}, HTTP_IDEMPOTENCY_KEY="k1")
    again = post(api, order, "returns/", {**body, "note": "Too blue"}, HTTP_IDEMPOTENCY_KEY="k1")
    assert (asked.status_code, again["Idempotent-Replayed"]) == (201, "true")
    document = asked.json()
    assert (document["number"], document["status"]) == ("WEB-R1", "requested")
    assert (document["shipping_paid_by"], document["amounts"]) == ("store", None)
    listed = api.get(url, {"token": order.token}).json()
    assert [row["id"] for row in listed["results"]] == [document["id"]]
    too_many = post(api, order, "returns/", {"lines": [line_of(order, "MUG", 2)]})
    assert (too_many.status_code, too_many.json()["code"]) == (409, "nothing_to_return")
    given_up = post(api, order, f"returns/{document['id']}/cancel/")
    assert given_up.json()["status"] == "cancelled"


def test_others_see_nothing(api, as_stranger, order):
    url = f"/api/v1/orders/{order.number}/returns/"
    for client in (api, as_stranger):
        assert client.get(url).status_code == 404
        assert client.get(f"{url}terms/").status_code == 404
        assert client.post(url, {"lines": [line_of(order, "MUG")]}).status_code == 404
    request = services.request_return(order=order, wishes=[wish(order, "MUG")])
    assert api.get(f"{url}{request.public_id}/").status_code == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"order_line": "01923c4e-0000-7000-8000-000000000000"}, "unknown_line"),
        ({"condition": "used"}, "condition_not_accepted"),
    ],
)
def test_what_is_refused_says_why(api, order, change, code):
    answer = post(api, order, "returns/", {"lines": [line_of(order, "MUG", **change)]})
    assert answer.json()["code"] == code
    twice = post(api, order, "returns/", {"lines": [line_of(order, "MUG")] * 2})
    assert twice.status_code == 400


def test_withdrawing(api, order):
    said = post(api, order, "withdrawal/", {"name": "Ana", "email": "ana@example.com"})
    assert (said.status_code, said.json()["order"]) == (201, order.number)
    request = ReturnRequest.objects.get()
    assert (said.json()["return_id"], request.status) == (str(request.public_id), "approved")
    body = {"number": "WEB-999", "name": "Ana", "email": "ana@example.com"}
    unknown = api.post("/api/v1/withdrawals/", body)
    known = api.post("/api/v1/withdrawals/", {**body, "number": order.number})
    assert (unknown.status_code, unknown.content) == (known.status_code, known.content)


def test_withdrawing_from_a_part(api, order):
    body = {"kind": "withdrawal", "lines": [line_of(order, "BOOK")]}
    made = post(api, order, "returns/", body).json()
    assert (made["kind"], made["status"], made["lines"][0]["quantity"]) == (
        *("withdrawal", "approved"),
        1,
    )


def test_the_staffs_whole_way(as_merchant, order, shop, drain):
    base = "/api/v1/admin"
    body = {"lines": [line_of(order, "MUG", 3)], "note": "By phone"}
    made = as_merchant.post(f"{base}/orders/{order.number}/returns/", body)
    assert made.status_code == 201
    url = f"{base}/returns/{made.json()['id']}"
    line = made.json()["lines"][0]["id"]
    assert as_merchant.post(f"{url}/approve/").json()["allowed_events"] == [
        *("cancel", "receive", "settle"),
    ]
    came = {"location": "near", "lines": [{"id": line, "quantity": 2}]}
    assert as_merchant.post(f"{url}/receive/", came).json()["lines"][0]["received_quantity"] == 2
    found = [
        {"id": line, "outcome": "restock", "quantity": 1},
        {"id": line, "outcome": "scrap", "quantity": 1},
    ]
    inspected = as_merchant.post(f"{url}/inspect/", {"findings": found}).json()
    assert [i["outcome"] for i in inspected["lines"][0]["inspections"]] == ["restock", "scrap"]
    assert as_merchant.get(f"{url}/refund-proposal/").json()["refund"] == eur("24.00")
    refunded = as_merchant.post(f"{url}/refund/", {}).json()
    assert (refunded["status"], refunded["amounts"]["refund"]) == ("closed", eur("24.00"))
    drain()
    after = as_merchant.get(f"{url}/").json()
    assert [payout["status"] for payout in after["payouts"]] == ["succeeded"]
    again = as_merchant.post(f"{url}/refund/", {})
    assert (again.status_code, again.json()["code"]) == (409, "return_refused")


def test_policies(as_merchant, store):
    url = "/api/v1/admin/return-policies/"
    body = {"store": "main", "days": 45, "fee_percent": "7.5", "fee_fixed": eur("1.50")}
    made = as_merchant.post(url, body)
    assert (made.status_code, made.json()["fee_fixed"]) == (201, eur("1.50"))
    assert as_merchant.post(url, body).json()["code"] == "policy_taken"
    wrong = as_merchant.post(url, {**body, "fee_fixed": {"amount": "1", "currency": "USD"}})
    assert wrong.json()["code"] == "wrong_currency"
    one = f"{url}{made.json()['id']}/"
    assert as_merchant.patch(one, {"is_final_sale": True}).json()["is_final_sale"] is True
    assert as_merchant.patch(one, {"days": 1}, HTTP_IF_MATCH='"old"').status_code == 412
    assert as_merchant.delete(one).status_code == 204


def test_a_longer_list_costs_no_more_queries(
    as_merchant, order, django_assert_num_queries, django_assert_max_num_queries
):
    url = "/api/v1/admin/returns/"
    services.request_return(order=order, wishes=[wish(order, "MUG")])
    as_merchant.get(url)
    with django_assert_max_num_queries(12) as one:
        as_merchant.get(url)
    for sku in ("MUG", "BOOK"):
        services.request_return(order=order, wishes=[wish(order, sku)])
    with django_assert_num_queries(len(one)):
        assert len(as_merchant.get(url).json()["results"]) == 3


def test_an_exchange_from_the_terms_to_its_order(api, as_merchant, order, shop, drain):
    url = f"/api/v1/orders/{order.number}/returns/"
    terms = api.get(f"{url}terms/", {"token": order.token}).json()["lines"]
    assert [row["exchange_for"] for row in terms] == [
        [{"sku": "MUG", "label": "MUG"}],
        [{"sku": "BOOK", "label": "BOOK"}],
    ]
    body = {"lines": [line_of(order, "MUG", 2, exchange_for="MUG", reason="defective")]}
    preview = post(api, order, "returns/preview/", body).json()
    assert (preview["replacement"], preview["credit"], preview["to_pay"]) == (
        *(eur("24.00"), eur("24.00")),
        eur("0.00"),
    )
    other = {"lines": [line_of(order, "MUG", exchange_for="BOOK")]}
    refused = post(api, order, "returns/", other)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_exchangeable")
    made = post(api, order, "returns/", body).json()
    assert (made["lines"][0]["exchange_for"], made["replacement"]) == ("MUG", None)
    staff = f"/api/v1/admin/returns/{made['id']}"
    answer = as_merchant.post(f"{staff}/approve/", {"send_now": True})
    assert answer.json()["replacement"] == {
        "order": "WEB-2",
        "status": "confirmed",
        "total": eur("24.00"),
    }
    instead = as_merchant.post(f"{staff}/refund-instead/")
    assert (instead.status_code, instead.json()["code"]) == (409, "return_refused")
    as_merchant.post(f"{staff}/receive/", {"location": "near"})
    as_merchant.post(f"{staff}/inspect/")
    assert as_merchant.get(f"{staff}/refund-proposal/").json()["credit"] == eur("24.00")
    closed = as_merchant.post(f"{staff}/refund/").json()
    assert (closed["status"], closed["amounts"]["credit"]) == ("closed", eur("24.00"))
    drain()


def test_what_was_to_be_exchanged_may_be_refunded(as_merchant, order):
    wishes = [wish(order, "MUG", exchange_for="MUG")]
    request = services.request_return(order=order, wishes=wishes)
    url = f"/api/v1/admin/returns/{request.public_id}/refund-instead/"
    assert as_merchant.post(url).json()["lines"][0]["exchange_for"] == ""
