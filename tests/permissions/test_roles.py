"""Who touches money, stock, prices, keys and people: said again, apart from the roles' table."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.orders.models import Order
from tests.flows.conftest import Buyer, build_shop
from tests.permissions.cast import ROLES, bearer, key_of, staff
from tests.permissions.operations import operations
from tests.permissions.test_matrix import answer, verdict

pytestmark = pytest.mark.once

OWNER, MANAGER, WAREHOUSE, SUPPORT = "owner", "manager", "fulfillment", "support"
CATALOGUE, ACCOUNTANT = "catalogue", "accountant"
MAY = {
    "POST /admin/payments/{payment_id}/refund/": {OWNER, MANAGER, SUPPORT},
    "POST /admin/payments/{payment_id}/capture/": {OWNER, MANAGER},
    "POST /admin/payments/{payment_id}/void/": {OWNER, MANAGER},
    "POST /admin/orders/{number}/payments/": {OWNER, MANAGER},
    "POST /admin/orders/{number}/charge-saved/": {OWNER, MANAGER},
    "POST /admin/orders/": {OWNER, MANAGER},
    "POST /admin/orders/{number}/cancel/": {OWNER, MANAGER, SUPPORT},
    "PUT /admin/orders/{number}/status/": {OWNER, MANAGER, WAREHOUSE},
    "PUT /admin/orders/{number}/tags/": {OWNER, MANAGER, WAREHOUSE, SUPPORT},
    "POST /admin/orders/bulk/": {OWNER, MANAGER, WAREHOUSE, SUPPORT},
    "POST /admin/payment-differences/{id}/resolve/": {OWNER, MANAGER, ACCOUNTANT},
    "POST /admin/orders/{number}/invoices/": {OWNER, MANAGER, ACCOUNTANT},
    "GET /admin/products/export/": {OWNER, MANAGER, CATALOGUE},
    "PATCH /admin/products/{slug}/": {OWNER, MANAGER, CATALOGUE},
    "GET /admin/orders/export/": {OWNER, MANAGER, ACCOUNTANT},
    "GET /admin/orders/exports/": {OWNER, MANAGER, ACCOUNTANT},
    "GET /admin/orders/export-runs/": {OWNER, MANAGER, ACCOUNTANT},
    "POST /admin/orders/{number}/fulfill/": {OWNER, MANAGER, WAREHOUSE},
    "PUT /admin/products/{slug}/prices/": {OWNER, MANAGER, CATALOGUE},
    "POST /admin/prices/": {OWNER, MANAGER, CATALOGUE},
    "PATCH /admin/prices/{id}/": {OWNER, MANAGER, CATALOGUE},
    "DELETE /admin/prices/{id}/": {OWNER, MANAGER, CATALOGUE},
    "PATCH /admin/price-lists/{code}/": {OWNER, MANAGER, CATALOGUE},
    "POST /admin/promotions/": {OWNER, MANAGER},
    "PATCH /admin/promotions/{code}/": {OWNER, MANAGER},
    "POST /admin/promotions/{code}/coupons/batch/": {OWNER, MANAGER},
    "PATCH /admin/tax-rates/{id}/": {OWNER, MANAGER},
    "POST /admin/inventory/adjust/": {OWNER, MANAGER, WAREHOUSE},
    "POST /admin/inventory/receive/": {OWNER, MANAGER, WAREHOUSE},
    "POST /admin/inventory/transfer/": {OWNER, MANAGER, WAREHOUSE},
    "PUT /admin/products/{slug}/inventory/": {OWNER, MANAGER, WAREHOUSE},
    "POST /admin/imports/": {OWNER, MANAGER, CATALOGUE},
    "PATCH /admin/customers/{id}/": {OWNER, MANAGER, SUPPORT},
    "POST /admin/approvals/{id}/approve/": {OWNER, MANAGER},
    "POST /admin/approvals/{id}/refuse/": {OWNER, MANAGER},
    "POST /admin/fraud/assessments/{id}/approve/": {OWNER, MANAGER},
    "PATCH /admin/fraud/rules/{id}/": {OWNER, MANAGER},
    "POST /admin/reviews/{id}/approve/": {OWNER, MANAGER, SUPPORT},
    "PUT /admin/reviews/{id}/answer/": {OWNER, MANAGER, SUPPORT},
    "POST /admin/notifications/send/": {OWNER, MANAGER, SUPPORT},
    "GET /admin/api-keys/": {OWNER},
    "POST /admin/api-keys/": {OWNER},
    "PATCH /admin/api-keys/{id}/": {OWNER},
    "DELETE /admin/api-keys/{id}/": {OWNER},
    "POST /admin/api-keys/{id}/rotate/": {OWNER},
    "GET /admin/api-keys/usage/": {OWNER},
    "GET /admin/api-plans/": {OWNER},
    "GET /admin/webhook-endpoints/": {OWNER},
    "POST /admin/webhook-endpoints/": {OWNER},
    "POST /admin/webhook-endpoints/{id}/rotate/": {OWNER},
    "POST /admin/webhook-deliveries/{id}/replay/": {OWNER},
}


@pytest.mark.parametrize("role", ["", *ROLES])
def test_role_does_what_is_its_work_and_no_more(store, role):
    client = bearer(staff(role))
    named = [operation for operation in operations() if operation.key in MAY]
    found = {operation.key: verdict(answer(client, operation), operation) for operation in named}
    assert found == {key: "allowed" if role in roles else 403 for key, roles in MAY.items()}


@pytest.mark.parametrize("role", ["", *ROLES])
def test_people_are_managed_by_the_owner_alone(store, role):
    user = staff(role)
    client = Client()
    client.force_login(user)
    found = {
        page: client.get(f"/admin/{page}").status_code
        for page in (
            "accounts/user/add/",
            f"accounts/user/{user.pk}/password/",
            "accounts/apikey/add/",
            "auth/group/add/",
        )
    }
    assert set(found.values()) == ({200} if role == OWNER else {403})


def test_read_only_changes_nothing(store):
    """All that isn't a GET and isn't a shopper's."""
    client = bearer(staff("read-only"))
    writes = [
        operation
        for operation in operations()
        if operation.path.startswith("/admin/") and operation.method != "GET"
    ]
    assert len(writes) > 70
    allowed = [o.key for o in writes if verdict(answer(client, o), o) != 403]
    assert allowed == []


