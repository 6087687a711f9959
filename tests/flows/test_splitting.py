"""Pieces of a placed order that become an order of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.checkout.services import combine_orders, split_order
from apps.fraud.models import Assessment
from apps.fraud.services import call_fraud, release
from apps.fulfillment.services import fulfill
from apps.inventory.models import StockLevel
from apps.inventory.selectors import committed_to
from apps.orders import services
from apps.orders.models import Order
from apps.orders.services import LineChange, OrderChanges
from apps.payments import services as payments
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.payments.models import StoredValue
from apps.pricing.services import set_price
from apps.products.models import Variant
from apps.promotions.models import Redemption
from tests.factories.payments import issue
from tests.factories.promotions import PromotionFactory
from tests.flows.conftest import Buyer, Shop
from tests.truths import untruths

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

SUMS = ("subtotal", "discount", "shipping", "tax", "total")
MONEY = ("authorized_amount", "captured_amount", "refunded_amount")


def _place(buyer: Buyer, *lines: tuple[str, int], **changes: Any) -> Order:
    buyer.fill(*lines, **changes)
    return Order.objects.get(number=buyer.checkout().json()["order"]["number"])


def _pieces(order: Order, **quantities: int) -> dict[str, int]:
    """By public id, named by SKU."""
    ids = {line.sku: str(line.public_id) for line in order.lines.all()}
    return {ids[sku]: n for sku, n in quantities.items()}


def _split(order: Order, **quantities: int) -> Order:
    new = split_order(order=order, pieces=_pieces(order, **quantities))
    order.refresh_from_db()
    return new


def _sold(order: Order) -> list[tuple[str, int]]:
    return list(order.lines.values_list("sku", "quantity"))


def _taxes(*orders: Order) -> dict[tuple[str, str], tuple[int, int]]:
    """Base and amount by rate, over all."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for row in (row for order in orders for row in order.quote["taxes"]):
        base, amount = found.get((row["name"], row["percent"]), (0, 0))
        found[row["name"], row["percent"]] = base + row["base"], amount + row["amount"]
    return found


@pytest.fixture
def order(buyer: Buyer) -> Order:
    """Two mugs (24.00) and a book (20.00), 4.95 for the post."""
    return _place(buyer, ("MUG", 2), ("BOOK", 1), note="Ring twice")


def test_goods_stock_and_money_go_along(order: Order, shop: Shop) -> None:
    was, taxes = order.total, _taxes(order)
    new = _split(order, MUG=1)

    assert (_sold(order), _sold(new)) == ([("MUG", 1), ("BOOK", 1)], [("MUG", 1)])
    assert (order.total, new.total, was) == (3695, 1200, 4895)
    assert (order.shipping, new.shipping, new.shipping_method) == (495, 0, "post")
    assert _taxes(order, new) == taxes
    assert committed_to(order.reference) == {shop.mug.pk: 1, shop.book.pk: 1}
    assert committed_to(new.reference) == {shop.mug.pk: 1}
    assert [(o.authorized_amount, o.payment_status) for o in (order, new)] == [
        (3695, "authorized"),
        (1200, "authorized"),
    ]
    assert (new.status, new.split_from, new.created_at, new.customer_note) == (
        "confirmed",
        order,
        order.created_at,
        "Ring twice",
    )
    assert new.timeline.get().message == f"Split off order {order.number}."
    assert order.timeline.last().message == f"Some pieces are order {new.number} now."


def test_both_are_edited_shipped_and_paid_on_their_own(order: Order, shop: Shop) -> None:
    new = _split(order, MUG=1, BOOK=1)
    edited = OrderChanges([LineChange(line=str(new.lines.get(sku="MUG").public_id), quantity=2)])
    services.edit_order(order=new, changes=edited)
    for each in (order, new):
        fulfill(order=each)
    payments.capture_order(order=order)

    for each in (order, new):
        each.refresh_from_db()
    assert (order.status, order.total, order.payment_status) == ("shipped", 1695, "paid")
    # No price of shipping comes in with the edit.
    assert (new.status, new.total, new.payment_status) == ("shipped", 4400, "authorized")
    levels = StockLevel.objects.filter(variant=shop.mug)
    assert sum(levels.values_list("on_hand", flat=True)) == 2


