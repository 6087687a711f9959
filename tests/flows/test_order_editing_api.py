"""The calls that change an order after the sale."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from apps.orders.models import Order, OrderEdit
from tests.factories.accounts import StaffFactory
from tests.flows.conftest import Buyer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


@pytest.fixture
def order(buyer: Buyer) -> Order:
    buyer.fill(("MUG", 2), ("BOOK", 1))
    return Order.objects.get(number=buyer.checkout().json()["order"]["number"])


def _url(order: Order, call: str = "edit") -> str:
    return f"/api/v1/admin/orders/{order.number}/{call}/"


def _line(order: Order, sku: str, **change: Any) -> dict[str, Any]:
    return {"id": str(order.lines.get(sku=sku).public_id), **change}


def test_a_dry_run_tells_and_the_call_does(order: Order, as_merchant: APIClient) -> None:
    body = {"lines": [_line(order, "MUG", quantity=1), {"sku": "BOOK", "quantity": 1}]}
    seen = as_merchant.post(_url(order), {**body, "dry_run": True}).json()
    untouched = Order.objects.get(pk=order.pk).total
    known = {"version": seen["version"], "expected_total": seen["total_after"]}
    done = as_merchant.post(_url(order), {**body, **known}, HTTP_IDEMPOTENCY_KEY="one").json()
    again = as_merchant.post(_url(order), {**body, **known}, HTTP_IDEMPOTENCY_KEY="one")
    late = as_merchant.post(_url(order), {**body, **known}, HTTP_IDEMPOTENCY_KEY="two")

    assert untouched == 4895
    assert seen["delta"] == done["delta"] == {"amount": "8.00", "currency": "EUR"}
    assert [(x["sku"], x["quantity"]) for x in seen["preview"]["lines"]] == [
        ("MUG", 1),
        ("BOOK", 2),
    ]
    assert (seen["order"], done["preview"]) == (None, None)
    assert done["order"]["totals"] == seen["preview"]["totals"]
    assert (again.json(), again["Idempotent-Replayed"]) == (done, "true")
    assert (late.status_code, late.json()["code"]) == (409, "order_changed")


def test_lines_are_cancelled_by_pieces(order: Order, as_merchant: APIClient) -> None:
    lines = [_line(order, "MUG", quantity=1)]
    done = as_merchant.post(_url(order, "cancel-lines"), {"lines": lines, "reason": "Broken"})
    too_many = as_merchant.post(
        _url(order, "cancel-lines"), {"lines": [_line(order, "MUG", quantity=2)]}
    )

    assert done.json()["delta"]["amount"] == "-12.00"
    assert done.json()["order"]["timeline"][-1]["message"] == "Broken"
    assert (too_many.status_code, too_many.json()["code"]) == (400, "too_many_pieces")


@pytest.mark.parametrize(
    ("held", "reason", "status"),
    [((), "Agreed", 403), (("edit_price",), "", 400), (("edit_price",), "Agreed", 200)],
)
def test_a_price_needs_a_right_and_a_reason(
    order: Order, client_for: Any, held: tuple[str, ...], reason: str, status: int
) -> None:
    user = StaffFactory(email="clerk@example.com")
    rights = ("edit_order", *held)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    price = {"amount": "1.00", "currency": "EUR"}
    body = {"lines": [_line(order, "MUG", unit_price=price)], "reason": reason}

    response = client_for(user).post(_url(order), body)

    assert response.status_code == status, response.json()
    assert OrderEdit.objects.count() == (status == 200)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"lines": [{"quantity": 1}]}, "lines"),
        ({"lines": [{"sku": "MUG", "quantity": -1}]}, "lines"),
        ({"shipping_address": {"country": "ES"}}, "shipping_address"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_wrong_bodies_are_refused(
    order: Order, as_merchant: APIClient, body: dict[str, Any], field: str
) -> None:
    response = as_merchant.post(_url(order), body)
    assert response.status_code == 400, response.json()
    assert not OrderEdit.objects.exists()


def test_the_number_of_queries_does_not_depend_on_the_lines(
    buyer: Buyer, as_merchant: APIClient, django_assert_max_num_queries: Any
) -> None:
    counts = []
    for lines in ((("MUG", 1),), (("MUG", 1), ("BOOK", 1))):
        buyer.fill(*lines)
        order = Order.objects.get(number=buyer.checkout().json()["order"]["number"])
        body = {"lines": [_line(order, "MUG", quantity=2)], "dry_run": True}
        with django_assert_max_num_queries(60) as queries:
            as_merchant.post(_url(order), body)
        counts.append(len(queries))
    assert counts[0] == counts[1]