@pytest.fixture
def order(api, store):
    build_shop(store)
    buyer = Buyer(api)
    buyer.fill(("MUG", 1))
    number = buyer.checkout().json()["order"]["number"]
    return Order.objects.get(number=number)


def move(client, order):
    url = f"/api/v1/admin/orders/{order.number}/status/"
    return client.put(url, {"status": "cancelled"}).status_code


def test_cancelling_needs_its_own_permission(order):
    """It gives money back: moving orders through the warehouse isn't enough."""
    assert move(bearer(staff(WAREHOUSE)), order) == 403
    owner = staff(OWNER)
    assert move(key_of(owner, "orders.transition_order"), order) == 403
    order.refresh_from_db()
    assert order.status == Order.Status.CONFIRMED
    assert move(key_of(owner, "orders.transition_order", "orders.cancel_order"), order) == 200
    order.refresh_from_db()
    assert order.status == Order.Status.CANCELLED


def test_support_cancels_an_order(order):
    url = f"/api/v1/admin/orders/{order.number}/cancel/"
    cancelled = bearer(staff(SUPPORT)).post(url, {"reason": "Changed their mind"})
    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "cancelled"
    assert cancelled.json()["timeline"][-1]["message"] == "Changed their mind"
    again = bearer(staff(MANAGER)).post(url, {})
    assert (again.status_code, again.json()["code"]) == (409, "transition_refused")
