"""Shipping zones and methods, for staff."""

from __future__ import annotations

import pytest

from apps.core.ids import uuid7
from apps.shipping.models import ShippingMethod, ShippingRate
from tests.factories.shipping import ShippingMethodFactory, ShippingRateFactory, ZoneFactory

URL = "/api/v1/admin/"


def _eur(amount):
    return {"amount": amount, "currency": "EUR"}


def _rate(price, **changes):
    return {
        "price": _eur(price),
        "per_kg": _eur("0.00"),
        "free_above": None,
        "free_max_weight": None,
        "min_weight": 0,
        "max_weight": None,
        "min_value": _eur("0.00"),
        "max_value": None,
        "min_pieces": 0,
        "max_pieces": None,
        **changes,
    }


def _surcharge(name, **changes):
    plain = {"name": name, "amount": None, "percent": None, "places": [], "over_weight": None}
    return {**plain, **changes}


@pytest.fixture
def zone(db):
    return ZoneFactory(name="Spain", places=["ES"])


def _method(zone, **changes):
    rates = [
        _rate("4.95", free_above=_eur("50.00"), free_max_weight=3000, max_weight=5000),
        _rate("9.95", min_weight=5000, per_kg=_eur("1.50")),
    ]
    surcharges = [
        _surcharge("Islands", amount=_eur("6.00"), places=["ES-GC", "ES:35000-35999"]),
        _surcharge("Fuel", percent="7.500", over_weight=20_000),
    ]
    return {
        "store": "main",
        "code": "standard",
        "name": "Standard",
        "zone": str(zone.public_id),
        "min_days": 1,
        "max_days": 3,
        "position": 2,
        "is_active": True,
        "kind": "delivery",
        "cutoff_time": "14:30:00",
        "processing_days": 1,
        "weekdays": [1, 2, 3, 4, 5, 6],
        "volume_divisor": 5000,
        "weight_step": 500,
        "carrier": "table",
        "service": "",
        "rates": rates,
        "surcharges": surcharges,
        **changes,
    }


def test_zones_are_made_changed_and_deleted(as_merchant):
    places = ["ES", "PT", "ES-GC", "GB:BT*", "*"]
    body = {"name": "Iberia", "places": places, "exclusions": ["ES-TF"]}
    answer = as_merchant.post(f"{URL}shipping-zones/", body)
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in body} == body
    one = f"{URL}shipping-zones/{made['id']}/"
    changed = as_merchant.patch(one, {"places": ["PT", "PT"]}, headers={"If-Match": answer["ETag"]})
    assert (changed.json()["name"], changed.json()["places"]) == ("Iberia", ["PT"])
    assert as_merchant.get(one).json() == changed.json()
    stale = as_merchant.patch(one, {"name": "x"}, headers={"If-Match": answer["ETag"]})
    assert stale.status_code == 412
    assert as_merchant.get(f"{URL}shipping-zones/").json()["results"] == [changed.json()]
    assert as_merchant.delete(one).status_code == 204
    assert as_merchant.get(one).status_code == 404


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("XX", "unknown_country"),
        ("Spain", "unknown_place"),
        ("ES-", "invalid_region"),
        ("ES-ABCD", "invalid_region"),
        ("ZZ-A", "unknown_country"),
        ("ES:3*5", "invalid_postcodes"),
        ("ES:2-1", "reversed_range"),
        ("", "blank"),
        ([], "invalid"),
    ],
)
@pytest.mark.parametrize("field", ["places", "exclusions"])
def test_zones_refuse_places_that_are_none(as_merchant, field, place, code):
    body = {"name": "x", "places": ["ES"], "exclusions": [], field: ["ES", place]}
    answer = as_merchant.post(f"{URL}shipping-zones/", body)
    assert answer.status_code == 400
    assert [error["code"] for error in answer.json()["errors"]] == [code]
    assert answer.json()["errors"][0]["field"].split(".")[0] == field


def test_places_are_kept_in_one_spelling(as_merchant):
    body = {"name": "x", "places": ["es", "gb:bt *", "ES", "us:96701-96702"]}
    made = as_merchant.post(f"{URL}shipping-zones/", body).json()
    assert made["places"] == ["ES", "GB:BT*", "US:96701-96702"]


