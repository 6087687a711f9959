"""What a caller mustn't set is refused and stays as it was: owners, states, prices, roles."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import models

from apps.accounts.models import User
from apps.checkout.models import Cart, CartLine
from apps.customers.models import Address, Consent, Customer, CustomerEvent
from apps.fraud.models import Assessment, FraudRule, FraudSettings
from apps.fulfillment.models import Fulfillment
from apps.inventory.models import StockLevel
from apps.orders.models import (
    Approval,
    BulkJob,
    ExportRun,
    Order,
    OrderEdit,
    OrderLine,
    SavedExport,
)
from apps.payments.models import GiftCard, ReconciliationDifference, SavedMethod
from apps.pricing.models import Price
from apps.products.models import Product, Variant
from apps.promotions.models import Coupon, Promotion
from apps.returns.models import ReturnLine, ReturnPhoto, ReturnRequest, Withdrawal
from apps.reviews.models import Review, ReviewPhoto, ReviewReport
from apps.taxes.models import VATCheck
from apps.wishlists.models import Alert, RecentView, Wishlist, WishlistItem
from tests.contract.shop import BASE, Furnished, values_for
from tests.permissions.matrix import STOREFRONT
from tests.permissions.operations import Operation, operations, resolve

pytestmark = pytest.mark.once

# Operation → the rows behind it, whose every field is tried.
TARGETS: dict[str, tuple[type[models.Model], ...]] = {
    "POST /auth/register/": (User, Customer),
    "PATCH /me/": (User, Customer),
    "POST /consents/": (Consent,),
    "POST /privacy/requests/": (Customer,),
    "POST /me/addresses/": (Address,),
    "PATCH /me/addresses/{id}/": (Address,),
    "PATCH /me/reviews/{id}/": (Review,),
    "POST /products/{slug}/reviews/": (Review,),
    "POST /reviews/uploads/": (ReviewPhoto,),
    "POST /reviews/{id}/report/": (ReviewReport,),
    "POST /alerts/": (Alert,),
    "POST /me/alerts/": (Alert,),
    "POST /me/recently-viewed/": (RecentView,),
    "POST /me/wishlists/": (Wishlist,),
    "PATCH /me/wishlists/{id}/": (Wishlist,),
    "POST /me/wishlists/{wishlist_id}/items/": (WishlistItem,),
    "PATCH /me/wishlists/{wishlist_id}/items/{item_id}/": (WishlistItem,),
    "POST /me/wishlists/{wishlist_id}/items/{item_id}/move-to-cart/": (WishlistItem, CartLine),
    "POST /carts/": (Cart, CartLine),
    "PATCH /carts/{cart_id}/": (Cart, CartLine),
    "POST /carts/{cart_id}/discounts/": (Cart, Coupon, Promotion),
    "POST /carts/{cart_id}/lines/": (CartLine, Variant),
    "PATCH /carts/{cart_id}/lines/{line_id}/": (CartLine, Variant),
    "POST /carts/{cart_id}/checkout/": (Order, OrderLine),
    "POST /checkout/": (Cart, Order, OrderLine),
    "POST /gift-cards/balance/": (GiftCard,),
    "POST /vat-numbers/check/": (VATCheck,),
    "POST /orders/{number}/cancel/": (Order,),
    "POST /orders/{number}/returns/": (ReturnRequest, ReturnLine),
    "POST /orders/{number}/returns/photos/": (ReturnPhoto,),
    "POST /orders/{number}/returns/preview/": (ReturnRequest, ReturnLine),
    "POST /orders/{number}/withdrawal/": (Withdrawal, Order),
    "POST /withdrawals/": (Withdrawal, Order),
    "PATCH /me/payment-methods/{id}/": (SavedMethod,),
    "POST /admin/returns/{id}/approve/": (ReturnRequest,),
    "POST /admin/returns/{id}/refund/": (ReturnRequest,),
    "POST /admin/payment-differences/{id}/resolve/": (ReconciliationDifference,),
    "POST /admin/gift-cards/": (GiftCard,),
    "POST /admin/gift-cards/{id}/adjust/": (GiftCard,),
    "POST /admin/orders/": (Order, OrderLine),
    "PUT /admin/orders/{number}/status/": (Order,),
    "POST /admin/orders/{number}/edit/": (Order, OrderLine, OrderEdit),
    "POST /admin/orders/{number}/combine/": (Order,),
    "POST /admin/orders/{number}/split/": (Order, OrderLine),
    "POST /admin/orders/{number}/cancel-lines/": (Order, OrderLine, OrderEdit),
    "POST /admin/orders/{number}/notes/": (Order,),
    "PUT /admin/orders/{number}/tags/": (Order,),
    "PUT /admin/orders/{number}/assignee/": (Order,),
    "POST /admin/orders/bulk/": (Order, BulkJob),
    "POST /admin/fulfillments/together/": (Order, Fulfillment),
    "POST /admin/orders/exports/": (SavedExport, ExportRun),
    "PATCH /admin/orders/exports/{id}/": (SavedExport, ExportRun),
    "POST /admin/fraud/rules/": (FraudRule,),
    "PATCH /admin/fraud/rules/{id}/": (FraudRule,),
    "PATCH /admin/fraud/settings/{code}/": (FraudSettings,),
    "POST /admin/fraud/assessments/{id}/reject/": (Assessment,),
    "POST /admin/approvals/{id}/refuse/": (Approval,),
    "POST /admin/products/": (Product,),
    "PATCH /admin/products/{slug}/": (Product,),
    "POST /admin/products/{slug}/variants/": (Variant,),
    "PATCH /admin/variants/{sku}/": (Variant,),
    "PATCH /admin/customers/{id}/": (User, Customer),
    "POST /admin/customers/{id}/merge/": (User, Customer),
    "POST /admin/customers/{id}/merge/preview/": (User, Customer),
    "POST /admin/customers/{id}/notes/": (Customer, CustomerEvent),
    "PUT /admin/customers/{id}/tags/": (Customer,),
    "PATCH /admin/prices/{id}/": (Price,),
    "PUT /admin/products/{slug}/inventory/": (StockLevel,),
}
# Beside the fields: what other shops let through.
FAVOURITES = (
    "id",
    "pk",
    "is_staff",
    "is_superuser",
    "groups",
    "user_permissions",
    "role",
    "roles",
    "balance",
    "credit_limit",
    "tax_exempt",
    "verified_at",
    "vendor",
    "vendor_id",
    "customer_id",
    "user_id",
    "price",
    "unit_price",
    "line_total",
    "total",
    "totals",
    "tax",
    "discount",
    "shipping",
    "paid",
    "payment_status",
    "__proto__",
    "constructor",
)
ROWS = (
    User,
    Customer,
    Address,
    Cart,
    CartLine,
    Order,
    OrderLine,
    Product,
    Variant,
    Price,
    Review,
    SavedMethod,
)


def by_key(key: str) -> Operation:
    return next(o for o in operations() if o.key == key)


def ask(furnished: Furnished, operation: Operation, body: Any) -> Any:
    client = furnished.ana.client if operation.key in STOREFRONT else furnished.merchant
    url = operation.url(**values_for(operation.path, furnished.hits))
    return client.generic(operation.method, url, json.dumps(body), content_type="application/json")


def everything() -> dict[str, Any]:
    """Every row that matters, but for the moments that reading leaves behind."""
    return {
        f"{model.__name__} {row['id']}": {k: v for k, v in row.items() if k != "last_login"}
        for model in ROWS
        for row in model._default_manager.values()
    }


@pytest.mark.parametrize("key", sorted(TARGETS))
def test_field_that_isnt_offered_is_refused(furnished, key):
    operation = by_key(key)
    offered = set(operation.request_schema()["properties"])
    names = {field.name for model in TARGETS[key] for field in model._meta.get_fields()}
    names |= {f"{name}_id" for name in names} | set(FAVOURITES)
    before, wrong = everything(), {}
    for number, name in enumerate(sorted(names - offered)):
        response = ask(furnished, operation, {name: (True, 1, "owner")[number % 3]})
        errors = {(e["field"], e["code"]) for e in response.json().get("errors", ())}
        if response.status_code != 400 or (name, "unknown_field") not in errors:
            wrong[name] = response.status_code
    assert wrong == {}
    assert everything() == before


def test_every_write_of_a_shopper_is_among_the_targets():
    """A new one needs a line above. Signing in and out write nothing of a shopper's."""
    writes = {
        o.key
        for o in operations()
        if o.key in STOREFRONT and o.method != "GET" and o.request_schema() is not None
    }
    assert {key for key in writes if "/auth/" not in key} <= set(TARGETS)


