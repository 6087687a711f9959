"""Orders that staff make for somebody in one call."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.checkout.models import Cart
from apps.orders.models import Order
from tests.factories.accounts import StaffFactory
from tests.flows.conftest import ADDRESS, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
URL = "/api/v1/admin/orders/"


def _body(**changes: Any) -> dict[str, Any]:
    price = {"unit_price": {"amount": "9.00", "currency": "EUR"}, "price_reason": "By phone"}
    return {
        "email": "ana@example.com",
        "lines": [{"sku": "MUG", "quantity": 2, **price}, {"sku": "BOOK", "quantity": 1}],
        "shipping_address": ADDRESS,
        "shipping_method": "post",
        "payment": {"gateway": "manual"},
        **changes,
    }


def test_a_dry_run_shows_the_cart_and_writes_nothing(shop: Shop, as_merchant: APIClient) -> None:
    seen = as_merchant.post(URL, _body(dry_run=True))

    assert seen.status_code == 200, seen.json()
    assert seen.json()["totals"]["total"] == {"amount": "42.95", "currency": "EUR"}
    assert (seen.json()["problems"], Cart.objects.count()) == ([], 0)


def test_a_price_that_was_agreed_on_is_sold(
    shop: Shop, as_merchant: APIClient, shopper: User
) -> None:
    customer = str(shopper.customer.public_id)
    placed = as_merchant.post(URL, _body(customer=customer), HTTP_IDEMPOTENCY_KEY="k")
    again = as_merchant.post(URL, _body(customer=customer), HTTP_IDEMPOTENCY_KEY="k")

    order = Order.objects.get()
    assert (placed.status_code, placed.json()) == (201, again.json())
    assert (order.total, order.customer) == (1800 + 2000 + 495, shopper.customer)
    assert order.timeline.get(kind="price_agreed").message == "MUG: By phone"


def test_a_price_needs_its_right(shop: Shop, client_for: Any) -> None:
    clerk = StaffFactory(email="clerk@example.com")
    clerk.user_permissions.add(Permission.objects.get(codename="add_order"))
    refused = client_for(clerk).post(URL, _body())

    assert (refused.status_code, Order.objects.count()) == (403, 0)


@pytest.mark.parametrize(
    "line",
    [
        {"unit_price": {"amount": "9.00", "currency": "EUR"}},
        {"price_reason": "Because"},
        {"unit_price": {"amount": "9.00", "currency": "USD"}, "price_reason": "Abroad"},
        {"unit_price": {"amount": "-9.00", "currency": "EUR"}, "price_reason": "Gift"},
    ],
)
def test_wrong_prices_are_refused(shop: Shop, as_merchant: APIClient, line: dict[str, Any]) -> None:
    lines = [{"sku": "MUG", "quantity": 1, **line}]
    refused = as_merchant.post(URL, _body(lines=lines))

    assert (refused.status_code, Order.objects.count()) == (400, 0)


def test_an_order_waits_for_its_link(shop: Shop, as_merchant: APIClient) -> None:
    body = _body(pay_link=True)
    both = as_merchant.post(URL, body)
    del body["payment"]
    placed = as_merchant.post(URL, body, HTTP_IDEMPOTENCY_KEY="k")
    again = as_merchant.post(URL, body, HTTP_IDEMPOTENCY_KEY="k")

    order = Order.objects.get()
    assert (both.status_code, both.json()["errors"][0]["field"]) == (400, "payment")
    assert (placed.status_code, again.json()) == (201, placed.json())
    assert (order.status, placed.json()["payment"]) == ("pending", None)
    assert order.expires_at == order.pay_links.get().expires_at


def test_shoppers_have_no_link_instead_of_paying(shop: Shop, api: APIClient) -> None:
    body = {**_body(), "lines": [{"sku": "MUG", "quantity": 1}]}
    asked = api.post("/api/v1/checkout/", {**body, "pay_link": True})
    named = api.post("/api/v1/checkout/", {**body, "payment": {"gateway": "", "by_link": True}})
    assert (asked.status_code, named.status_code, Order.objects.count()) == (400, 400, 0)