def test_a_zone_tells_whether_an_address_belongs_to_it(as_merchant):
    zone = ZoneFactory(places=["ES", "ES:35*"])
    url = f"{URL}shipping-zones/{zone.public_id}/check/"
    place = {"country": "ES", "postal_code": "35 001"}
    assert as_merchant.get(url, place).json() == {"level": "postcode"}
    assert as_merchant.get(url, {"country": "FR"}).json() == {"level": "nowhere"}
    assert as_merchant.get(url, {"postal_code": "1"}).status_code == 400
    nowhere = f"{URL}shipping-zones/{uuid7()}/check/"
    assert as_merchant.get(nowhere, place).status_code == 404


def test_shipping_can_be_tried(as_merchant, store, zone, django_assert_num_queries):
    method = ShippingMethodFactory(store=store, zone=zone, code="a", name="A", min_days=1)
    ShippingRateFactory(method=method, per_kg=100)
    for number in range(3):
        ShippingRateFactory(method__store=store, method__zone=zone, currency="JPY")
        ShippingMethodFactory(store=store, zone=ZoneFactory(places=["FR"]), code=f"fr{number}")
    query = {"store": "main", "currency": "EUR", "country": "ES", "weight": 1500, "value": "20"}
    # One is the token's, one the store's.
    with django_assert_num_queries(9):
        answer = as_merchant.get(f"{URL}shipping-try/", query)
    first, *others = answer.json()["results"]
    assert set(first.pop("estimate")) == {"earliest", "latest"}
    weight = {"actual": 1500, "volumetric": 0, "chargeable": 1500}
    assert first == {
        "code": "a",
        "name": "A",
        "price": _eur("6.95"),
        "reason": "",
        "steps": [
            {"step": "weight", "amount": 0, **weight},
            {"step": "band", "amount": 495},
            {"step": "per_kg", "amount": 200, "kilograms": 2, "per_kg": 100},
        ],
    }
    reasons = [(one["price"], one["reason"], one["steps"]) for one in others]
    assert sorted(reasons, key=str) == [
        *[(None, "no_rate", [])] * 3,
        *[(None, "not_here", [])] * 3,
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"store": "none"},
        {"currency": "XXX"},
        {"currency": "JPY", "value": "1.5"},
        {"value": "-1"},
        {"value": "NaN"},
        {"weight": "-1"},
        {"pieces": "0"},
        {"country": ""},
        {"surprise": "1"},
    ],
)
def test_trying_refuses_what_makes_no_sense(as_merchant, store, changes):
    query = {"store": "main", "currency": "EUR", "country": "ES", **changes}
    assert as_merchant.get(f"{URL}shipping-try/", query).status_code == 400


def test_a_zone_in_use_is_not_deleted(as_merchant, zone):
    ShippingMethodFactory(zone=zone)
    answer = as_merchant.delete(f"{URL}shipping-zones/{zone.public_id}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "zone_in_use")


def test_methods_are_made_changed_and_deleted(as_merchant, store, zone):
    body = _method(zone)
    answer = as_merchant.post(f"{URL}shipping-methods/", body)
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in body} == body
    again = as_merchant.post(f"{URL}shipping-methods/", body)
    assert (again.status_code, again.json()["code"]) == (409, "shipping_method_taken")
    one = f"{URL}shipping-methods/main/standard/"
    assert as_merchant.get(one).json() == made
    rates = [_rate("1.00", min_value=_eur("20.00"), max_pieces=5)]
    changed = as_merchant.patch(one, {"rates": rates, "name": "Slow"}).json()
    assert (changed["name"], changed["rates"]) == ("Slow", rates)
    assert as_merchant.patch(one, {"is_active": False}).json()["rates"] == rates
    assert as_merchant.delete(one).status_code == 204
    assert as_merchant.get(one).status_code == 404
    assert not ShippingRate.objects.exists()


def _band(low, high, currency="EUR"):
    price = {"amount": "1", "currency": currency}
    return {"price": price, "min_weight": low, "max_weight": high}


