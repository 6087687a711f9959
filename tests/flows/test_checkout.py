"""A shopper's way from a cart to a shipped order, over the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import travel

from apps.checkout.models import Cart
from apps.checkout.services import cleanup_carts
from apps.inventory import services as inventory
from apps.inventory.models import StockLevel
from apps.orders.models import Order
from apps.pricing.services import set_price
from apps.products.models import Variant
from apps.stores.models import Store
from tests.flows.conftest import ADDRESS, Buyer, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_cart_adds_up(buyer: Buyer) -> None:
    cart = buyer.fill(("MUG", 2), ("BOOK", 1))

    # 2 x 12.00 and 4.95 shipping with 21 %, 20.00 with 4 %, all included.
    assert cart["totals"] == {
        "subtotal": eur("44.00"),
        "discount": eur("0.00"),
        "shipping": eur("4.95"),
        "tax": eur("5.80"),
        "total": eur("48.95"),
        "due": eur("48.95"),
        "tax_included": True,
    }
    assert [line["line_total"] for line in cart["lines"]] == [eur("24.00"), eur("20.00")]
    assert cart["problems"] == []


def test_a_fresh_cart_tells_what_is_missing(api: APIClient, shop: Shop) -> None:
    cart = api.post("/api/v1/carts/", {}).json()

    assert [p["code"] for p in cart["problems"]] == ["empty", "missing_email", "missing_address"]
    refused = api.post(f"/api/v1/carts/{cart['id']}/checkout/", {"payment": {"gateway": "manual"}})
    assert (refused.status_code, refused.json()["code"]) == (400, "cart_incomplete")


def test_shipping_methods_are_priced_for_the_cart(buyer: Buyer) -> None:
    buyer.fill(("MUG", 1))

    # A Friday: Monday at the earliest, and the Friday after at the latest.
    with travel(datetime(2030, 6, 7, 9, 0, tzinfo=UTC), tick=False):
        methods = buyer.client.get(f"/api/v1/carts/{buyer.cart_id}/shipping-methods/").json()

    assert methods == [
        {
            "code": "post",
            "name": "Post",
            "price": eur("4.95"),
            "estimated_days": {"min": 1, "max": 5},
            "estimated_delivery": {"earliest": "2030-06-10", "latest": "2030-06-14"},
            "kind": "delivery",
        }
    ]


def test_shipping_is_free_above_its_limit(buyer: Buyer) -> None:
    assert buyer.fill(("BOOK", 5))["totals"]["shipping"] == eur("0.00")


def test_manual_checkout_confirms_commits_and_mails(
    buyer: Buyer, shop: Shop, drain: Callable[[], int], django_capture_on_commit_callbacks: Any
) -> None:
    buyer.fill(("MUG", 4))

    answer = buyer.checkout()
    with django_capture_on_commit_callbacks(execute=True):
        drain()

    placed = answer.json()
    assert answer.status_code == 201
    assert placed["order"]["number"] == "WEB-1"
    assert placed["order"]["status"] == "confirmed"
    assert placed["order"]["payment_status"] == "authorized"
    assert placed["order"]["totals"]["total"] == eur("52.95")
    assert placed["payment"]["status"] == "authorized"
    # No location holds four mugs: three from the near one, one from the far one.
    levels = StockLevel.objects.filter(variant=shop.mug).order_by("location__priority")
    assert list(levels.values_list("on_hand", "held", "committed")) == [(3, 0, 3), (2, 0, 1)]
    assert [(m.to, "WEB-1" in m.subject) for m in mail.outbox] == [(["ana@example.com"], True)]


def test_guest_sees_the_order_by_its_token_only(
    buyer: Buyer, api: APIClient, as_stranger: APIClient
) -> None:
    buyer.fill(("MUG", 1))
    order = buyer.checkout().json()["order"]

    url = f"/api/v1/orders/{order['number']}/"
    assert api.get(url, {"token": order["token"]}).json()["number"] == order["number"]
    for refused in (
        api.get(url),
        api.get(url, {"token": "guess"}),
        as_stranger.get(url),
        as_stranger.get(url, {"token": ""}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


def test_customers_cart_and_order_are_theirs_alone(
    as_shopper: APIClient, as_stranger: APIClient, api: APIClient, shop: Shop
) -> None:
    mine = Buyer(as_shopper)
    mine.fill(("MUG", 1))

    cart_url = f"/api/v1/carts/{mine.cart_id}/"
    assert [c.get(cart_url).status_code for c in (as_shopper, as_stranger, api)] == [200, 404, 404]
    order = mine.checkout().json()["order"]
    order_url = f"/api/v1/orders/{order['number']}/"
    assert as_shopper.get(order_url).status_code == 200
    # A signed-in customer's order isn't opened by its token: it is that customer's.
    assert api.get(order_url, {"token": order["token"]}).status_code == 404
    assert as_stranger.get(order_url, {"token": order["token"]}).status_code == 404
    numbers = [o["number"] for o in as_shopper.get("/api/v1/orders/").json()["results"]]
    assert numbers == [order["number"]]
    assert as_stranger.get("/api/v1/orders/").json()["results"] == []


def test_claiming_a_cart_takes_in_the_older_one(
    as_shopper: APIClient, api: APIClient, shop: Shop
) -> None:
    older, guest = Buyer(as_shopper), Buyer(api)
    older.fill(("BOOK", 1))
    guest.fill(("MUG", 2))

    cart = as_shopper.post(f"/api/v1/carts/{guest.cart_id}/claim/").json()

    assert {line["sku"]: line["quantity"] for line in cart["lines"]} == {"MUG": 2, "BOOK": 1}
    assert as_shopper.get(f"/api/v1/carts/{older.cart_id}/").status_code == 404
    assert api.get(f"/api/v1/carts/{guest.cart_id}/").status_code == 404


def test_stock_gone_meanwhile_refuses_with_the_fresh_cart(buyer: Buyer, shop: Shop) -> None:
    buyer.fill(("MUG", 5))
    inventory.adjust(variant=shop.mug, location=shop.near, delta=-1)

    refused = buyer.checkout()

    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "out_of_stock")
    assert problem["unavailable"] == [{"sku": "MUG", "available": 4}]
    assert [p["code"] for p in problem["cart"]["problems"]] == ["out_of_stock"]
    assert Order.objects.count() == 0
    buyer.client.patch(
        f"/api/v1/carts/{buyer.cart_id}/lines/{problem['cart']['lines'][0]['id']}/",
        {"quantity": 4},
    )
    assert buyer.checkout().status_code == 201


def test_price_changed_meanwhile_must_be_agreed_to(buyer: Buyer, shop: Shop) -> None:
    buyer.fill(("MUG", 1))
    set_price(variant=shop.mug, currency="EUR", amount=1300)

    refused = buyer.checkout()
    again = buyer.checkout()

    assert (refused.status_code, refused.json()["code"]) == (409, "price_changed")
    assert refused.json()["cart"]["totals"]["total"] == eur("17.95")
    assert again.status_code == 201
    assert again.json()["order"]["totals"]["total"] == eur("17.95")


@pytest.mark.parametrize("total", ["16.94", "16.96"])
def test_an_expected_total_that_isnt_right_refuses(buyer: Buyer, total: str) -> None:
    buyer.fill(("MUG", 1))

    refused = buyer.checkout(expected_total=eur(total))

    assert (refused.status_code, refused.json()["code"]) == (409, "price_changed")
    assert refused.json()["total"] == eur("16.95")
    assert buyer.checkout(expected_total=eur("16.95")).status_code == 201


def test_the_same_key_replays_the_same_bytes(buyer: Buyer) -> None:
    buyer.fill(("MUG", 1))

    first = buyer.checkout(key="key-1")
    second = buyer.checkout(key="key-1")
    other = buyer.checkout(key="key-1", expected_total=eur("16.95"))

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert (first.headers.get("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (
        None,
        "true",
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_ordering_a_cart_again_returns_its_order(buyer: Buyer) -> None:
    buyer.fill(("MUG", 1))

    numbers = {buyer.checkout(key=f"key-{n}").json()["order"]["number"] for n in range(3)}

    assert numbers == {"WEB-1"}
    changed = buyer.client.patch(f"/api/v1/carts/{buyer.cart_id}/", {"note": "late"})
    assert (changed.status_code, changed.json()["code"]) == (409, "cart_closed")


def test_one_call_checkout_and_its_retry(api: APIClient, shop: Shop) -> None:
    body = {
        "lines": [{"sku": "MUG", "quantity": 2}],
        "email": "erp@example.com",
        "shipping_address": ADDRESS,
        "shipping_method": "post",
        "payment": {"gateway": "manual"},
    }

    first = api.post("/api/v1/checkout/", body, HTTP_IDEMPOTENCY_KEY="one-call")
    again = api.post("/api/v1/checkout/", body, HTTP_IDEMPOTENCY_KEY="one-call")

    assert first.status_code == 201, first.json()
    assert again.content == first.content
    assert Order.objects.count() == Cart.objects.count() == 1


def test_merchant_orders_in_one_call(as_merchant: APIClient, shop: Shop) -> None:
    answer = as_merchant.post(
        "/api/v1/admin/orders/",
        {
            "lines": [{"sku": "BOOK", "quantity": 1}],
            "email": "phone@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "post",
            "payment": {"gateway": "manual"},
        },
    )

    assert answer.status_code == 201, answer.json()
    assert Order.objects.get().customer is None


def test_abandoned_carts_go_after_seven_days(buyer: Buyer) -> None:
    buyer.fill(("MUG", 1))

    assert cleanup_carts(now=timezone.now() + timedelta(days=6)) == 0
    assert cleanup_carts(now=timezone.now() + timedelta(days=8)) == 1
    assert buyer.client.get(f"/api/v1/carts/{buyer.cart_id}/").status_code == 404


@pytest.mark.parametrize(
    "quantity", [-1, 0, 0.5, 1e309, "1e3", "1", 2**63, True, [], None, {}, 1_000_001]
)
def test_absurd_quantities_are_refused(api: APIClient, shop: Shop, quantity: Any) -> None:
    body = b'{"sku": "MUG", "quantity": %s}' % json.dumps(quantity).encode()
    cart = api.post("/api/v1/carts/", {}).json()["id"]

    answer = api.generic("POST", f"/api/v1/carts/{cart}/lines/", body, "application/json")

    assert answer.status_code == 400, answer.content


@pytest.mark.parametrize("name", ["unit_price", "total", "tax", "currency", "status", "discount"])
def test_prices_from_the_client_are_refused(api: APIClient, shop: Shop, name: str) -> None:
    cart = api.post("/api/v1/carts/", {}).json()["id"]

    answer = api.post(f"/api/v1/carts/{cart}/lines/", {"sku": "MUG", "quantity": 1, name: "0.01"})

    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"field": name, "code": "unknown_field", "message": "Unknown field."}
    ]


def test_what_costs_nothing_is_confirmed_without_a_payment(buyer: Buyer, shop: Shop) -> None:
    Variant.objects.filter(pk=shop.mug.pk).update(requires_shipping=False)
    set_price(variant=shop.mug, currency="EUR", amount=0)
    cart = buyer.fill(("MUG", 1), shipping_address=None, shipping_method="")
    assert [p["code"] for p in cart["problems"]] == ["missing_address"]
    buyer.client.patch(f"/api/v1/carts/{buyer.cart_id}/", {"billing_address": ADDRESS})

    placed = buyer.checkout().json()

    assert placed["payment"] is None
    assert (placed["order"]["status"], placed["order"]["payment_status"]) == ("confirmed", "paid")


@pytest.mark.parametrize(
    ("currency", "amount", "shown"), [("JPY", 500, "1000"), ("KWD", 1234, "2.468")]
)
def test_currencies_of_no_and_three_decimals(
    buyer: Buyer, shop: Shop, currency: str, amount: int, shown: str
) -> None:
    Store.objects.filter(pk=shop.store.pk).update(currencies=[currency])
    Variant.objects.filter(pk=shop.mug.pk).update(requires_shipping=False)
    set_price(variant=shop.mug, currency=currency, amount=amount)

    made = buyer.client.post(
        "/api/v1/carts/", {"currency": currency, "lines": [{"sku": "MUG", "quantity": 2}]}
    ).json()
    buyer.cart_id = made["id"]
    buyer.client.patch(
        f"/api/v1/carts/{buyer.cart_id}/", {"email": "a@example.com", "billing_address": ADDRESS}
    )
    placed = buyer.checkout().json()

    assert made["totals"]["total"] == {"amount": shown, "currency": currency}
    assert placed["order"]["totals"]["total"] == {"amount": shown, "currency": currency}
    assert placed["order"]["status"] == "confirmed"
