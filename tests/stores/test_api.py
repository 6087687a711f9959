"""Stores, for staff."""

from __future__ import annotations

from tests.factories.stores import StoreFactory

URL = "/api/v1/admin/stores/"


def test_stores_are_listed(as_merchant, store):
    StoreFactory(code="b2b", default_currency="USD", currencies=["EUR", "USD"])
    results = as_merchant.get(URL).json()["results"]
    assert [s["code"] for s in results] == ["b2b", "main"]
    assert results[0]["currencies"] == ["USD", "EUR"]
    assert as_merchant.get(f"{URL}main/").json() == results[1]
    assert as_merchant.get(f"{URL}none/").status_code == 404


def test_stores_are_for_staff(api, as_shopper, store):
    assert api.get(URL).status_code == 401
    assert as_shopper.get(URL).status_code == 403


def test_stores_cost_the_same_for_any_number(as_merchant, django_assert_num_queries):
    StoreFactory.create_batch(5)
    with django_assert_num_queries(4):
        assert len(as_merchant.get(URL).json()["results"]) == 5
