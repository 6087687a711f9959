"""Pick-up points: nearest first, for anybody; kept by staff."""

from __future__ import annotations

import pytest

from apps.core.errors import NotFound
from apps.core.ids import uuid7
from apps.shipping.models import PickupPoint
from apps.shipping.selectors import pickup_point, points_for
from tests.factories.shipping import HolidayFactory, PickupPointFactory, ShippingMethodFactory

PUBLIC = "/api/v1/shipping/pickup-points/"
STAFF = "/api/v1/admin/pickup-points/"
ADDRESS = {
    "line1": "Gran Vía 1",
    "city": "Madrid",
    "region": "M",
    "postal_code": "28013",
    "country": "ES",
}


@pytest.fixture
def method(store):
    return ShippingMethodFactory(store=store, code="kiosk", kind="pickup")


@pytest.fixture
def points(method):
    """Four in Spain, one of which is closed, one in France."""
    codes = (("a", "08001"), ("b", "28850"), ("c", "28013"), ("d", "28014"))
    for name, code in codes:
        PickupPointFactory(method=method, name=name, address={**ADDRESS, "postal_code": code})
    PickupPointFactory(method=method, name="e", address={**ADDRESS, "country": "FR"})
    PickupPointFactory(method=method, name="f", is_active=False)
    PickupPointFactory(name="g")


def test_the_nearest_point_is_first(method, points, django_assert_num_queries):
    with django_assert_num_queries(1):
        found = points_for([method], {"country": "ES", "postal_code": "28 013"})
    assert [point.name for point in found] == ["c", "d", "b", "a"]
    found = points_for([method], {"country": "ES"})
    assert [point.name for point in found] == ["a", "b", "c", "d"]
    assert points_for([method], {}) == []


def test_anybody_reads_the_points(api, points):
    answer = api.get(f"{PUBLIC}?method=kiosk&country=es&postal_code=28014")
    assert [point["name"] for point in answer.json()["results"]] == ["d", "c", "b", "a"]
    first = answer.json()["results"][0]
    assert set(first) == {"id", "name", "address", "opening_hours"}
    assert first["address"]["postal_code"] == "28014"
    assert answer["Cache-Control"] == "public, max-age=30, stale-while-revalidate=60"
    assert answer["Surrogate-Key"] == "pickup-points"
    same = api.get(
        f"{PUBLIC}?method=kiosk&country=es&postal_code=28014",
        headers={"If-None-Match": answer["ETag"]},
    )
    assert same.status_code == 304


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("method=kiosk", 400),
        ("country=ES", 400),
        ("method=kiosk&country=ES&limit=5", 400),
        ("method=none&country=ES", 404),
        ("method=home&country=ES", 404),
    ],
)
def test_questions_without_an_answer_are_refused(api, store, points, query, status):
    ShippingMethodFactory(store=store, code="home")
    assert api.get(f"{PUBLIC}?{query}").status_code == status


def test_a_chosen_point_is_found_while_it_is_open(points, django_assert_num_queries):
    point = PickupPoint.objects.get(name="c")
    with django_assert_num_queries(1):
        assert pickup_point(point.public_id).method.code == "kiosk"
    closed = PickupPoint.objects.get(name="f")
    for public_id in (closed.public_id, uuid7()):
        with pytest.raises(NotFound):
            pickup_point(public_id)


def test_staff_keep_points(as_merchant, method):
    body = {
        "store": "main",
        "method": "kiosk",
        "name": "Kiosk",
        "address": ADDRESS,
        "opening_hours": "Mon–Fri 9–20",
        "location_code": "madrid",
        "is_active": True,
    }
    answer = as_merchant.post(STAFF, body)
    assert answer.status_code == 201
    made = answer.json()
    assert {**made, "address": None} == {
        **body,
        "address": None,
        **{name: made[name] for name in ("id", "created_at", "updated_at")},
    }
    assert {name: made["address"][name] for name in ADDRESS} == ADDRESS
    one = f"{STAFF}{made['id']}/"
    assert as_merchant.get(one).json() == made
    changed = as_merchant.patch(one, {"is_active": False}, headers={"If-Match": answer["ETag"]})
    assert changed.json()["is_active"] is False
    stale = as_merchant.patch(one, {"name": "x"}, headers={"If-Match": answer["ETag"]})
    assert stale.status_code == 412
    assert as_merchant.get(f"{STAFF}?store=main&is_active=true").json()["results"] == []
    assert as_merchant.delete(one).status_code == 204
    assert not PickupPoint.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "none"},
        {"method": "home"},
        {"store": "none"},
        {"address": {}},
        {"address": {**ADDRESS, "postal_code": "x"}},
        {"name": ""},
        {"id": 1},
    ],
)
def test_points_that_make_no_sense_are_refused(as_merchant, store, method, changes):
    ShippingMethodFactory(store=store, code="home")
    body = {"store": "main", "method": "kiosk", "name": "x", "address": ADDRESS, **changes}
    assert as_merchant.post(STAFF, body).status_code == 400


@pytest.mark.parametrize("path", ["pickup-points", "holidays"])
def test_lists_cost_the_same(as_merchant, points, path, django_assert_num_queries):
    HolidayFactory()
    with django_assert_num_queries(4):
        assert as_merchant.get(f"/api/v1/admin/{path}/").status_code == 200


def test_staff_keep_holidays(as_merchant):
    url = "/api/v1/admin/holidays/"
    body = {"country": "ES", "region": "CT", "date": "2027-09-11", "name": "Diada"}
    answer = as_merchant.post(url, body)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in body} == body
    again = as_merchant.post(url, body)
    assert (again.status_code, again.json()["code"]) == (409, "holiday_exists")
    assert as_merchant.post(url, {**body, "country": "XX"}).json()["code"] == "invalid_holiday"
    one = f"{url}{answer.json()['id']}/"
    assert as_merchant.patch(one, {"name": "Día"}).json()["name"] == "Día"
    found = as_merchant.get(f"{url}?country=ES&since=2027-09-11").json()["results"]
    assert [row["name"] for row in found] == ["Día"]
    assert as_merchant.get(f"{url}?since=2027-09-12").json()["results"] == []
    assert as_merchant.delete(one).status_code == 204