def test_what_has_shipped_stays(order: Order) -> None:
    fulfill(order=order, quantities=_pieces(order, MUG=1))
    with pytest.raises(services.AlreadyShipped):
        _split(order, MUG=2)
    new = _split(order, MUG=1, BOOK=1)
    assert (order.status, order.fulfillment_status) == ("shipped", "fulfilled")
    assert (new.status, new.fulfillment_status) == ("processing", "unfulfilled")


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ({}, "nothing_to_change"),
        ({"MUG": 0}, "too_many_pieces"),
        ({"MUG": 3}, "too_many_pieces"),
        ({"MUG": 2, "BOOK": 1}, "empty_order"),
    ],
)
def test_wrong_pieces_are_refused(order: Order, pieces: dict[str, int], code: str) -> None:
    with pytest.raises(services.InvalidChange) as refused:
        _split(order, **pieces)
    assert refused.value.code == code


def test_cancelled_and_packed_orders_stay_whole(order: Order) -> None:
    services.cancel(order=order)
    with pytest.raises(services.NotSplittable):
        _split(order, MUG=1)


def test_captured_by_transfer_is_divided_and_refunded_apart(order: Order) -> None:
    payments.capture(payment=order.payments.get())
    new = _split(order, BOOK=1)
    assert [(o.captured_amount, o.payment_status) for o in (order, new)] == [
        (2895, "paid"),
        (2000, "paid"),
    ]
    payments.refund(payment=new.payments.get())
    with pytest.raises(payments.RefundTooLarge):
        payments.refund(payment=order.payments.get(), amount=2896)
    payments.refund(payment=order.payments.get(), amount=2895)
    assert Order.objects.filter(payment_status="refunded").count() == 2


def test_captured_in_part_stays_whole(order: Order) -> None:
    """Nobody could say which order has what was taken."""
    payments.capture(payment=order.payments.get(), amount=1000)
    with pytest.raises(payments.PaymentIndivisible):
        _split(order, BOOK=1)
    payments.capture(payment=order.payments.get())
    assert _split(order, BOOK=1).captured_amount == 2000


def test_a_gift_card_is_divided_by_its_ledger(buyer: Buyer, shop: Shop) -> None:
    issued = issue(3000)
    buyer.fill(("MUG", 2), ("BOOK", 1))
    buyer.client.post(f"/api/v1/carts/{buyer.cart_id}/discounts/", {"code": issued.code})
    order = Order.objects.get(number=buyer.checkout().json()["order"]["number"])
    # 30.00 by the card, 18.95 by transfer: the transfer goes first, and then a part of the card.
    new = _split(order, BOOK=1)

    assert [(p.gateway, p.amount) for p in order.payments.order_by("pk")] == [("gift_card", 2895)]
    assert sorted((p.gateway, p.amount) for p in new.payments.all()) == [
        ("gift_card", 105),
        ("manual", 1895),
    ]
    services.cancel(order=new)
    payments.settle(order=new)
    assert StoredValue.objects.get(pk=issued.card.pk).balance == 105


def test_a_refunded_favour_stays_with_its_payment(order: Order) -> None:
    payments.capture(payment=order.payments.get())
    payments.refund(payment=order.payments.get(), amount=500)
    new = _split(order, BOOK=1)
    assert [(o.captured_amount, o.refunded_amount, o.payment_status) for o in (order, new)] == [
        (2895, 500, "partially_refunded"),
        (2000, 0, "paid"),
    ]


def test_more_given_back_than_stays_is_refused(order: Order) -> None:
    payments.capture(payment=order.payments.get())
    payments.refund(payment=order.payments.get(), amount=4000)
    with pytest.raises(payments.PaymentIndivisible):
        _split(order, BOOK=1)


