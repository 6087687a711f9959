"""Promotions, as staff and their systems make them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from apps.promotions.engines.schema import EFFECT_TYPES
from apps.promotions.models import Coupon, Promotion
from apps.promotions.services import Use, make_batch, redeem
from tests.factories.accounts import StaffFactory
from tests.factories.pricing import PriceFactory
from tests.factories.products import ProductFactory, VariantFactory
from tests.factories.promotions import CouponFactory, PromotionFactory

pytestmark = pytest.mark.usefixtures("invariants", "store")
URL = "/api/v1/admin/promotions/"
ROOT = Path(__file__).resolve().parents[2]
TEN = {"type": "percentage", "percent": "10", "of": "order"}
WHOLE = {
    "code": "summer",
    "name": "Summer <b>sale</b>",
    "is_active": True,
    "stores": ["main"],
    "is_catalogue": False,
    "needs_code": True,
    "effect": {"type": "amount_off", "amount": {"EUR": "5.00"}, "per": "order"},
    "conditions": {
        "items": {"category": ["mugs"], "exclude": {"tag": ["rare"]}},
        "min_spend": {"EUR": "50.00"},
    },
    "starts_at": "2030-06-01T00:00:00Z",
    "ends_at": "2030-07-01T00:00:00Z",
    "weekdays": [0, 6],
    "hours_from": "22:00:00",
    "hours_to": "02:00:00",
    "stacking_group": "sale",
    "priority": -3,
    "is_exclusive": True,
    "usage_limit": 100,
    "usage_limit_per_customer": 2,
    "max_per_order": None,
}


def _eur(amount):
    return {"amount": amount, "currency": "EUR"}


def test_a_promotion_is_made_changed_ended_and_deleted(as_merchant):
    answer = as_merchant.post(URL, WHOLE)
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert {name: made[name] for name in WHOLE} == WHOLE
    assert (made["status"], made["orders"]) == ("scheduled", 0)
    one = f"{URL}summer/"
    assert as_merchant.get(one).json() == made
    assert [row["code"] for row in as_merchant.get(URL).json()["results"]] == ["summer"]

    change = {"effect": TEN, "conditions": {}, "stores": [], "starts_at": None}
    changed = as_merchant.patch(one, change)
    assert changed.status_code == 200
    assert {name: changed.json()[name] for name in change} == change
    assert changed.json()["status"] == "running"

    ended = as_merchant.post(f"{one}end/")
    assert ended.json()["status"] == "ended"
    assert as_merchant.delete(one).status_code == 204
    assert not Promotion.objects.exists()


def test_a_code_is_taken_once(as_merchant):
    PromotionFactory(code="summer")
    answer = as_merchant.post(URL, WHOLE)
    assert (answer.status_code, answer.json()["code"]) == (409, "code_taken")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"effect": {"type": "percentage"}}, "effect.percent"),
        ({"effect": {"type": "percentage", "percent": "101"}}, "effect.percent"),
        ({"effect": {"type": "percentage", "percent": 10}}, "effect.percent"),
        ({"effect": {"type": "none"}}, "effect.type"),
        ({"effect": {**TEN, "more": 1}}, "effect.more"),
        (
            {"effect": {"type": "amount_off", "amount": {"EUR": "1.001"}}},
            "effect.amount.EUR",
        ),
        ({"conditions": {"items": {"colour": ["red"]}}}, "conditions.items.colour"),
        ({"conditions": {"min_quantity": "3"}}, "conditions.min_quantity"),
        ({"starts_at": "2030-08-01T00:00:00Z"}, "ends_at"),
        ({"is_catalogue": True}, "effect.type"),
    ],
)
def test_a_promotion_that_cannot_be_names_its_member(as_merchant, change, field):
    answer = as_merchant.post(URL, {**WHOLE, **change})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_promotion")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Promotion.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"effect": None},
        {"effect": []},
        {"effect": "10%"},
        {"effect": {"type": "free_gift", "sku": "a\u0000b"}},
        {"conditions": None},
        {"weekdays": [7]},
        {"weekdays": ["0"]},
        {"priority": 2**40},
        {"usage_limit": 0},
        {"stores": ["none"]},
        {"used": 3},
        {"code": "no spaces"},
        {"starts_at": "soon"},
    ],
)
def test_what_is_no_promotion_is_refused(as_merchant, change):
    assert as_merchant.post(URL, {**WHOLE, **change}).status_code == 400
    assert not Promotion.objects.exists()


def test_a_promotion_that_somebody_else_changed_is_not_overwritten(as_merchant):
    PromotionFactory(code="summer")
    one = f"{URL}summer/"
    tag = as_merchant.get(one).headers["ETag"]
    first = as_merchant.patch(one, {"name": "A"}, headers={"If-Match": tag})
    assert first.status_code == 200
    stale = as_merchant.patch(one, {"name": "B"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert Promotion.objects.get().name == "A"


def test_a_promotion_that_orders_use_is_not_deleted(as_merchant):
    coupon = CouponFactory(promotion__code="summer", code="SUN")
    redeem(
        reference="order:1",
        customer_key="k" * 64,
        uses=[Use(coupon.promotion_id, coupon.pk, 250, "EUR")],
    )
    refused = as_merchant.delete(f"{URL}summer/")
    assert (refused.status_code, refused.json()["code"]) == (409, "promotion_in_use")
    assert as_merchant.get(f"{URL}summer/").json()["orders"] == 1
    (row,) = as_merchant.get(f"{URL}summer/redemptions/").json()["results"]
    assert row.pop("created_at")
    assert row == {"reference": "order:1", "coupon": "SUN", "amount": _eur("2.50")}


def test_the_list_is_filtered_searched_and_costs_the_same(
    as_merchant, store, django_assert_num_queries
):
    PromotionFactory(code="ship", effect={"type": "free_shipping"}).stores.add(store)
    PromotionFactory(code="off", is_active=False)
    for query, codes in (
        ("effect=free_shipping", ["ship"]),
        ("status=inactive", ["off"]),
        ("status=running", ["ship"]),
        ("store=main", ["ship"]),
        ("search=of", ["off"]),
        ("needs_code=true", []),
    ):
        found = as_merchant.get(f"{URL}?{query}").json()["results"]
        assert [row["code"] for row in found] == codes, query
    with django_assert_num_queries(5) as seen:
        as_merchant.get(URL)
    for _row in range(10):
        PromotionFactory().stores.add(store)
    with django_assert_num_queries(len(seen)):
        assert len(as_merchant.get(URL).json()["results"]) == 12


def test_codes_are_added_and_switched_off(as_merchant):
    PromotionFactory(code="summer", needs_code=True)
    CouponFactory(code="TAKEN")
    url = f"{URL}summer/coupons/"
    answer = as_merchant.post(url, {"code": "sun-10", "usage_limit": 5})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["code"], made["usage_limit"], made["used"]) == ("SUN-10", 5, 0)
    for code, status, error in (
        ("SUN-10", 409, "code_taken"),
        ("taken", 409, "code_taken"),
        ("no spaces", 400, "invalid_code"),
    ):
        refused = as_merchant.post(url, {"code": code})
        assert (refused.status_code, refused.json()["code"]) == (status, error)
    off = as_merchant.patch(f"{url}SUN-10/", {"is_active": False})
    assert (off.status_code, off.json()["is_active"]) == (200, False)
    assert as_merchant.patch(f"{url}TAKEN/", {"is_active": False}).status_code == 404
    assert as_merchant.get(f"{url}?is_active=false").json()["results"] == [off.json()]


def test_a_batch_is_made_and_asked_for_again(as_merchant):
    promotion = PromotionFactory(code="summer", needs_code=True)
    url = f"{URL}summer/coupons/batch/"
    body = {"batch": "flyer", "count": 30, "prefix": "FLY-", "length": 8}
    for _turn in range(2):
        answer = as_merchant.post(url, body)
        assert answer.status_code == 202
        assert answer.json() == {"batch": "flyer", "count": 30, "made": 30}
    codes = Coupon.objects.filter(promotion=promotion, batch="flyer")
    assert {(len(row.code), row.code[:4], row.usage_limit) for row in codes} == {(12, "FLY-", 1)}
    for wrong in ({"count": 100_001}, {"length": 3}, {"prefix": "é"}, {"batch": ""}):
        assert as_merchant.post(url, {**body, **wrong}).status_code == 400
    page = as_merchant.get(f"{URL}summer/coupons/?batch=flyer&limit=100").json()
    assert len(page["results"]) == 30


def test_a_batch_goes_on_where_it_stopped(db):
    promotion = PromotionFactory(needs_code=True)
    next(make_batch(promotion=promotion, batch="b", count=2500))
    assert promotion.coupons.count() == 1000
    assert sum(len(rows) for rows in make_batch(promotion=promotion, batch="b", count=2500)) == 1500
    assert promotion.coupons.count() == 2500


@pytest.fixture
def mug(store):
    product = ProductFactory(slug="mug", variants=0, stores=[store])
    return PriceFactory(variant=VariantFactory(product=product, sku="MUG"), amount=1200).variant


def test_a_draft_is_tried_on_a_basket(as_merchant, mug):
    PromotionFactory(
        code="gold",
        conditions={"min_spend": {"EUR": "100.00"}},
        effect={"type": "percentage", "percent": "50", "of": "items"},
    )
    body = {
        "promotion": {"effect": TEN, "conditions": {"items": {"product": ["mug"]}}},
        "lines": [{"sku": "MUG", "quantity": 2}],
    }
    answer = as_merchant.post(f"{URL}preview/", body)
    assert answer.status_code == 200, answer.json()
    found = answer.json()
    assert (found["before"]["total"], found["after"]["total"]) == (_eur("24.00"), _eur("21.60"))
    assert found["saved"] == _eur("2.40")
    verdicts = {row["code"]: (row["reason"], row["amount"]) for row in found["promotions"]}
    assert verdicts == {
        "draft": ("applied", _eur("2.40")),
        "gold": ("spend_too_low", _eur("0.00")),
    }
    assert {"title": "Draft", "text": "applied", "amount": "-2.40 EUR"} in found["explanation"]
    assert [p.code for p in Promotion.objects.all()] == ["gold"]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"promotion": {"effect": {"type": "x"}}}, "invalid_promotion", "effect.type"),
        ({"lines": [{"sku": "NONE", "quantity": 1}]}, "unknown_sku", "lines"),
        ({"lines": []}, "validation_error", "lines"),
        ({"currency": "USD"}, "unknown_currency", "currency"),
    ],
)
def test_a_preview_that_cannot_be_says_why(as_merchant, mug, change, code, field):
    body = {"promotion": {"effect": TEN}, "lines": [{"sku": "MUG", "quantity": 1}], **change}
    answer = as_merchant.post(f"{URL}preview/", body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_each_route_asks_for_its_permission(client_for):
    CouponFactory(promotion__code="summer", code="SUN")
    client = client_for(StaffFactory(permissions=["promotions.view_promotion"]))
    assert client.get(URL).status_code == 200
    for method, path, body in (
        ("post", "", WHOLE),
        ("patch", "summer/", {"name": "x"}),
        ("delete", "summer/", None),
        ("post", "summer/end/", None),
        ("post", "preview/", {}),
        ("get", "summer/coupons/", None),
        ("post", "summer/coupons/", {"code": "X"}),
        ("post", "summer/coupons/batch/", {"batch": "a", "count": 1}),
        ("patch", "summer/coupons/SUN/", {"is_active": False}),
        ("get", "summer/redemptions/", None),
    ):
        assert getattr(client, method)(f"{URL}{path}", body).status_code == 403, path


def test_the_examples_of_the_documentation_are_promotions(as_merchant):
    text = (ROOT / "docs" / "promotions.md").read_text()
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.S)]
    effects = [example for example in examples if "type" in example]
    assert {example["type"] for example in effects} == set(EFFECT_TYPES)
    (conditions,) = [example for example in examples if "type" not in example]
    for number, effect in enumerate(effects):
        body = {"code": f"p{number}", "name": "P", "effect": effect, "conditions": conditions}
        answer = as_merchant.post(URL, body)
        assert answer.status_code == 201, answer.json()
