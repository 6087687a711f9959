"""Prices, as staff and their systems set them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.pricing.models import Price, PriceList, PricePoint
from apps.pricing.services import set_price
from tests.factories.accounts import StaffFactory
from tests.factories.customers import CustomerGroupFactory
from tests.factories.pricing import CurrencyRuleFactory, PriceFactory, PriceListFactory
from tests.factories.products import ProductFactory, VariantFactory

URL = "/api/v1/admin/"


@pytest.fixture
def variant(db):
    return VariantFactory(product=ProductFactory(slug="shirt", variants=0), sku="SHIRT-S")


def _eur(amount):
    return {"amount": amount, "currency": "EUR"}


def test_a_price_is_added_changed_and_removed_with_its_history(as_merchant, variant, store):
    PriceListFactory(code="vip")
    body = {
        "sku": "SHIRT-S",
        "price": _eur("19.90"),
        "compare_at_price": _eur("25.00"),
        "store": "main",
        "price_list": "vip",
        "min_quantity": 3,
        "valid_from": "2030-01-01T00:00:00Z",
        "valid_to": None,
    }
    answer = as_merchant.post(f"{URL}prices/", body)
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in body} == body
    one = f"{URL}prices/{made['id']}/"
    assert as_merchant.get(one).json() == made

    again = as_merchant.post(f"{URL}prices/", body)
    assert (again.status_code, again.json()["code"]) == (409, "price_exists")

    changed = as_merchant.patch(one, {"price": _eur("18.00"), "compare_at_price": None})
    assert changed.status_code == 200
    assert changed.json()["price"] == _eur("18.00")
    assert changed.json()["compare_at_price"] is None

    moved = as_merchant.patch(one, {"min_quantity": 5})
    assert (moved.json()["id"], moved.json()["min_quantity"]) == (made["id"], 5)
    assert as_merchant.delete(one).status_code == 204
    assert not Price.objects.exists()

    history = as_merchant.get(f"{URL}price-history/?sku=SHIRT-S").json()["results"]
    assert [(h["price"] and h["price"]["amount"], h["min_quantity"]) for h in history] == [
        (None, 5),
        ("18.00", 5),
        (None, 3),
        ("18.00", 3),
        ("19.90", 3),
    ]
    assert {h["actor"] for h in history} == {"merchant@example.com"}
    assert {(h["store"], h["price_list"], h["currency"]) for h in history} == {
        ("main", "vip", "EUR")
    }


def test_the_same_moment_in_another_time_zone_is_the_same_price(as_merchant, variant):
    body = {"sku": "SHIRT-S", "price": _eur("1.00"), "valid_from": "2030-01-01T00:00:00Z"}
    assert as_merchant.post(f"{URL}prices/", body).status_code == 201
    answer = as_merchant.post(f"{URL}prices/", {**body, "valid_from": "2030-01-01T02:00:00+02:00"})
    assert (answer.status_code, answer.json()["code"]) == (409, "price_exists")


def test_a_price_that_somebody_else_changed_is_not_overwritten(as_merchant, variant):
    price = PriceFactory(variant=variant)
    one = f"{URL}prices/{price.public_id}/"
    tag = as_merchant.get(one).headers["ETag"]
    first = as_merchant.patch(one, {"price": _eur("5.00")}, headers={"If-Match": tag})
    assert first.status_code == 200
    stale = as_merchant.patch(one, {"price": _eur("6.00")}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert first.headers["ETag"] != tag
    assert Price.objects.get().amount == 500


@pytest.mark.parametrize(
    "change",
    [
        {"price": _eur("-1.00")},
        {"price": _eur("1.001")},
        {"price": _eur("NaN")},
        {"price": _eur("1e30")},
        {"price": {"amount": 1, "currency": "EUR"}},
        {"price": {"amount": "1", "currency": "EEK"}},
        {"price": "1.00"},
        {"price": None},
        {"compare_at_price": {"amount": "2.00", "currency": "USD"}},
        {"min_quantity": 0},
        {"min_quantity": "2"},
        {"valid_from": "2030-02-01T00:00:00Z", "valid_to": "2030-01-01T00:00:00Z"},
        {"valid_from": "yesterday"},
        {"store": "none"},
        {"sku": "none"},
        {"sku": ["SHIRT-S"]},
        {"price_list": "none"},
        {"amount": 5},
    ],
)
def test_a_price_that_is_none_is_refused(as_merchant, variant, store, change):
    body = {"sku": "SHIRT-S", "price": _eur("1.00"), **change}
    assert as_merchant.post(f"{URL}prices/", body).status_code == 400
    assert not Price.objects.exists()


def test_a_price_keeps_its_currency(as_merchant, variant):
    price = PriceFactory(variant=variant, compare_at=2000)
    one = f"{URL}prices/{price.public_id}/"
    assert as_merchant.patch(one, {"price": {"amount": "1", "currency": "JPY"}}).status_code == 400
    assert as_merchant.patch(one, {"sku": "OTHER"}).status_code == 400


def test_prices_are_filtered(as_merchant, variant, store):
    vip = PriceListFactory(code="vip")
    PriceFactory(variant=variant, amount=100)
    PriceFactory(variant=variant, amount=200, store=store)
    PriceFactory(variant=variant, amount=300, price_list=vip)
    PriceFactory(variant=variant, amount=400, currency="JPY")
    PriceFactory(amount=500)

    def found(query):
        results = as_merchant.get(f"{URL}prices/?ordering=price&{query}").json()["results"]
        return [r["price"]["amount"] for r in results]

    assert found("product=shirt") == ["1.00", "2.00", "3.00", "400"]
    assert found("sku=SHIRT-S&currency=EUR&store=main") == ["2.00"]
    assert found("price_list=vip") == ["3.00"]
    assert as_merchant.get(f"{URL}prices/?currency=XXX").status_code == 400
    assert as_merchant.get(f"{URL}prices/?amount=1").status_code == 400


def test_prices_cost_the_same_for_any_number(as_merchant, store, django_assert_num_queries):
    for _ in range(5):
        PriceFactory(store=store, price_list=PriceListFactory())
    with django_assert_num_queries(4):
        assert len(as_merchant.get(f"{URL}prices/").json()["results"]) == 5
    with django_assert_num_queries(4):
        assert len(as_merchant.get(f"{URL}price-history/").json()["results"]) == 5


def test_prices_of_a_product_are_set_together(as_merchant, variant, store):
    VariantFactory(product=variant.product, sku="SHIRT-M")
    PriceFactory(variant=variant, amount=100)
    PriceFactory(variant=variant, amount=777, store=store)
    body = {
        "prices": [
            {"sku": "SHIRT-S", "price": _eur("2.00")},
            {"sku": "SHIRT-M", "price": _eur("3.00"), "min_quantity": 10},
        ]
    }
    answer = as_merchant.put(f"{URL}products/shirt/prices/", body)
    assert answer.status_code == 200
    assert answer.json() == as_merchant.get(f"{URL}products/shirt/prices/").json()
    rows = [(p["sku"], p["store"], p["price"]["amount"]) for p in answer.json()["prices"]]
    assert rows == [
        ("SHIRT-S", None, "2.00"),
        ("SHIRT-S", "main", "7.77"),
        ("SHIRT-M", None, "3.00"),
    ]
    assert PricePoint.objects.count() == 4


def test_prices_of_a_product_are_set_all_or_none(as_merchant, variant):
    other = PriceFactory().variant.sku
    for sku in (other, "none"):
        rows = [{"sku": "SHIRT-S", "price": _eur("2.00")}, {"sku": sku, "price": _eur("2.00")}]
        answer = as_merchant.put(f"{URL}products/shirt/prices/", {"prices": rows})
        assert answer.status_code == 400
    assert not Price.objects.filter(variant=variant).exists()


def test_price_lists_are_made_changed_and_deleted(as_merchant):
    CustomerGroupFactory(code="vip")
    body = {"code": "vip-2030", "name": "VIP", "group": "vip", "priority": 5, "is_active": False}
    answer = as_merchant.post(f"{URL}price-lists/", body)
    assert (answer.status_code, answer.json()) == (201, body)
    again = as_merchant.post(f"{URL}price-lists/", body)
    assert (again.status_code, again.json()["code"]) == (409, "price_list_taken")
    one = f"{URL}price-lists/vip-2030/"
    assert as_merchant.patch(one, {"is_active": True}).json() == {**body, "is_active": True}
    assert as_merchant.patch(one, {"group": "none"}).status_code == 400
    assert as_merchant.get(f"{URL}price-lists/?group=vip").json()["results"] == [
        {**body, "is_active": True}
    ]
    assert as_merchant.delete(one).status_code == 204
    assert as_merchant.get(one).status_code == 404


def test_a_price_list_with_a_history_is_not_deleted(as_merchant, variant):
    vip = PriceListFactory(code="vip")
    price = PriceFactory(variant=variant, price_list=vip)
    one = f"{URL}price-lists/vip/"
    assert as_merchant.delete(one).json()["code"] == "price_list_in_use"
    as_merchant.delete(f"{URL}prices/{price.public_id}/")
    assert as_merchant.delete(one).json()["code"] == "price_list_in_use"
    assert PriceList.objects.exists()


READS = ("prices/", "price-history/", "price-lists/", "products/shirt/prices/")
WRITES = (
    ("post", "prices/"),
    ("put", "products/shirt/prices/"),
    ("post", "price-lists/"),
    ("patch", "price-lists/vip/"),
    ("delete", "price-lists/vip/"),
)


@pytest.mark.parametrize("path", READS)
def test_reads_need_permission(
    api, as_shopper, as_readonly, client_for, staff_without_permissions, variant, path
):
    assert api.get(URL + path).status_code == 401
    assert as_shopper.get(URL + path).status_code == 403
    assert client_for(staff_without_permissions).get(URL + path).status_code == 403
    assert as_readonly.get(URL + path).status_code == 200


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writes_need_permission(api, as_shopper, as_readonly, variant, method, path):
    PriceListFactory(code="vip")
    assert getattr(api, method)(URL + path, {}).status_code == 401
    for client in (as_shopper, as_readonly):
        assert getattr(client, method)(URL + path, {}).status_code == 403


def test_one_permission_is_not_another(client_for, variant):
    set_price(variant=variant, currency="EUR", amount=100)
    one = f"{URL}prices/{Price.objects.get().public_id}/"
    clerk = client_for(StaffFactory(permissions=["pricing.change_price"]))
    assert clerk.patch(one, {"price": _eur("2.00")}).status_code == 200
    assert clerk.delete(one).status_code == 403
    assert clerk.get(one).status_code == 403


def test_a_currency_rule_is_made_changed_and_deleted(as_merchant, store):
    store.currencies = ["KWD"]
    store.save()
    body = {
        "store": "main",
        "currency": "KWD",
        "base": "EUR",
        "mode": "derived",
        "surcharge": "2.500",
        "round_to": {"amount": "1.000", "currency": "KWD"},
        "minus": {"amount": "0.010", "currency": "KWD"},
    }
    answer = as_merchant.post(f"{URL}currency-rules/", body)
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in body} == body
    one = f"{URL}currency-rules/{made['id']}/"
    assert as_merchant.get(one).json() == made
    again = as_merchant.post(f"{URL}currency-rules/", body)
    assert (again.status_code, again.json()["code"]) == (409, "currency_rule_exists")

    changed = as_merchant.patch(one, {"surcharge": "1", "minus": {**body["minus"], "amount": "0"}})
    assert (changed.json()["surcharge"], changed.json()["minus"]["amount"]) == ("1.000", "0.000")
    assert as_merchant.patch(one, {"currency": "EUR"}).status_code == 400
    stale = as_merchant.patch(one, {"mode": "fixed"}, headers={"If-Match": answer["ETag"]})
    assert stale.status_code == 412
    assert as_merchant.delete(one).status_code == 204
    assert as_merchant.get(one).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"base": "USD"}, "invalid_currency_rule", "base"),
        ({"currency": "GBP"}, "invalid_currency_rule", "currency"),
        ({"minus": {"amount": "0.01", "currency": "USD"}}, "invalid_currency_rule", "minus"),
        ({"round_to": {"amount": "1", "currency": "EUR"}}, "mixed_currencies", "round_to"),
        ({"surcharge": "-1"}, "min_value", "surcharge"),
        ({"surcharge": "101"}, "invalid_currency_rule", "surcharge"),
        ({"base": "XXX"}, "invalid_choice", "base"),
        ({"store": "none"}, "does_not_exist", "store"),
    ],
)
def test_an_impossible_currency_rule_is_refused(as_merchant, store, wrong, code, field):
    store.currencies = ["USD"]
    store.save()
    body = {"store": "main", "currency": "USD", "base": "EUR", **wrong}
    answer = as_merchant.post(f"{URL}currency-rules/", body)
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [(field, code)]


def test_currency_rules_are_filtered_and_cost_the_same(as_merchant, django_assert_num_queries):
    rules = [CurrencyRuleFactory() for _ in range(4)]
    with django_assert_num_queries(4):
        found = as_merchant.get(f"{URL}currency-rules/?currency=USD").json()["results"]
    assert [row["store"] for row in found] == [rule.store.code for rule in reversed(rules)]
    code = rules[0].store.code
    assert len(as_merchant.get(f"{URL}currency-rules/?store={code}").json()["results"]) == 1
    assert as_merchant.get(f"{URL}currency-rules/?mode=fixed").json()["results"] == []


def test_scheduled_prices_are_found(as_merchant, variant):
    now, day = timezone.now(), timedelta(days=1)
    PriceFactory(variant=variant, amount=1000)
    PriceFactory(variant=variant, amount=900, valid_from=now - 2 * day, valid_to=now - day)
    PriceFactory(variant=variant, amount=800, valid_from=now + day)
    PriceFactory(variant=variant, amount=700, valid_from=now - day, valid_to=now + day)

    def amounts(query):
        rows = as_merchant.get(f"{URL}prices/{query}").json()["results"]
        return [row["price"]["amount"] for row in rows]

    assert amounts("?scheduled=true") == ["7.00", "8.00"]
    assert amounts("?scheduled=false") == ["9.00", "10.00"]
    assert amounts("") == ["7.00", "8.00", "9.00", "10.00"]


def test_the_history_tells_the_compare_at_price(as_merchant, variant):
    PriceFactory(variant=variant, amount=800, compare_at=1000)
    (point,) = as_merchant.get(f"{URL}price-history/").json()["results"]
    assert (point["price"], point["compare_at_price"]) == (_eur("8.00"), _eur("10.00"))