def test_what_is_owed_is_owed_of_both(order: Order, drain: Callable[[], int]) -> None:
    edited = OrderChanges([LineChange(line=next(iter(_pieces(order, BOOK=1))), quantity=2)])
    services.edit_order(order=order, changes=edited)
    drain()
    new = _split(order, MUG=2)
    drain()

    owed = {o.number: o.total - o.payments.get().authorized_amount for o in (order, new)}
    assert (sum(owed.values()), all(owed.values())) == (2000, True)
    assert [o.pay_links.filter(open_key__isnull=False).count() for o in (order, new)] == [1, 1]


def test_a_providers_payment_stays_one(
    buyer: Buyer, simulator: StripeSimulator, as_merchant: APIClient
) -> None:
    buyer.fill(("MUG", 2), ("BOOK", 1))
    number = buyer.checkout("stripe", method="pm_card_visa").json()["order"]["number"]
    order = Order.objects.get(number=number)
    lines = [{"id": key, "quantity": n} for key, n in _pieces(order, BOOK=1).items()]
    url = f"/api/v1/admin/orders/{order.number}/split/"
    for body in ({"lines": lines}, {"lines": lines, "dry_run": True}):
        refused = as_merchant.post(url, body)
        assert (refused.status_code, refused.json()["code"]) == (409, "payment_indivisible")
        assert "Ship the order in parts" in refused.json()["detail"]
    assert Order.objects.count() == 1


def test_a_gift_card_beside_a_provider_goes_alone(
    buyer: Buyer, shop: Shop, simulator: StripeSimulator
) -> None:
    issued = issue(2000)
    buyer.fill(("MUG", 2), ("BOOK", 1))
    buyer.client.post(f"/api/v1/carts/{buyer.cart_id}/discounts/", {"code": issued.code})
    number = buyer.checkout("stripe", method="pm_card_visa").json()["order"]["number"]
    order = Order.objects.get(number=number)
    new = _split(order, BOOK=1)
    assert [o.payments.get().gateway for o in (order, new)] == ["stripe", "gift_card"]


def test_a_limited_promotion_stays_one_use(buyer: Buyer) -> None:
    promotion = PromotionFactory(code="tenth", usage_limit=1, usage_limit_per_customer=1)
    order = _place(buyer, ("MUG", 2), ("BOOK", 1))
    new = _split(order, BOOK=1)

    promotion.refresh_from_db()
    assert (promotion.used, [r.amount for r in Redemption.objects.order_by("pk")]) == (
        1,
        [240, 200],
    )
    assert (order.discount, new.discount) == (240, 200)
    # Whoever stays has the use.
    services.cancel(order=order)
    promotion.refresh_from_db()
    assert (promotion.used, Redemption.objects.get().slot) == (1, 1)
    services.cancel(order=new)
    promotion.refresh_from_db()
    assert (promotion.used, Redemption.objects.count()) == (0, 0)


def test_a_split_order_is_priced_again_on_the_terms_of_the_sale(buyer: Buyer, shop: Shop) -> None:
    promotion = PromotionFactory(code="tenth", usage_limit=1)
    order = _place(buyer, ("MUG", 2), ("BOOK", 1))
    new = _split(order, MUG=2)
    type(promotion).objects.update(ends_at=timezone.now())
    set_price(variant=shop.mug, currency="EUR", amount=9900)
    mug = str(new.lines.get().public_id)
    services.edit_order(order=new, changes=OrderChanges([LineChange(line=mug, quantity=1)]))

    new.refresh_from_db()
    assert (new.subtotal, new.discount, new.total) == (1200, 120, 1080)