@pytest.mark.parametrize(
    "changes",
    [
        {"zone": str(uuid7())},
        {"zone": "spain"},
        {"zone": None},
        {"store": "none"},
        {"min_days": 5, "max_days": 2},
        {"min_days": -1},
        {"rates": [_band(0, 0)]},
        {"rates": [_band(0, 100), _band(50, 200)]},
        {"rates": [_band(0, None), _band(50, 200)]},
        {"rates": [_band(0, 100), _band(0, 200)]},
        {"rates": [{"price": _eur("-1.00")}]},
        {"rates": [{"price": _eur("1.00"), "free_above": {"amount": "5", "currency": "JPY"}}]},
        {"rates": [{"price": _eur("1.00"), "weight": 5}]},
        {"rates": {}},
        {"rates": [_rate("1.00", min_value=_eur("5.00"), max_value=_eur("5.00"))]},
        {"rates": [_rate("1.00", max_pieces=5), _rate("2.00", min_pieces=4)]},
        {"rates": [_rate("1.00", per_kg={"amount": "5", "currency": "JPY"})]},
        {"surcharges": [_surcharge("x")]},
        {"surcharges": [_surcharge("x", amount=_eur("1.00"), percent="5")]},
        {"surcharges": [_surcharge("x", percent="101")]},
        {"surcharges": [_surcharge("x", percent="5", places=["Moon"])]},
        {"surcharges": [{"percent": "5"}]},
        {"weekdays": []},
        {"weekdays": [0]},
        {"weekdays": [8]},
        {"kind": "pigeon"},
        {"carrier": "pigeon"},
        {"cutoff_time": "25:00"},
    ],
)
def test_methods_refuse_what_makes_no_sense(as_merchant, store, zone, changes):
    answer = as_merchant.post(f"{URL}shipping-methods/", {**_method(zone), **changes})
    assert answer.status_code == 400
    assert not ShippingMethod.objects.exists()


def test_bands_of_other_values_and_pieces_do_not_overlap(as_merchant, store, zone):
    rates = [
        _rate("5.00", max_value=_eur("50.00"), max_pieces=3),
        _rate("6.00", max_value=_eur("50.00"), min_pieces=3),
        _rate("0.00", min_value=_eur("50.00")),
    ]
    answer = as_merchant.post(f"{URL}shipping-methods/", _method(zone, rates=rates))
    assert answer.status_code == 201
    assert sorted(rate["price"]["amount"] for rate in answer.json()["rates"]) == [
        "0.00",
        "5.00",
        "6.00",
    ]


def test_bands_of_other_currencies_do_not_overlap(as_merchant, store, zone):
    rates = [_band(0, 100), _band(100, None), _band(0, None, "JPY")]
    answer = as_merchant.post(f"{URL}shipping-methods/", _method(zone, rates=rates))
    assert answer.status_code == 201


def test_methods_are_filtered_and_cost_the_same(
    as_merchant, store, zone, django_assert_num_queries
):
    for number in range(4):
        method = ShippingMethodFactory(store=store, zone=zone, code=f"m{number}")
        ShippingRateFactory(method=method)
    ShippingMethodFactory()
    with django_assert_num_queries(6):
        results = as_merchant.get(f"{URL}shipping-methods/?store=main").json()["results"]
    assert [r["code"] for r in results] == ["m0", "m1", "m2", "m3"]
    query = f"zone={zone.public_id}&is_active=false"
    assert as_merchant.get(f"{URL}shipping-methods/?{query}").json()["results"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "shipping-zones/"),
        ("get", "shipping-methods/"),
        ("post", "shipping-zones/"),
        ("post", "shipping-methods/"),
        ("patch", "shipping-methods/main/standard/"),
        ("delete", "shipping-methods/main/standard/"),
    ],
)
def test_shipping_is_for_staff(
    api, as_shopper, as_readonly, client_for, staff_without_permissions, store, method, path
):
    ShippingMethodFactory(store=store, code="standard")
    assert getattr(api, method)(URL + path).status_code == 401
    nobody = client_for(staff_without_permissions)
    for client in (as_shopper, nobody):
        assert getattr(client, method)(URL + path).status_code == 403
    expected = 200 if method == "get" else 403
    assert getattr(as_readonly, method)(URL + path).status_code == expected
