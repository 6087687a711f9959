"""Promotions from the cart to the order, and back when it is cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from time_machine import travel

from apps.inventory.models import StockLevel
from apps.orders.models import Order
from apps.orders.services import cancel
from apps.pricing.services import set_price
from apps.promotions import services as promotions
from apps.promotions.models import Coupon, Promotion, Redemption
from tests.factories.customers import CustomerGroupFactory
from tests.factories.promotions import CouponFactory, PromotionFactory
from tests.flows.conftest import ADDRESS

pytestmark = pytest.mark.usefixtures("invariants")

TEN = {"type": "percentage", "percent": "10", "of": "order"}


@pytest.fixture
def code(db: None) -> Coupon:
    promotion = PromotionFactory(code="welcome", name="Welcome", needs_code=True, effect=TEN)
    return CouponFactory(promotion=promotion, code="WELCOME10")


def add(buyer: Any, code: str) -> Any:
    return buyer.client.post(f"/api/v1/carts/{buyer.cart_id}/discounts/", {"code": code})


def cart_of(buyer: Any) -> dict[str, Any]:
    return buyer.client.get(f"/api/v1/carts/{buyer.cart_id}/").json()


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_a_code_is_typed_seen_ordered_and_given_back(buyer, code):
    buyer.fill(("MUG", 1), ("BOOK", 1))
    answer = add(buyer, " welcome10 ")
    assert answer.status_code == 201
    cart = answer.json()
    assert cart["discounts"] == [
        {"code": "WELCOME10", "name": "Welcome", "amount": eur("3.20"), "target": "items"}
    ]
    assert cart["codes"] == [{"code": "WELCOME10", "applied": True, "reason": "applied"}]
    assert cart["totals"] == {
        "subtotal": eur("32.00"),
        "discount": eur("3.20"),
        "shipping": eur("4.95"),
        # 10.80 and 4.95 hold 21 %, 18.00 holds 4 %.
        "tax": eur("3.42"),
        "total": eur("33.75"),
        "due": eur("33.75"),
        "tax_included": True,
    }
    assert [line["line_total"] for line in cart["lines"]] == [eur("10.80"), eur("18.00")]

    placed = buyer.checkout(expected_total=eur("33.75"))
    assert placed.status_code == 201
    document = placed.json()["order"]
    assert document["discounts"] == cart["discounts"]
    assert cart["totals"].pop("due") == eur("33.75")
    assert document["totals"] == cart["totals"]
    order = Order.objects.get()
    use = Redemption.objects.get()
    assert (use.reference, use.coupon, use.amount) == (order.reference, code, 320)
    assert [line.discount for line in order.lines.all()] == [120, 200]
    assert order.quote["engine"] == "2"

    cancel(order=order)
    assert Redemption.objects.count() == 0


def test_a_code_that_nobody_made_is_refused_and_kept_off(buyer, code):
    buyer.fill(("MUG", 1))
    answer = add(buyer, "NOTHING")
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_code")
    assert cart_of(buyer)["codes"] == []


def test_guessing_is_limited(buyer, code, settings):
    buyer.fill(("MUG", 1))
    codes = [add(buyer, f"GUESS{n}").status_code for n in range(31)]
    assert codes == [400] * 30 + [429]
    # Who is locked out learns nothing from a right one either.
    assert add(buyer, "WELCOME10").status_code == 429


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ends_at": timezone.now() - timedelta(seconds=1)}, "unknown_code"),
        ({"is_active": False}, "unknown_code"),
        ({"usage_limit": 1, "used": 1}, "coupon_used_up"),
    ],
)
def test_a_code_whose_time_is_over_says_so(buyer, code, changes, problem):
    Promotion.objects.update(**changes)
    if changes.get("used"):
        Redemption.objects.create(
            promotion=code.promotion, reference="x", customer_key="x", currency="EUR", amount=1
        )
    buyer.fill(("MUG", 1))
    answer = add(buyer, "WELCOME10")
    assert (answer.status_code, answer.json()["code"]) == (400, problem)


def test_a_code_waits_for_its_conditions(buyer, code):
    code.promotion.conditions = {"min_spend": {"EUR": "30.00"}}
    promotions.save_promotion(promotion=code.promotion)
    buyer.fill(("MUG", 1))
    cart = add(buyer, "WELCOME10").json()
    assert cart["codes"] == [{"code": "WELCOME10", "applied": False, "reason": "spend_too_low"}]
    assert (cart["discounts"], cart["problems"]) == ([], [])
    line = buyer.client.post(
        f"/api/v1/carts/{buyer.cart_id}/lines/", {"sku": "BOOK", "quantity": 1}
    ).json()
    assert line["codes"][0]["applied"] is True


def test_a_code_is_taken_off(buyer, code):
    buyer.fill(("MUG", 1))
    add(buyer, "WELCOME10")
    url = f"/api/v1/carts/{buyer.cart_id}/discounts/welcome10/"
    answer = buyer.client.delete(url)
    assert (answer.status_code, answer.json()["codes"]) == (200, [])
    assert buyer.client.delete(url).status_code == 404


def test_a_code_that_ended_meanwhile_stops_the_order_until_it_is_off(buyer, code):
    buyer.fill(("MUG", 1))
    add(buyer, "WELCOME10")
    promotions.end_promotion(promotion=code.promotion)
    refused = buyer.checkout()
    assert (refused.status_code, refused.json()["code"]) == (409, "code_unusable")
    assert refused.json()["codes"] == ["WELCOME10"]
    assert [p["code"] for p in refused.json()["cart"]["problems"]] == ["code_unusable"]
    buyer.client.delete(f"/api/v1/carts/{buyer.cart_id}/discounts/WELCOME10/")
    assert buyer.checkout().status_code == 201


def test_an_automatic_promotion_that_ended_is_not_applied_a_moment_later(buyer):
    soon = timezone.now() + timedelta(hours=1)
    promotion = PromotionFactory(effect=TEN, ends_at=soon)
    seen = buyer.fill(("BOOK", 1))["totals"]["total"]
    promotions.end_promotion(promotion=promotion)
    refused = buyer.checkout(expected_total=seen)
    assert (refused.status_code, refused.json()["code"]) == (409, "price_changed")
    assert refused.json()["cart"]["totals"]["discount"] == eur("0.00")


def test_a_customer_uses_a_code_once_however_the_address_is_spelled(api, shop, buyer, code):
    code.promotion.usage_limit_per_customer = 1
    promotions.save_promotion(promotion=code.promotion)
    buyer.fill(("BOOK", 1), email="ana.garcia@gmail.com")
    add(buyer, "WELCOME10")
    assert buyer.checkout().status_code == 201
    buyer.fill(("BOOK", 1), email="AnaGarcia+new@googlemail.com")
    answer = add(buyer, "WELCOME10")
    assert (answer.status_code, answer.json()["code"]) == (400, "coupon_used_up")


def test_a_first_order_is_the_first_however_the_address_is_spelled(buyer):
    promotions.save_promotion(
        promotion=PromotionFactory.build(effect=TEN, conditions={"first_order": True})
    )
    assert buyer.fill(("BOOK", 1), email="ana@example.com")["totals"]["discount"] == eur("2.00")
    assert buyer.checkout().status_code == 201
    again = buyer.fill(("BOOK", 1), email="ANA+2@example.com")
    assert again["totals"]["discount"] == eur("0.00")


def test_a_group_has_its_own_promotion(as_shopper, shopper, shop):
    group = CustomerGroupFactory(code="vip")
    PromotionFactory(effect=TEN, conditions={"customer_groups": ["vip"]})
    lines = {"lines": [{"sku": "BOOK", "quantity": 1}]}
    assert as_shopper.post("/api/v1/carts/", lines).json()["discounts"] == []
    shopper.customer.group = group
    shopper.customer.save()
    assert len(as_shopper.post("/api/v1/carts/", lines).json()["discounts"]) == 1


def test_free_shipping_is_seen_in_the_offers_and_in_the_total(buyer):
    PromotionFactory(code="free", effect={"type": "free_shipping"})
    cart = buyer.fill(("MUG", 1))
    assert cart["totals"]["shipping"] == eur("0.00")
    assert cart["discounts"][0] == {
        "code": "free",
        "name": "Free",
        "amount": eur("4.95"),
        "target": "shipping",
    }
    [offer] = buyer.client.get(f"/api/v1/carts/{buyer.cart_id}/shipping-methods/").json()
    assert offer["price"] == eur("0.00")


def test_a_gift_comes_with_the_order_and_from_the_stock(buyer, shop):
    effect = {"type": "free_gift", "sku": "MUG", "quantity": 2}
    PromotionFactory(code="gift", effect=effect, conditions={"min_spend": {"EUR": "20.00"}})
    cart = buyer.fill(("BOOK", 1))
    assert cart["gifts"] == [
        {
            "sku": "MUG",
            "product": {"slug": "mug", "name": "Mug"},
            "quantity": 2,
            "unit_price": eur("12.00"),
        }
    ]
    assert cart["totals"]["total"] == eur("24.95")
    order = buyer.checkout().json()["order"]
    assert [(line["sku"], line["quantity"]) for line in order["lines"]] == [("BOOK", 1), ("MUG", 2)]
    committed = StockLevel.objects.filter(variant=shop.mug).values_list("committed", flat=True)
    assert sum(committed) == 2


def test_a_gift_is_given_as_far_as_the_cart_leaves_any(buyer):
    PromotionFactory(effect={"type": "free_gift", "sku": "MUG", "quantity": 2})
    cart = buyer.fill(("MUG", 4))
    assert [gift["quantity"] for gift in cart["gifts"]] == [1]
    assert buyer.checkout().status_code == 201


def test_a_price_that_lists_show_is_the_price_of_the_cart_and_ends_in_both(buyer, shop, drain):
    effect = {"type": "percentage", "percent": "25", "of": "items"}
    promotion = promotions.save_promotion(
        promotion=PromotionFactory.build(
            code="sale", effect=effect, is_catalogue=True, conditions={"items": {"sku": ["BOOK"]}}
        )
    )
    drain()
    [book, mug] = sorted(
        buyer.client.get("/api/v1/products/").json()["results"], key=lambda item: item["slug"]
    )
    assert (book["price"], book["compare_at_price"]) == (eur("15.00"), eur("20.00"))
    assert (mug["price"], mug["compare_at_price"]) == (eur("12.00"), None)
    cart = buyer.fill(("BOOK", 1))
    line = cart["lines"][0]
    assert (line["unit_price"], line["compare_at_price"]) == (eur("15.00"), eur("20.00"))
    assert (cart["discounts"], cart["problems"]) == ([], [])

    promotions.end_promotion(promotion=promotion)
    refused = buyer.checkout()
    assert (refused.status_code, refused.json()["code"]) == (409, "price_changed")
    drain()
    assert buyer.client.get("/api/v1/products/book/").json()["price"] == eur("20.00")


def test_an_earlier_sale_is_among_the_prices_of_the_30_days(buyer, shop, drain):
    """Directive 98/6/EC, article 6a: the first sale's price was the lowest before the second."""
    now = timezone.now()

    def sell(days_ago: int, code: str, percent: str) -> Any:
        with travel(now - timedelta(days=days_ago), tick=False):
            effect = {"type": "percentage", "percent": percent, "of": "items"}
            made = promotions.save_promotion(
                promotion=PromotionFactory.build(code=code, effect=effect, is_catalogue=True)
            )
            drain()
        return made

    with travel(now - timedelta(days=100), tick=False):
        set_price(variant=shop.mug, currency="EUR", amount=1300)
    first = sell(40, "first", "30")
    with travel(now - timedelta(days=20), tick=False):
        promotions.end_promotion(promotion=first)
        drain()
    sell(0, "second", "10")
    page = buyer.client.get("/api/v1/products/mug/").json()
    assert (page["price"], page["compare_at_price"]) == (eur("11.70"), eur("13.00"))
    assert page["reference_price"] == eur("9.10")


