"""Two orders of one customer that become one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.checkout.services import combine_orders
from apps.fulfillment.services import fulfill
from apps.inventory.models import StockLevel
from apps.inventory.selectors import committed_to
from apps.orders import services
from apps.orders.models import Order
from apps.orders.services import LineChange, OrderChanges
from apps.payments import services as payments
from apps.pricing.services import set_price
from apps.products.models import Variant
from apps.promotions.models import Redemption
from tests.factories.promotions import PromotionFactory
from tests.flows.conftest import ADDRESS, Buyer, Shop
from tests.truths import untruths

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

SUMS = ("subtotal", "discount", "shipping", "tax", "total")


def _place(buyer: Buyer, *lines: tuple[str, int], **changes: Any) -> Order:
    buyer.fill(*lines, **changes)
    return Order.objects.get(number=buyer.checkout().json()["order"]["number"])


@pytest.fixture
def two(buyer: Buyer) -> tuple[Order, Order]:
    return _place(buyer, ("MUG", 2), ("BOOK", 1)), _place(buyer, ("MUG", 1))


def test_goods_stock_and_money_become_one(two: tuple[Order, Order], shop: Shop) -> None:
    order, other = two
    payments.capture(payment=other.payments.get())
    combine_orders(order=order, other=other)
    order.refresh_from_db()
    other.refresh_from_db()

    assert list(order.lines.values_list("sku", "quantity")) == [("MUG", 2), ("BOOK", 1), ("MUG", 1)]
    assert (order.total, order.shipping) == (4895 + 1695, 990)
    assert committed_to(order.reference) == {shop.mug.pk: 3, shop.book.pk: 1}
    assert (other.status, other.captured_amount, committed_to(other.reference)) == (
        "cancelled",
        0,
        {},
    )
    assert (order.captured_amount, order.payment_status) == (1695, "partially_paid")
    assert order.payments.count() == 2
    assert other.timeline.last().message == f"Combined with order {order.number}."


def test_a_combined_order_is_edited_and_ships(two: tuple[Order, Order], shop: Shop) -> None:
    order, other = two
    combine_orders(order=order, other=other)
    last = order.lines.last()
    edited = OrderChanges([LineChange(line=str(last.public_id), quantity=2)])
    services.edit_order(order=order, changes=edited)
    fulfill(order=order)

    order.refresh_from_db()
    assert (order.status, order.total) == ("shipped", 4895 + 1695 + 1200)
    levels = StockLevel.objects.filter(variant=shop.mug)
    assert sum(levels.values_list("on_hand", flat=True)) == 1


def test_uses_of_a_promotion_become_one(buyer: Buyer) -> None:
    promotion = PromotionFactory(code="tenth", usage_limit=5)
    order, other = _place(buyer, ("MUG", 2)), _place(buyer, ("BOOK", 1))
    combine_orders(order=order, other=other)

    promotion.refresh_from_db()
    assert (promotion.used, Redemption.objects.get().amount) == (1, 240 + 200)
    order.refresh_from_db()
    assert [row["amount"] for row in order.quote["discounts"]] == [440]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"email": "bob@example.com"}, "email_key"),
        ({"shipping_address": {**ADDRESS, "line1": "Calle Menor 2"}}, "shipping_address"),
    ],
)
def test_what_differs_is_told(buyer: Buyer, changes: dict[str, Any], reason: str) -> None:
    order, other = _place(buyer, ("MUG", 1)), _place(buyer, ("BOOK", 1), **changes)
    with pytest.raises(services.NotCombinable) as refused:
        combine_orders(order=order, other=other)
    assert refused.value.extra == {"reason": reason}


def test_shipped_and_cancelled_orders_stay_alone(two: tuple[Order, Order]) -> None:
    order, other = two
    with pytest.raises(services.NotCombinable):
        combine_orders(order=order, other=order)
    fulfill(order=other, quantities={str(other.lines.get().public_id): 1})
    with pytest.raises(services.NotCombinable):
        combine_orders(order=order, other=other)


def test_the_call_looks_first_and_acts_once(
    two: tuple[Order, Order], as_merchant: APIClient
) -> None:
    order, other = two
    url = f"/api/v1/admin/orders/{order.number}/combine/"
    seen = as_merchant.post(url, {"number": other.number, "dry_run": True})
    done = as_merchant.post(url, {"number": other.number}, HTTP_IDEMPOTENCY_KEY="once")
    again = as_merchant.post(url, {"number": other.number}, HTTP_IDEMPOTENCY_KEY="once")
    late = as_merchant.post(url, {"number": other.number})
    nowhere = as_merchant.post(url, {"number": "NO-1"})

    assert seen.json() == {"total": {"amount": "65.90", "currency": "EUR"}}
    assert (done.json()["total"], again.json()) == (seen.json()["total"], done.json())
    assert (late.status_code, late.json()["code"]) == (409, "orders_not_combinable")
    assert nowhere.status_code == 404


@settings(
    max_examples=4,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_every_amount_is_the_sum_to_the_unit(data: st.DataObject, buyer: Buyer) -> None:
    with transaction.atomic():
        for variant in Variant.objects.all():
            set_price(variant=variant, currency="EUR", amount=data.draw(st.integers(1, 9_999)))
        percent = str(data.draw(st.integers(1, 99)))
        PromotionFactory(effect={"type": "percentage", "percent": percent, "of": "order"})
        orders = [
            _place(buyer, ("MUG", data.draw(st.integers(1, 2))), ("BOOK", 1)) for _ in range(2)
        ]
        sums = {name: sum(getattr(order, name) for order in orders) for name in SUMS}
        order = combine_orders(order=orders[0], other=orders[1])

        assert {name: getattr(order, name) for name in SUMS} == sums
        assert {name: order.quote[name] for name in SUMS} == sums
        assert sum(row["amount"] for row in order.quote["taxes"]) == sums["tax"]
        assert sum(row["amount"] for row in order.quote["discounts"]) == sums["discount"]
        assert untruths() == {}
        transaction.set_rollback(True)
