"""A shopper's own profile and address book."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.customers.models import Address
from apps.customers.services import addresses
from tests.factories.customers import AddressFactory, CustomerGroupFactory

ME, BOOK = "/api/v1/me/", "/api/v1/me/addresses/"
VALID = {
    "ES": {
        "last_name": "López",
        "line1": "Calle Mayor 1",
        "city": "Madrid",
        "region": "M",
        "postal_code": "28013",
        "country": "ES",
    },
    "DE": {
        "last_name": "Schmidt",
        "line1": "Unter den Linden 1",
        "city": "Berlin",
        "postal_code": "10117",
        "country": "DE",
    },
    "US": {
        "last_name": "Doe",
        "line1": "1 Main Street",
        "city": "San Francisco",
        "region": "CA",
        "postal_code": "94105",
        "country": "US",
    },
    "GB": {
        "last_name": "Smith",
        "line1": "10 Downing Street",
        "city": "London",
        "postal_code": "SW1A 2AA",
        "country": "GB",
    },
    "JP": {
        "last_name": "山田",
        "line1": "千代田1-1",
        "city": "千代田区",
        "region": "13",
        "postal_code": "100-8111",
        "country": "JP",
    },
}


def test_profile_changes_reach_the_account(as_shopper, shopper):
    body = {
        "first_name": "Ana",
        "language": "es",
        "phone": "+34 912 345 678",
        "accepts_marketing": True,
    }
    response = as_shopper.patch(ME, body)
    assert response.status_code == 200
    assert response.json() == {
        "id": str(shopper.customer.public_id),
        "email": "shopper@example.com",
        "is_email_verified": False,
        "first_name": "Ana",
        "last_name": "Shopper",
        "phone": "+34912345678",
        "language": "es",
        "accepts_marketing": True,
        "group": None,
    }
    user = User.objects.get(pk=shopper.pk)
    assert (user.first_name, user.last_name, user.language) == ("Ana", "Shopper", "es")


def test_profile_names_the_group_and_hides_the_note(as_shopper, shopper):
    shopper.customer.group = CustomerGroupFactory(code="vip")
    shopper.customer.note = "pays late"
    shopper.customer.save()
    response = as_shopper.get(ME)
    assert response.json()["group"] == "vip"
    assert "pays late" not in response.content.decode()


@pytest.mark.parametrize(
    "body",
    [
        {"email": "new@example.com"},
        {"group": "vip"},
        {"id": "018f0000-0000-7000-8000-000000000000"},
        {"note": "x"},
        {"metadata": {}},
        {"user": 1},
        {"is_staff": True},
    ],
    ids=lambda body: next(iter(body)),
)
def test_profile_refuses_what_is_not_the_shoppers(as_shopper, shopper, body):
    response = as_shopper.patch(ME, body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "unknown_field"
    shopper.customer.refresh_from_db()
    assert (shopper.customer.email, shopper.customer.group) == ("shopper@example.com", None)


@pytest.mark.parametrize("phone", ["912345678", "abc", "+34", "+999123456", "+34\u202e912345678 x"])
def test_profile_with_a_wrong_phone_is_refused(as_shopper, shopper, phone):
    response = as_shopper.patch(ME, {"phone": phone})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_phone")


def test_profile_phone_can_be_emptied(as_shopper, shopper):
    as_shopper.patch(ME, {"phone": "+34 912 345 678"})
    assert as_shopper.patch(ME, {"phone": ""}).json()["phone"] == ""


@pytest.mark.parametrize("country", VALID)
def test_address_in_its_countrys_form_is_kept(as_shopper, shopper, country):
    response = as_shopper.post(BOOK, VALID[country])
    assert response.status_code == 201, response.json()
    answer = response.json()
    assert {name: answer[name] for name in VALID[country]} == VALID[country]
    assert as_shopper.get(f"{BOOK}{answer['id']}/").json() == answer
    assert Address.objects.get().customer == shopper.customer


def test_address_is_normalized(as_shopper):
    body = VALID["GB"] | {"postal_code": "sw1a 2aa", "phone": "020 7946 0018", "country": "gb"}
    answer = as_shopper.post(BOOK, body).json()
    assert (answer["postal_code"], answer["phone"], answer["country"]) == (
        "SW1A 2AA",
        "+442079460018",
        "GB",
    )


@pytest.mark.parametrize(
    ("country", "change", "field", "code"),
    [
        ("ES", {"postal_code": "2801"}, "postal_code", "invalid"),
        ("ES", {"region": ""}, "region", "required"),
        ("DE", {"postal_code": "SW1A 2AA"}, "postal_code", "invalid"),
        ("DE", {"city": ""}, "city", "required"),
        ("US", {"region": "ZZ"}, "region", "invalid"),
        ("US", {"postal_code": ""}, "postal_code", "required"),
        ("GB", {"postal_code": "12345"}, "postal_code", "invalid"),
        ("JP", {"postal_code": "1"}, "postal_code", "invalid"),
        ("ES", {"country": "XX"}, "country", "invalid"),
        ("ES", {"country": ""}, "country", "required"),
        ("ES", {"last_name": ""}, "last_name", "required"),
        ("ES", {"line1": " "}, "line1", "required"),
        ("ES", {"phone": "1"}, "phone", "invalid"),
    ],
)
def test_address_that_does_not_fit_is_refused(as_shopper, country, change, field, code):
    response = as_shopper.post(BOOK, VALID[country] | change)
    assert response.status_code == 400
    problem = response.json()
    assert problem["code"] == "invalid_address"
    assert (field, code) in [(e["field"], e["code"]) for e in problem["errors"]]
    assert Address.objects.count() == 0


@pytest.mark.parametrize(
    "extra", [{"customer": 1}, {"public_id": "x"}, {"id": 1}, {"postcode": "28013"}]
)
def test_address_with_an_unknown_field_is_refused(as_shopper, extra):
    response = as_shopper.post(BOOK, VALID["ES"] | extra)
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "unknown_field"


def test_address_change_checks_the_whole(as_shopper, shopper):
    address = AddressFactory(customer=shopper.customer)
    url = f"{BOOK}{address.public_id}/"
    assert as_shopper.patch(url, {"city": "Getafe", "postal_code": "28901"}).status_code == 200
    refused = as_shopper.patch(url, {"country": "DE"})
    # Madrid is no German region, but Germany has none in its addresses.
    assert refused.status_code == 200
    assert as_shopper.patch(url, {"country": "GB"}).status_code == 400
    address.refresh_from_db()
    assert (address.city, address.postal_code, address.country) == ("Getafe", "28901", "DE")


def test_defaults_are_exclusive(as_shopper, as_stranger, shopper, stranger):
    theirs = AddressFactory(customer=stranger.customer, is_default_shipping=True)
    first = as_shopper.post(
        BOOK, VALID["ES"] | {"is_default_shipping": True, "is_default_billing": True}
    ).json()
    second = as_shopper.post(BOOK, VALID["DE"] | {"is_default_shipping": True}).json()
    assert (second["is_default_shipping"], second["is_default_billing"]) == (True, False)
    first = as_shopper.get(f"{BOOK}{first['id']}/").json()
    assert (first["is_default_shipping"], first["is_default_billing"]) == (False, True)
    as_shopper.patch(f"{BOOK}{first['id']}/", {"is_default_shipping": True})
    second = as_shopper.get(f"{BOOK}{second['id']}/").json()
    assert (second["is_default_shipping"], second["is_default_billing"]) == (False, False)
    theirs.refresh_from_db()
    assert theirs.is_default_shipping


def test_address_of_somebody_else_is_not_found(as_stranger, as_shopper, shopper, stranger):
    address = AddressFactory(customer=shopper.customer)
    url = f"{BOOK}{address.public_id}/"
    assert as_stranger.get(url).status_code == 404
    assert as_stranger.patch(url, {"city": "Elsewhere"}).status_code == 404
    assert as_stranger.delete(url).status_code == 404
    assert as_stranger.get(BOOK).json()["results"] == []
    address.refresh_from_db()
    assert address.city == "Madrid"
    assert as_shopper.delete(url).status_code == 204
    assert Address.objects.count() == 0


def test_address_book_is_limited(as_shopper, shopper, monkeypatch):
    monkeypatch.setattr(addresses, "MAX_ADDRESSES", 1)
    assert as_shopper.post(BOOK, VALID["ES"]).status_code == 201
    response = as_shopper.post(BOOK, VALID["ES"])
    assert (response.status_code, response.json()["code"]) == (409, "too_many_addresses")


def test_account_is_for_people_who_signed_in(api, db):
    for method, url in [("get", ME), ("patch", ME), ("get", BOOK), ("post", BOOK)]:
        response = getattr(api, method)(url)
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("size", [1, 10])
def test_address_book_costs_the_same_for_any_size(
    as_shopper, shopper, django_assert_num_queries, size
):
    AddressFactory.create_batch(size, customer=shopper.customer)
    # The token, and the page.
    with django_assert_num_queries(2):
        assert len(as_shopper.get(BOOK).json()["results"]) == size


def test_profile_costs_two_queries(as_shopper, shopper, django_assert_num_queries):
    with django_assert_num_queries(2):
        as_shopper.get(ME)


@pytest.mark.race
def test_defaults_at_once_leave_one_default(at_once):
    customer = AddressFactory().customer
    data = VALID["ES"] | {"is_default_shipping": True}
    at_once(6, lambda n: addresses.add_address(customer=customer, data=data))
    assert customer.addresses.count() == 7
    assert customer.addresses.filter(is_default_shipping=True).count() == 1