def test_a_sale_ends_in_the_lists_at_its_second_without_any_task(buyer, shop, drain):
    end = timezone.now() + timedelta(minutes=10)
    promotions.save_promotion(
        promotion=PromotionFactory.build(
            effect={"type": "fixed_price", "price": {"EUR": "9.00"}}, is_catalogue=True, ends_at=end
        )
    )
    drain()
    url = "/api/v1/products/?ordering=name"

    def prices() -> list[str]:
        return [item["price"]["amount"] for item in buyer.client.get(url).json()["results"]]

    with travel(end - timedelta(seconds=20), tick=False):
        assert prices() == ["9.00", "9.00"]
        # No cache may keep it beyond its end either.
        short = "public, max-age=20, stale-while-revalidate=0"
        page = buyer.client.get("/api/v1/products/mug/")
        assert (buyer.client.get(url)["Cache-Control"], page["Cache-Control"]) == (short, short)
    with travel(end, tick=False):
        assert prices() == ["20.00", "12.00"]
        assert buyer.client.get("/api/v1/products/mug/").json()["price"] == eur("12.00")


def test_every_rule_is_explained_and_what_is_planned_to_staff_alone(buyer, code, as_merchant):
    PromotionFactory(code="later", effect=TEN, starts_at=timezone.now() + timedelta(days=1))
    PromotionFactory(code="auto", effect=TEN, conditions={"min_spend": {"EUR": "50.00"}})
    buyer.fill(("MUG", 1))
    url = f"/api/v1/carts/{buyer.cart_id}/?explain=1"

    def told(client: Any) -> dict[str, dict[str, Any]]:
        steps = client.get(url).json()["explanation"]
        return {s["facts"]["code"]: s["facts"] for s in steps if s["step"] == "promotion"}

    steps = [step["step"] for step in buyer.client.get(url).json()["explanation"]]
    assert steps == ["place_of_supply", "promotion", "shipping", "tax", "tax"]
    [seen] = told(buyer.client).values()
    assert (seen["code"], seen["reason"]) == ("auto", "spend_too_low")
    assert seen["facts"] == {"needed": 5000, "spent": 1200}
    reasons = {code: facts["reason"] for code, facts in told(as_merchant).items()}
    assert reasons == {"welcome": "needs_code", "later": "not_started", "auto": "spend_too_low"}
    assert "explanation" not in cart_of(buyer)
    assert buyer.client.get(f"/api/v1/carts/{buyer.cart_id}/?explian=1").status_code == 400