@pytest.mark.parametrize("decide", [release, call_fraud])
def test_a_suspicion_is_of_both(order: Order, decide: Callable[..., Any]) -> None:
    suspicion = Assessment.objects.create(
        store=order.store,
        source="cart:x",
        order=order,
        email=order.email,
        currency="EUR",
        total=order.total,
        score=0,
        verdict="review",
    )
    services.hold_order(order=order)
    new = _split(order, BOOK=1)
    assert new.on_hold is True
    decide(assessment=suspicion)
    for each in (order, new):
        each.refresh_from_db()
        assert (each.on_hold, each.status == "cancelled") == (False, decide is call_fraud)


def test_the_call_looks_first_and_acts_once(order: Order, as_merchant: APIClient) -> None:
    url = f"/api/v1/admin/orders/{order.number}/split/"
    lines = [{"id": key, "quantity": n} for key, n in _pieces(order, MUG=1).items()]
    seen = as_merchant.post(url, {"lines": lines, "dry_run": True})
    done = as_merchant.post(url, {"lines": lines}, HTTP_IDEMPOTENCY_KEY="once")
    again = as_merchant.post(url, {"lines": lines}, HTTP_IDEMPOTENCY_KEY="once")
    twice = as_merchant.post(url, {"lines": lines * 2})
    nowhere = as_merchant.post("/api/v1/admin/orders/NO-1/split/", {"lines": lines})

    totals = {
        "total": {"amount": "36.95", "currency": "EUR"},
        "new_total": {"amount": "12.00", "currency": "EUR"},
    }
    assert seen.json() == totals
    body = done.json()
    assert {name: body[name] for name in totals} == totals
    assert (body["order"]["number"], body["new_order"]["split_from"]) == (order.number,) * 2
    assert (again.json(), Order.objects.count()) == (body, 2)
    assert (twice.status_code, nowhere.status_code) == (400, 404)


@settings(
    max_examples=8,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_split_and_combined_it_is_the_same_order(data: st.DataObject, buyer: Buyer) -> None:
    with transaction.atomic():
        for variant in Variant.objects.all():
            set_price(variant=variant, currency="EUR", amount=data.draw(st.integers(1, 999)))
        for _n in range(data.draw(st.integers(1, 2))):
            percent = str(data.draw(st.integers(1, 99)))
            PromotionFactory(effect={"type": "percentage", "percent": percent, "of": "order"})
        order = _place(buyer, ("MUG", data.draw(st.integers(1, 5))), ("BOOK", 3))
        if data.draw(st.booleans()):
            payments.capture_order(order=order)
            order.refresh_from_db()
        names = (*SUMS, *MONEY)
        was = {name: getattr(order, name) for name in names}
        taxes, quote, stock = _taxes(order), order.quote, committed_to(order.reference)
        pieces = {
            str(line.public_id): n
            for line in order.lines.all()
            if (n := data.draw(st.integers(0, line.quantity - (line.sku == "BOOK"))))
        }
        if pieces:
            new = split_order(order=order, pieces=pieces)
            order.refresh_from_db()
            assert {n: getattr(order, n) + getattr(new, n) for n in names} == was
            assert _taxes(order, new) == taxes
            for each in (order, new):
                assert {name: each.quote[name] for name in SUMS} == {
                    name: getattr(each, name) for name in SUMS
                }
                assert sum(row["amount"] for row in each.quote["taxes"]) == each.tax
                assert sum(row["amount"] for row in each.quote["discounts"]) == each.discount
                assert all(r["base"] >= 0 for line in each.quote["lines"] for r in line["taxes"])
            assert untruths() == {}
            order = combine_orders(order=order, other=new)

        assert {name: getattr(order, name) for name in names} == was
        assert (_taxes(order), committed_to(order.reference)) == (taxes, stock)
        sold: dict[str, int] = {}
        for sku, n in _sold(order):
            sold[sku] = sold.get(sku, 0) + n
        assert sold == {row["sku"]: row["quantity"] for row in quote["lines"]}
        assert {d["code"]: d["amount"] for d in order.quote["discounts"]} == {
            d["code"]: d["amount"] for d in quote["discounts"]
        }
        assert untruths() == {}
        transaction.set_rollback(True)
