"""T35: steps of a sale that are left out, taken twice, or taken by somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from apps.fulfillment.models import Fulfillment
from apps.orders import states
from apps.orders.models import Order
from apps.payments.models import Payment
from tests.contract.shop import BASE
from tests.flows.conftest import ADDRESS, Buyer
from tests.returns.conftest import buy, pay_and_send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants"), pytest.mark.once]

VISIBLE = {"status", "payment_status", "fulfillment_status"}
SECURE = {"gateway": "stripe", "method": "pm_card_threeDSecure2Required"}


def _refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def _axes(order: Order) -> dict[str, str]:
    return Order.objects.filter(pk=order.pk).values(*VISIBLE).get()


LACKS = {
    "email": {"shipping_address": ADDRESS, "shipping_method": "post"},
    "shipping_address": {"email": "ana@example.com"},
    "shipping_method": {"email": "ana@example.com", "shipping_address": ADDRESS},
}


@pytest.mark.parametrize("missing", LACKS)
def test_cart_that_lacks_something_is_not_paid(api, shop, missing):
    made = api.post(f"{BASE}/carts/", {"lines": [{"sku": "MUG", "quantity": 1}]}).json()
    cart = f"{BASE}/carts/{made['id']}/"
    assert api.patch(cart, LACKS[missing]).status_code == 200
    answer = api.post(f"{cart}checkout/", {"payment": {"gateway": "manual"}})
    assert answer.status_code in (400, 409), answer.json()
    assert (Order.objects.count(), Payment.objects.count()) == (0, 0)


def test_empty_cart_is_not_ordered(api, shop):
    cart = api.post(f"{BASE}/carts/", {}).json()["id"]
    known = {"email": "ana@example.com", "shipping_address": ADDRESS}
    assert api.patch(f"{BASE}/carts/{cart}/", known).status_code == 200
    answer = api.post(f"{BASE}/carts/{cart}/checkout/", {"payment": {"gateway": "manual"}})
    assert answer.status_code in (400, 409)
    assert Order.objects.count() == 0


@pytest.fixture
def unpaid(buyer, simulator) -> Order:
    """The bank has asked its question, and nobody has answered."""
    buyer.fill(("MUG", 1))
    placed = buyer.checkout(**SECURE, return_url="https://shop.example/done")
    return Order.objects.get(number=placed.json()["order"]["number"])


def test_shopper_moves_no_order_on(api, as_shopper, unpaid):
    """What staff and payments do is at no address of theirs, with the order's token either."""
    before = _axes(unpaid)
    base = f"{BASE}/orders/{unpaid.number}/"
    tries = ("status/", "confirm/", "capture/", "fulfill/", "refund/", "payments/", "complete/")
    for client in (api, as_shopper):
        for path in tries:
            for method in ("post", "put", "patch"):
                url = f"{base}{path}?token={unpaid.token}"
                assert getattr(client, method)(url, {"status": "confirmed"}).status_code in (
                    404,
                    405,
                )
        # The page that the bank leads back to believes the gateway alone.
        client.get(f"/checkout/returned/?redirect_status=succeeded&token={unpaid.token}")
        client.get(f"/orders/{unpaid.number}/?token={unpaid.token}&redirect_status=succeeded")
    assert _axes(unpaid) == before
    assert before["status"] == "pending"


def test_unpaid_order_is_neither_sent_nor_completed(as_merchant, unpaid):
    admin = f"{BASE}/admin/orders/{unpaid.number}/"
    assert as_merchant.post(f"{admin}fulfill/", {}).status_code == 409
    for status in ("processing", "shipped", "delivered", "completed", "confirmed"):
        answer = as_merchant.put(f"{admin}status/", {"status": status})
        assert answer.status_code in (400, 409), status
    assert Order.objects.get().status == "pending"
    assert Fulfillment.objects.count() == 0