def test_my_own_rights_stay_what_they_are(furnished):
    """Nested, and beside what may be changed: nothing of the body is taken."""
    for body in (
        {"first_name": "Eve", "is_staff": True},
        {"first_name": "Eve", "user": {"is_staff": True}},
        {"first_name": "Eve", "group": "vip"},
        {"first_name": "Eve", "email": "eve@example.com"},
    ):
        assert furnished.ana.client.patch(f"{BASE}/me/", body).status_code == 400
    furnished.ana.customer.refresh_from_db()
    furnished.ana.user.refresh_from_db()
    assert furnished.ana.customer.first_name == "Ana"
    assert (furnished.ana.user.is_staff, furnished.ana.customer.group) == (False, None)


QUANTITIES = [
    -1,
    0,
    0.5,
    1.0,
    "1",
    "1e3",
    2**31,
    2**63,
    2**64,
    10**30,
    True,
    False,
    [],
    [1],
    {},
    None,
    "",
    1_000_001,
]


@pytest.mark.parametrize("quantity", QUANTITIES, ids=repr)
def test_quantity_that_is_none_is_refused_everywhere(furnished, quantity):
    """T13. Every member of a body that is called so, wherever the contract has one."""
    before, tried, wrong = everything(), 0, {}
    for operation in operations():
        schema = operation.request_schema()
        if schema is None:
            continue
        for body in with_quantity(schema, quantity):
            tried += 1
            response = ask(furnished, operation, body)
            told = [e for e in response.json()["errors"] if e["field"].endswith("quantity")]
            if quantity == -1 and operation.path == "/admin/inventory/adjust/":
                # Here a negative quantity takes pieces away.
                continue
            if quantity == 0 and operation.path.endswith("/edit/"):
                # Here none takes the line out.
                continue
            if response.status_code != 400 or not told:
                wrong[f"{operation.key} {body}"] = response.status_code
    assert wrong == {}
    assert tried >= 9
    assert everything() == before


