"""What the merchant does with an order: note, ship, deliver, cancel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from apps.inventory import services as inventory
from apps.inventory.models import StockLevel, StockMovement
from apps.orders.models import Order
from apps.payments import services as payments
from apps.payments.gateways.stripe.simulator import StripeSimulator
from tests.factories.accounts import StaffFactory
from tests.flows.conftest import Buyer, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


@pytest.fixture
def order(buyer: Buyer) -> Order:
    buyer.fill(("MUG", 4), ("BOOK", 1))
    return Order.objects.get(number=buyer.checkout().json()["order"]["number"])


def _stock(shop: Shop) -> list[tuple[int, int, int]]:
    levels = StockLevel.objects.filter(variant=shop.mug).order_by("location__priority")
    return list(levels.values_list("on_hand", "held", "committed"))


def test_shipping_takes_stock_and_tells_the_customer(
    order: Order,
    shop: Shop,
    as_merchant: APIClient,
    api: APIClient,
    drain: Callable[[], int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    base = f"/api/v1/admin/orders/{order.number}"
    noted = as_merchant.post(f"{base}/notes/", {"message": "Wrap it nicely."})
    shipped = as_merchant.post(
        f"{base}/fulfill/", {"carrier": "Correos", "tracking_number": "PQ123"}
    )
    with django_capture_on_commit_callbacks(execute=True):
        drain()

    assert (noted.status_code, shipped.status_code) == (201, 201), shipped.json()
    assert _stock(shop) == [(0, 0, 0), (1, 0, 0)]
    assert "PQ123" in mail.outbox[-1].body
    seen = api.get(f"/api/v1/orders/{order.number}/", {"token": order.token}).json()
    assert (seen["status"], seen["fulfillment_status"]) == ("shipped", "fulfilled")
    assert [f["tracking_number"] for f in seen["fulfillments"]] == ["PQ123"]
    # The private note isn't the customer's to read.
    assert [entry["kind"] for entry in seen["timeline"]] == ["created", "confirm", "ship"]


def test_shipping_in_two_parcels(order: Order, shop: Shop, as_merchant: APIClient) -> None:
    mugs = order.lines.get(sku="MUG")
    base = f"/api/v1/admin/orders/{order.number}"

    first = as_merchant.post(
        f"{base}/fulfill/", {"lines": [{"id": str(mugs.public_id), "quantity": 3}]}
    )
    order.refresh_from_db()
    partly = order.status, order.fulfillment_status
    too_many = as_merchant.post(
        f"{base}/fulfill/", {"lines": [{"id": str(mugs.public_id), "quantity": 2}]}
    )
    rest = as_merchant.post(f"{base}/fulfill/", {})
    again = as_merchant.post(f"{base}/fulfill/", {})

    assert first.status_code == 201
    assert partly == ("processing", "partially_fulfilled")
    assert (too_many.status_code, too_many.json()["code"]) == (409, "nothing_to_ship")
    assert rest.status_code == 201
    assert again.status_code == 409
    order.refresh_from_db()
    assert (order.status, order.fulfillment_status) == ("shipped", "fulfilled")
    shipped = StockMovement.objects.filter(reason="ship", level__variant=shop.mug)
    assert sum(m.delta for m in shipped) == -4


def test_delivery_and_tracking(order: Order, as_merchant: APIClient) -> None:
    shipment = as_merchant.post(f"/api/v1/admin/orders/{order.number}/fulfill/", {}).json()
    url = f"/api/v1/admin/fulfillments/{shipment['id']}"

    tracked = as_merchant.put(f"{url}/tracking/", {"carrier": "DHL", "tracking_number": "JD1"})
    delivered = as_merchant.post(f"{url}/delivered/")

    assert tracked.json()["tracking_number"] == "JD1"
    assert delivered.json()["status"] == "delivered"
    order.refresh_from_db()
    assert order.status == "delivered"


def test_cancelling_gives_stock_and_money_back(
    order: Order, shop: Shop, api: APIClient, drain: Callable[[], int]
) -> None:
    cancelled = api.post(f"/api/v1/orders/{order.number}/cancel/?token={order.token}", {})
    drain()

    assert cancelled.json()["status"] == "cancelled"
    assert _stock(shop) == [(3, 0, 0), (2, 0, 0)]
    assert order.payments.get().status == "voided"


def test_customer_cannot_cancel_what_is_being_packed(
    order: Order, api: APIClient, as_merchant: APIClient
) -> None:
    moved = as_merchant.put(
        f"/api/v1/admin/orders/{order.number}/status/", {"status": "processing"}
    )
    refused = api.post(f"/api/v1/orders/{order.number}/cancel/?token={order.token}", {})

    assert moved.json()["status"] == "processing"
    assert (refused.status_code, refused.json()["code"]) == (409, "transition_refused")


@pytest.mark.parametrize("status", ["confirmed", "shipped", "completed", "delivered", "pending"])
def test_states_cannot_be_skipped(order: Order, as_merchant: APIClient, status: str) -> None:
    refused = as_merchant.put(f"/api/v1/admin/orders/{order.number}/status/", {"status": status})

    assert (refused.status_code, refused.json()["code"]) == (409, "transition_refused")
    assert refused.json()["allowed"] == ["process", "cancel"]


def test_manual_payment_is_captured_and_refunded_in_parts(
    order: Order, as_merchant: APIClient, drain: Callable[[], int]
) -> None:
    payment = order.payments.get()
    url = f"/api/v1/admin/payments/{payment.public_id}"

    early = as_merchant.post(f"{url}/refund/", {})
    captured = as_merchant.post(f"{url}/capture/", {})
    part = as_merchant.post(
        f"{url}/refund/", {"amount": {"amount": "10.00", "currency": "EUR"}, "reason": "dent"}
    )
    too_much = as_merchant.post(
        f"{url}/refund/", {"amount": {"amount": "62.96", "currency": "EUR"}}
    )
    other = as_merchant.post(f"{url}/refund/", {"amount": {"amount": "1.00", "currency": "USD"}})
    rest = as_merchant.post(f"{url}/refund/", {})
    drain()

    assert (early.status_code, early.json()["code"]) == (409, "not_refundable")
    assert captured.json()["captured"] == {"amount": "72.95", "currency": "EUR"}
    assert part.json()["refunded"] == {"amount": "10.00", "currency": "EUR"}
    assert (too_much.status_code, too_much.json()["code"]) == (409, "refund_too_large")
    assert too_much.json()["refundable"] == 6295
    assert (other.status_code, other.json()["code"]) == (400, "wrong_currency")
    assert rest.json()["refunded"] == {"amount": "72.95", "currency": "EUR"}
    order.refresh_from_db()
    assert order.payment_status == "refunded"


def test_a_paid_order_whose_stock_had_gone_ships_after_restocking(
    buyer: Buyer, shop: Shop, as_merchant: APIClient, simulator: StripeSimulator
) -> None:
    buyer.fill(("MUG", 5))
    buyer.checkout("stripe", method="pm_card_threeDSecure2Required", return_url="https://x.example")
    order = Order.objects.get()
    # The hold was lost, and somebody else bought the mugs, before the bank said yes.
    inventory.release(reference=order.reference)
    inventory.adjust(variant=shop.mug, location=shop.near, delta=-3)
    payment = order.payments.get()
    simulator.complete_action(payment.provider_id)
    payments.reconcile(now=timezone.now() + timedelta(minutes=3))

    order.refresh_from_db()
    kinds = list(order.timeline.values_list("kind", flat=True))
    url = f"/api/v1/admin/orders/{order.number}/fulfill/"
    early = as_merchant.post(url, {})
    inventory.receive(variant=shop.mug, location=shop.near, quantity=3)
    late = as_merchant.post(url, {})

    assert (order.status, "stock_short" in kinds) == ("confirmed", True)
    assert (early.status_code, early.json()["code"]) == (409, "out_of_stock")
    assert late.status_code == 201
    assert _stock(shop) == [(0, 0, 0), (0, 0, 0)]


def test_cancelling_by_status_needs_its_own_permission(
    order: Order, client_for: Callable[[Any], APIClient]
) -> None:
    packer = StaffFactory(permissions=["orders.transition_order"])

    url = f"/api/v1/admin/orders/{order.number}/status/"
    refused = client_for(packer).put(url, {"status": "cancelled"})
    moved = client_for(packer).put(url, {"status": "processing"})

    assert (refused.status_code, moved.status_code) == (403, 200)