@pytest.mark.parametrize("state", states.STATES)
def test_every_transition_that_the_table_has_not_is_refused(as_merchant, buyer, state):
    """From each state, by hand, to each other: 409, and nothing has moved."""
    order = buy(buyer, ("MUG", 1))
    Order.objects.filter(pk=order.pk).update(status=state)
    allowed = {states.target(state, event) for event in states.BY_HAND}
    admin = f"{BASE}/admin/orders/{order.number}/status/"
    for wanted in set(states.STATES) - allowed:
        answer = as_merchant.put(admin, {"status": wanted})
        assert answer.status_code in (400, 409), wanted
        assert Order.objects.get().status == state
    # The table's own truth is kept for the invariants at the end.
    Order.objects.filter(pk=order.pk).update(status="confirmed")


def test_money_moves_only_forward(as_merchant, buyer):
    order = buy(buyer, ("MUG", 2))
    payment = order.payments.get()
    url = f"{BASE}/admin/payments/{payment.public_id}/"
    euro = {"currency": "EUR"}
    assert as_merchant.post(f"{url}refund/", {}).status_code == 409
    for amount in ("0.00", "-1.00", "99999.00"):
        answer = as_merchant.post(f"{url}capture/", {"amount": {"amount": amount, **euro}})
        assert answer.status_code in (400, 409), amount
    other = {"amount": {"amount": "1.00", "currency": "USD"}}
    assert as_merchant.post(f"{url}capture/", other).status_code == 400
    assert as_merchant.post(f"{url}capture/", {}).status_code == 200
    for verb in ("capture/", "void/"):
        assert as_merchant.post(f"{url}{verb}", {}).status_code in (200, 409)
    payment.refresh_from_db()
    assert (payment.captured_amount, payment.status) == (payment.amount, "captured")
    for amount in ("0.00", "-1.00", "28.96"):
        answer = as_merchant.post(f"{url}refund/", {"amount": {"amount": amount, **euro}})
        assert answer.status_code in (400, 409), amount
    payment.refresh_from_db()
    assert payment.refunded_amount == 0


def test_cancelled_order_is_neither_captured_nor_sent(as_merchant, buyer):
    order = buy(buyer, ("MUG", 1))
    admin = f"{BASE}/admin/orders/{order.number}/"
    assert as_merchant.put(f"{admin}status/", {"status": "cancelled"}).status_code == 200
    payment = order.payments.get()
    capture = as_merchant.post(f"{BASE}/admin/payments/{payment.public_id}/capture/", {})
    assert capture.status_code == 409
    assert as_merchant.post(f"{admin}fulfill/", {}).status_code == 409
    payment.refresh_from_db()
    assert (payment.captured_amount, Fulfillment.objects.count()) == (0, 0)


def test_nothing_comes_back_that_was_not_sent(api, buyer):
    order = buy(buyer, ("MUG", 1))
    line = {"order_line": str(order.lines.get().public_id), "quantity": 1, "reason": "defective"}
    url = f"{BASE}/orders/{order.number}/returns/?token={order.token}"
    early = api.post(url, {"lines": [line]})
    assert early.status_code in (400, 409)
    pay_and_send(order)
    assert api.post(url, {"lines": [{**line, "quantity": 2}]}).status_code in (400, 409)
    assert api.post(url, {"lines": [line, line]}).status_code in (400, 409)
    assert api.post(url, {"lines": [line]}).status_code == 201
    assert api.post(url, {"lines": [line]}).status_code in (400, 409)


def test_token_of_one_order_moves_no_other(api, shop):
    first, second = (buy(Buyer(type(api)()), ("MUG", 1)) for _n in range(2))
    for path in ("", "cancel/", "returns/", "withdrawal/", "returns/preview/"):
        url = f"{BASE}/orders/{first.number}/{path}?token={second.token}"
        answer = api.post(url, {}) if path else api.get(url)
        unknown = (
            api.post(url.replace(first.number, "WEB-999"), {})
            if path
            else api.get(url.replace(first.number, "WEB-999"))
        )
        assert (path, answer.status_code) == (path, 404)
        # Nor does the refusal tell that there is such an order.
        told, other = answer.json(), unknown.json()
        told.pop("request_id"), other.pop("request_id")
        assert told == other
    assert Order.objects.filter(status="cancelled").count() == 0