def with_quantity(schema: Any, quantity: Any) -> list[Any]:
    """Bodies of `schema` whose one member is a quantity."""
    schema = resolve(schema)
    bodies = []
    for name, inner in schema.get("properties", {}).items():
        if name in ("quantity", "min_quantity"):
            # Null means "as it is" where a quantity may be left out.
            bodies.append({name: quantity})
        elif inner.get("type") == "array":
            bodies += [{name: [body]} for body in with_quantity(inner["items"], quantity)]
    return bodies


@pytest.mark.parametrize("number", ["1e309", "-1e309", "NaN", "Infinity", "9" * 5000, "1" * 400])
def test_number_beyond_all_numbers_is_refused(furnished, number):
    body = f'{{"sku": "BOOK", "quantity": {number}}}'
    url = f"{BASE}/carts/{furnished.ana.cart_id}/lines/"
    response = furnished.ana.client.generic("POST", url, body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["code"] in ("malformed_request", "validation_error")


def test_a_million_lines_are_refused_quickly(furnished):
    """By number where they fit into the body's limit, by size where they don't."""
    line = {"sku": "BOOK", "quantity": 1}
    many = furnished.ana.client.post(f"{BASE}/carts/", {"lines": [line] * 50_000})
    assert (many.status_code, many.json()["code"]) == (400, "validation_error")
    more = furnished.ana.client.post(f"{BASE}/carts/", {"lines": [line] * 1_000_000})
    assert (more.status_code, more.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "amount", ["-0.01", "1.001", "1e3", "NaN", "١", " 1", "", "9" * 40, 1, None]
)
def test_amount_that_is_no_money_is_refused(furnished, amount):
    payment = (
        f"{BASE}/admin/payments/{furnished.hits['/admin/payments/{payment_id}/']['payment_id']}"
    )
    money = {"amount": amount, "currency": "EUR"}
    for url, body in (
        (f"{payment}/refund/", {"amount": money}),
        (f"{payment}/capture/", {"amount": money}),
        (f"{BASE}/admin/prices/", {"sku": "BOOK", "price": money}),
        (
            f"{BASE}/carts/{furnished.ana.cart_id}/checkout/",
            {"payment": {"gateway": "manual"}, "expected_total": money},
        ),
    ):
        client = furnished.merchant if "admin" in url else furnished.ana.client
        response = client.post(url, body)
        assert (url, response.status_code) == (url, 400)
