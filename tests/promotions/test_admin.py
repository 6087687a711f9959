"""The back office's pages of promotions and codes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.core.models import AuditEntry, OutboxMessage
from apps.promotions.models import Coupon, Promotion, Redemption
from apps.promotions.services import Use, make_batch, redeem
from tests.factories.accounts import StaffFactory
from tests.factories.customers import CustomerGroupFactory
from tests.factories.pricing import PriceFactory
from tests.factories.products import (
    AttributeFactory,
    CategoryFactory,
    ProductFactory,
    TagFactory,
    VariantFactory,
)
from tests.factories.promotions import CouponFactory, PromotionFactory

pytestmark = pytest.mark.usefixtures("invariants", "store")
LIST = "/admin/promotions/promotion/"
ADD = f"{LIST}add/"
PAYLOAD = "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>"
BASE = {
    "name": "Summer sale",
    "code": "summer",
    "is_active": "on",
    "effect_type": "percentage",
    "percentage__percent": "10",
    "percentage__of": "order",
    "items__reduced": "on",
    "get__reduced": "on",
    "priority": "0",
}


@pytest.fixture
def as_owner(client, merchant):
    client.force_login(merchant)
    return client


def _page(promotion):
    return reverse("admin:promotions_promotion_change", args=[promotion.pk])


def _do(row, name):
    opts = row._meta
    return f"/admin/{opts.app_label}/{opts.model_name}/{row.pk}/do/{name}/"


def _used(promotion, reference="order:1", coupon=None):
    use = Use(promotion.pk, coupon and coupon.pk, 500, "EUR")
    redeem(reference=reference, customer_key="a" * 64, uses=[use])


def _errors(answer):
    return {
        name: [str(text) for text in texts]
        for name, texts in answer.context["adminform"].form.errors.items()
    }


EFFECTS = [
    (
        {"effect_type": "percentage", "percentage__percent": "12.5", "percentage__of": "items"},
        {"type": "percentage", "percent": "12.5", "of": "items"},
    ),
    (
        {
            "effect_type": "amount_off",
            "amount_off__amount_EUR": "5.00",
            "amount_off__per": "item",
        },
        {"type": "amount_off", "amount": {"EUR": "5.00"}, "per": "item"},
    ),
    (
        {"effect_type": "fixed_price", "fixed_price__price_EUR": "9.90"},
        {"type": "fixed_price", "price": {"EUR": "9.90"}},
    ),
    (
        {
            "effect_type": "quantity_tiers",
            "quantity_tiers__tiers_from": ["6", "3", ""],
            "quantity_tiers__tiers_percent": ["15", "10", ""],
        },
        {
            "type": "quantity_tiers",
            "tiers": [{"from": 3, "percent": "10"}, {"from": 6, "percent": "15"}],
        },
    ),
    (
        {
            "effect_type": "buy_x_get_y",
            "buy_x_get_y__buy": "2",
            "buy_x_get_y__get": "1",
            "buy_x_get_y__percent": "100",
            "get_which": "these",
            "get__tag": ["extra"],
            "get__not_sku": ["MUG"],
        },
        {
            "type": "buy_x_get_y",
            "buy": 2,
            "get": 1,
            "percent": "100",
            "get_items": {"tag": ["extra"], "exclude": {"sku": ["MUG"]}},
        },
    ),
    (
        {
            "effect_type": "buy_x_get_y",
            "buy_x_get_y__buy": "1",
            "buy_x_get_y__get": "1",
            "buy_x_get_y__percent": "50",
            "get_which": "any",
        },
        {"type": "buy_x_get_y", "buy": 1, "get": 1, "percent": "50", "get_items": {}},
    ),
    (
        {
            "effect_type": "free_shipping",
            "free_shipping__methods": "post\r\ncourier\r\n",
            "free_shipping__up_to_EUR": "6",
        },
        {"type": "free_shipping", "methods": ["post", "courier"], "up_to": {"EUR": "6"}},
    ),
    (
        {"effect_type": "free_gift", "free_gift__sku": "MUG", "free_gift__quantity": "2"},
        {"type": "free_gift", "sku": "MUG", "quantity": 2},
    ),
]


@pytest.mark.parametrize(("fields", "effect"), EFFECTS)
def test_an_effect_is_made_by_fields_and_comes_back_the_same(as_owner, fields, effect):
    VariantFactory(sku="MUG")
    TagFactory(slug="extra")
    assert as_owner.get(ADD).status_code == 200
    answer = as_owner.post(ADD, {**BASE, **fields})
    assert answer.status_code == 302, _errors(answer)
    promotion = Promotion.objects.get()
    assert (promotion.effect, promotion.conditions) == (effect, {})
    form = as_owner.get(_page(promotion)).context["adminform"].form
    again = {
        name: form[name].value()
        for name in form.fields
        if name.partition("__")[0] in (effect["type"], "effect_type", "get_which")
    }
    posted = {**BASE, **fields}
    assert again["effect_type"] == posted["effect_type"]
    answer = as_owner.post(_page(promotion), posted)
    assert answer.status_code == 302, _errors(answer)
    promotion.refresh_from_db()
    assert promotion.effect == effect


def test_conditions_window_and_limits_are_made_by_fields(as_owner, store):
    CategoryFactory(slug="mugs")
    AttributeFactory(code="colour")
    CustomerGroupFactory(code="vip")
    answer = as_owner.post(
        ADD,
        {
            **BASE,
            "stores": [store.pk],
            "items__category": ["mugs"],
            "items__attribute": "colour=red\ncolour=blue",
            "items__reduced": "",
            "items__not_category": ["mugs"],
            "min_spend_EUR": "50.00",
            "min_quantity": "3",
            "customer_groups": ["vip"],
            "first_order": "on",
            "weekdays": ["5", "0"],
            "starts_at_0": "2030-06-01",
            "starts_at_1": "00:00",
            "hours_from": "22:00",
            "hours_to": "02:00",
            "usage_limit": "100",
            "stacking_group": "sale",
            "is_exclusive": "on",
        },
    )
    assert answer.status_code == 302, _errors(answer)
    promotion = Promotion.objects.get()
    assert promotion.conditions == {
        "items": {
            "category": ["mugs"],
            "attribute": ["colour=red", "colour=blue"],
            "exclude": {"category": ["mugs"]},
            "reduced": False,
        },
        "min_spend": {"EUR": "50.00"},
        "min_quantity": 3,
        "customer_groups": ["vip"],
        "first_order": True,
    }
    assert promotion.weekdays == [0, 5]
    assert (promotion.usage_limit, promotion.usage_limit_per_customer) == (100, 1)
    assert list(promotion.stores.all()) == [store]
    assert AuditEntry.objects.filter(action="promotion.created").count() == 1
    page = as_owner.get(_page(promotion)).content.decode()
    for text in ('value="50.00"', "colour=red", '<option value="mugs" selected'):
        assert text in page


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"percentage__percent": ""}, "percentage__percent"),
        ({"percentage__percent": "0"}, "percentage__percent"),
        ({"percentage__percent": "101"}, "percentage__percent"),
        ({"effect_type": "amount_off"}, "amount_off__amount"),
        (
            {"effect_type": "amount_off", "amount_off__amount_EUR": "1.001"},
            "amount_off__amount",
        ),
        (
            {
                "effect_type": "quantity_tiers",
                "quantity_tiers__tiers_from": ["3", "3"],
                "quantity_tiers__tiers_percent": ["5", "6"],
            },
            "quantity_tiers__tiers",
        ),
        (
            {"effect_type": "free_gift", "free_gift__sku": "none", "free_gift__quantity": "1"},
            "free_gift__sku",
        ),
        ({"min_spend_EUR": "x"}, "min_spend"),
        ({"items__category": ["none"]}, "items__category"),
        ({"items__sku_typed": "none"}, "items__sku"),
        ({"items__attribute": "colour"}, "items__attribute"),
        ({"is_catalogue": "on"}, "effect_type"),
        (
            {"is_catalogue": "on", "percentage__of": "items", "needs_code": "on"},
            "is_catalogue",
        ),
        (
            {
                "starts_at_0": "2030-06-02",
                "starts_at_1": "00:00",
                "ends_at_0": "2030-06-01",
                "ends_at_1": "00:00",
            },
            "ends_at",
        ),
        ({"hours_from": "10:00", "hours_to": "10:00"}, "hours_to"),
        ({"customer_groups": ["none"]}, "customer_groups"),
        ({"code": "no spaces"}, "code"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(as_owner, fields, wrong):
    answer = as_owner.post(ADD, {**BASE, **fields})
    assert answer.status_code == 200
    assert list(_errors(answer)) == [wrong]
    assert not Promotion.objects.exists()


def test_a_limit_below_the_orders_there_are_is_told_at_its_field(as_owner):
    promotion = PromotionFactory(usage_limit=5)
    _used(promotion)
    _used(promotion, "order:2")
    answer = as_owner.post(_page(promotion), {**BASE, "usage_limit": "1"})
    assert list(_errors(answer)) == ["usage_limit"]
    promotion.refresh_from_db()
    assert (promotion.usage_limit, promotion.used) == (5, 2)


def test_what_is_gone_stays_until_somebody_takes_it_out(as_owner):
    """A category that was deleted must not turn "only mugs" into "everything"."""
    promotion = PromotionFactory(conditions={"items": {"category": ["gone"]}})
    page = as_owner.get(_page(promotion)).content.decode()
    assert '<option value="gone" selected' in page
    answer = as_owner.post(_page(promotion), {**BASE, "items__category": ["gone"]})
    assert list(_errors(answer)) == ["items__category"]
    promotion.refresh_from_db()
    assert promotion.conditions == {"items": {"category": ["gone"]}}


def test_the_code_of_a_promotion_stays(as_owner):
    promotion = PromotionFactory(code="first")
    assert as_owner.post(_page(promotion), {**BASE, "code": "other"}).status_code == 302
    promotion.refresh_from_db()
    assert (promotion.code, promotion.name) == ("first", "Summer sale")


def _statuses():
    now = timezone.now()
    day = timedelta(days=1)
    used_up = PromotionFactory(code="used-up", usage_limit=1)
    _used(used_up)
    PromotionFactory(code="inactive", is_active=False, ends_at=now - day)
    PromotionFactory(code="ended", starts_at=now - 2 * day, ends_at=now - day)
    PromotionFactory(code="scheduled", starts_at=now + day)
    PromotionFactory(code="running", ends_at=now + day)


def test_the_list_filters_by_what_promotions_do_now(as_owner):
    _statuses()
    for status, code in (
        ("used_up", "used-up"),
        ("inactive", "inactive"),
        ("ended", "ended"),
        ("scheduled", "scheduled"),
        ("running", "running"),
    ):
        rows = as_owner.get(f"{LIST}?status={status}").context["cl"].result_list
        assert [row.code for row in rows] == [code]
        assert rows[0].status_at(timezone.now()) == status


def test_the_list_is_searched_and_filtered(as_owner):
    PromotionFactory(code="ship", effect={"type": "free_shipping"})
    coupon = CouponFactory(code="SUMMER10")
    for query, code in (
        ("effect=free_shipping", "ship"),
        ("q=SUMMER10", coupon.promotion.code),
        ("q=ship", "ship"),
        ("needs_code__exact=1", coupon.promotion.code),
    ):
        rows = as_owner.get(f"{LIST}?{query}").context["cl"].result_list
        assert [row.code for row in rows] == [code]


@pytest.mark.parametrize("name", ["promotion", "coupon", "redemption"])
def test_a_list_costs_the_same_for_more_rows(as_owner, name, django_assert_num_queries):
    def fill(number):
        for _row in range(number):
            coupon = CouponFactory()
            _used(coupon.promotion, f"order:{coupon.pk}", coupon)

    url = f"/admin/promotions/{name}/"
    fill(2)
    as_owner.get(url)
    with django_assert_num_queries({"promotion": 8, "coupon": 7, "redemption": 8}[name]) as seen:
        assert as_owner.get(url).status_code == 200
    fill(12)
    with django_assert_num_queries(len(seen)):
        assert as_owner.get(url).status_code == 200


def test_buttons_start_stop_and_end(as_owner):
    promotion = PromotionFactory(is_active=False)
    for name, active in (("start", True), ("stop", False), ("start", True)):
        assert as_owner.post(_do(promotion, name)).status_code == 302
        promotion.refresh_from_db()
        assert promotion.is_active == active
    assert as_owner.post(_do(promotion, "end")).status_code == 302
    promotion.refresh_from_db()
    assert promotion.status_at(timezone.now()) == Promotion.Status.ENDED


def test_a_promotion_in_use_is_not_deleted(as_owner):
    used, unused = PromotionFactory(), PromotionFactory(needs_code=True)
    _used(used)
    list(make_batch(promotion=unused, batch="flyer", count=300))
    page = as_owner.get(f"{LIST}{unused.pk}/delete/")
    assert page.status_code == 200
    assert unused.coupons.first().code not in page.content.decode()
    codes = [
        as_owner.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code
        for row in (used, unused)
    ]
    assert codes == [403, 302]
    assert list(Promotion.objects.all()) == [used]
    data = {"action": "delete_selected", "_selected_action": [used.pk], "post": "yes"}
    answer = as_owner.post(LIST, data, follow=True)
    assert "Orders use this promotion: end it instead" in answer.content.decode()
    assert list(Promotion.objects.all()) == [used]


def test_a_code_is_added_once(as_owner):
    promotion = PromotionFactory(needs_code=True)
    form = {"code": " summer10 ", "usage_limit": "", "once": "a"}
    assert as_owner.get(_do(promotion, "code")).status_code == 200
    assert as_owner.post(_do(promotion, "code"), form).status_code == 302
    assert Coupon.objects.get().code == "SUMMER10"
    again = as_owner.post(_do(promotion, "code"), {**form, "once": "b"})
    assert "This code exists already." in again.content.decode()
    bad = as_owner.post(_do(promotion, "code"), {"code": "no spaces", "once": "c"})
    assert bad.context["form"].errors["code"] == ["Letters, digits and hyphens, at most 40."]


def test_a_large_batch_is_made_in_the_background(as_owner, drain):
    promotion = PromotionFactory(needs_code=True)
    form = {"batch": "flyer", "count": "2500", "prefix": "fly-", "length": "10", "once": "a"}
    assert as_owner.post(_do(promotion, "batch"), form).status_code == 302
    codes = Coupon.objects.filter(promotion=promotion, batch="flyer")
    assert codes.count() == 1000
    message = OutboxMessage.objects.get(name="promotion.codes_wanted")
    assert message.payload["count"] == 2500
    drain()
    assert codes.count() == 2500
    assert {code[:4] for code in codes.values_list("code", flat=True)} == {"FLY-"}
    written = AuditEntry.objects.filter(action="coupon.batch")
    assert [entry.changes for entry in written] == [{"batch": "flyer", "count": 2500}]


def test_a_batch_that_cannot_be_is_told(as_owner):
    promotion = PromotionFactory(needs_code=True)
    form = {"batch": "x", "count": "5", "prefix": "!", "length": "10", "once": "a"}
    answer = as_owner.post(_do(promotion, "batch"), form)
    assert list(answer.context["form"].errors) == ["prefix"]
    assert not Coupon.objects.exists()


def test_codes_are_filtered_and_switched(as_owner):
    promotion = PromotionFactory(needs_code=True)
    other = CouponFactory(code="SHARED")
    list(make_batch(promotion=promotion, batch="flyer", count=3))
    used = Coupon.objects.filter(batch="flyer").first()
    _used(promotion, coupon=used)
    _used(other.promotion, "order:2", other)
    url = "/admin/promotions/coupon/"
    of = f"promotion__id__exact={promotion.pk}"
    for query, count in (
        ("", 4),
        (of, 3),
        (f"{of}&batch=flyer", 3),
        ("use=used", 2),
        ("use=unused", 2),
        ("use=up", 1),
        (f"q={used.code.lower()}", 1),
    ):
        assert as_owner.get(f"{url}?{query}").context["cl"].result_count == count, query
    assert as_owner.post(_do(used, "deactivate")).status_code == 302
    used.refresh_from_db()
    assert not used.is_active
    data = {"action": "activate", "_selected_action": [used.pk]}
    assert as_owner.post(url, data).status_code == 302
    used.refresh_from_db()
    assert used.is_active


def test_names_are_offered_while_one_types(as_owner, client):
    CategoryFactory(slug="mugs", name="Mugs & cups")
    CategoryFactory(slug="books")
    url = reverse("admin:promotions_promotion_choices", args=["category"])
    found = as_owner.get(url, {"term": "cup"}).json()
    assert found["results"] == [{"id": "mugs", "text": "Mugs & cups (mugs)"}]
    assert as_owner.get(url.replace("category", "user")).status_code == 404
    client.force_login(StaffFactory(permissions=["promotions.view_promotion"]))
    assert client.get(url).status_code == 403


def test_who_may_only_look_sees_and_changes_nothing(client, readonly_staff):
    promotion = PromotionFactory(conditions={"min_quantity": 3}, needs_code=True)
    client.force_login(readonly_staff)
    page = client.get(_page(promotion))
    assert page.status_code == 200
    text = page.content.decode()
    assert "10 % off the order" in text
    assert "min_quantity: 3" in text
    assert "_preview" not in text
    assert client.post(_page(promotion), BASE).status_code == 403
    assert client.post(_page(promotion), {**BASE, "_preview": "basket"}).status_code == 403
    for name in ("start", "stop", "end", "code", "batch"):
        assert client.post(_do(promotion, name), {"once": "a"}).status_code == 403
    coupon = CouponFactory(promotion=promotion)
    assert client.post(_do(coupon, "deactivate")).status_code == 403
    version = promotion.version
    promotion.refresh_from_db()
    assert (promotion.is_active, promotion.version) == (True, version)


def test_texts_are_escaped(as_owner):
    promotion = PromotionFactory(
        name=PAYLOAD,
        needs_code=True,
        effect={"type": "free_gift", "sku": PAYLOAD},
        conditions={"items": {"tag": [PAYLOAD], "attribute": [f"a={PAYLOAD}"]}},
    )
    coupon = CouponFactory(promotion=promotion, batch=PAYLOAD[:60])
    _used(promotion, PAYLOAD[:80], coupon)
    for url in (
        LIST,
        _page(promotion),
        _do(promotion, "code"),
        "/admin/promotions/coupon/",
        f"/admin/promotions/coupon/?promotion__id__exact={promotion.pk}",
        f"/admin/promotions/coupon/{coupon.pk}/change/",
        "/admin/promotions/redemption/",
        f"/admin/promotions/redemption/{Redemption.objects.get().pk}/change/",
    ):
        answer = as_owner.get(url)
        assert answer.status_code == 200, url
        assert "<img src=x" not in answer.content.decode(), url
        assert "<script>alert" not in answer.content.decode(), url


def _basket(**more):
    return {"_preview": "basket", "basket-lines": "MUG 2", **more}


@pytest.fixture
def mug(store):
    product = ProductFactory(slug="mug", variants=0, stores=[store])
    return PriceFactory(variant=VariantFactory(product=product, sku="MUG"), amount=1200).variant


def test_a_draft_is_tried_on_a_basket_and_not_saved(as_owner, mug):
    PromotionFactory(
        code="gold",
        name="Gold",
        needs_code=True,
        effect={"type": "percentage", "percent": "50", "of": "items"},
    )
    answer = as_owner.post(ADD, {**BASE, **_basket()})
    assert answer.status_code == 200
    shown = answer.context["previews"][0]
    assert shown["form"].errors == {}
    assert shown["result"]["rows"][-1][1:] == ("€24.00", "€21.60")
    assert shown["result"]["saved"] == "€2.40"
    told = {step.title: step.text for step in shown["result"]["explanation"]}
    assert told.pop("Taxes").startswith("taxed where the store is (")
    assert told == {"Summer sale": "applied", "Gold": "needs a code that nobody typed"}
    assert [p.code for p in Promotion.objects.all()] == ["gold"]
    assert not AuditEntry.objects.filter(object_type="promotions.promotion").exists()


def test_a_changed_promotion_is_compared_with_none(as_owner, mug):
    promotion = PromotionFactory(starts_at=timezone.now() + timedelta(days=3))
    answer = as_owner.post(
        _page(promotion),
        {
            **BASE,
            **_basket(),
            "percentage__percent": "25",
            "starts_at_0": promotion.starts_at.strftime("%Y-%m-%d"),
            "starts_at_1": promotion.starts_at.strftime("%H:%M:%S"),
        },
    )
    shown = answer.context["previews"][0]
    # It begins in three days: that is when it is tried.
    assert shown["result"]["rows"][-1][1:] == ("€24.00", "€18.00")
    promotion.refresh_from_db()
    assert promotion.effect["percent"] == "10"


def test_a_preview_tells_why_nothing_is_taken_off(as_owner, mug):
    answer = as_owner.post(ADD, {**BASE, **_basket(), "min_spend_EUR": "50"})
    result = answer.context["previews"][0]["result"]
    assert result["saved"] == "€0.00"
    assert result["explanation"][1].text == "24.00 EUR spent of the 50.00 EUR needed"


@pytest.mark.parametrize(
    ("basket", "field"),
    [
        ({"basket-lines": ""}, "lines"),
        ({"basket-lines": "NONE 2"}, "lines"),
        ({"basket-lines": "MUG two"}, "lines"),
        ({"basket-lines": "MUG 0"}, "lines"),
        ({"basket-currency": "XXX"}, "currency"),
        ({"basket-country": "XX"}, "country"),
    ],
)
def test_a_sample_that_is_none_is_told(as_owner, mug, basket, field):
    answer = as_owner.post(ADD, {**BASE, **_basket(), **basket})
    assert answer.status_code == 200
    shown = answer.context["previews"][0]
    assert shown["result"] is None
    assert list(shown["form"].errors) == [field]


def test_a_draft_with_errors_is_not_tried(as_owner, mug):
    answer = as_owner.post(ADD, {**BASE, **_basket(), "percentage__percent": ""})
    shown = answer.context["previews"][0]
    assert (shown["result"], shown["is_stuck"]) == (None, True)
    assert list(_errors(answer)) == ["percentage__percent"]