def test_codes_are_used_in_one_call_too(api, shop, code):
    body = {
        "lines": [{"sku": "BOOK", "quantity": 1}],
        "email": "ana@example.com",
        "shipping_address": ADDRESS,
        "shipping_method": "post",
        "discounts": ["welcome10"],
        "payment": {"gateway": "manual"},
    }
    placed = api.post("/api/v1/checkout/", body)
    assert placed.status_code == 201, placed.json()
    assert placed.json()["order"]["totals"]["discount"] == eur("2.00")
    refused = api.post("/api/v1/checkout/", {**body, "discounts": ["NOPE"]})
    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_code")


@pytest.mark.parametrize("member", ["discount", "totals", "unit_price", "tax", "discounts"])
def test_no_amount_is_ever_taken_from_the_client(buyer, member):
    buyer.fill(("MUG", 1))
    for url, body in (
        ("", {member: "0.01"}),
        ("lines/", {"sku": "MUG", "quantity": 1, member: "0.01"}),
        ("checkout/", {"payment": {"gateway": "manual"}, member: "0.01"}),
    ):
        method = buyer.client.post if url else buyer.client.patch
        answer = method(f"/api/v1/carts/{buyer.cart_id}/{url}", body)
        assert answer.status_code == 400, (url, answer.json())
    assert cart_of(buyer)["totals"]["subtotal"] == eur("12.00")
