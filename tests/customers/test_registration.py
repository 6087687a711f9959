"""Registering."""

from __future__ import annotations

import pytest
from django.core import mail

from apps.accounts.models import User
from apps.core.models import OutboxMessage, RateCounter
from apps.customers.models import Customer
from apps.customers.services.registration import get_or_create_for_user, register
from tests.factories.accounts import StaffFactory

URL = "/api/v1/auth/register/"
BODY = {"email": "Ana@Example.com", "password": "a long enough phrase"}


def test_register_signs_in_and_makes_the_customer(api, store):
    extra = {
        "first_name": "Ana",
        "last_name": "López",
        "language": "es",
        "accepts_marketing": True,
    }
    response = api.post(URL, BODY | extra)
    assert response.status_code == 201
    answer = response.json()
    assert set(answer) == {"access", "refresh", "expires_in", "user"}
    customer = Customer.objects.get()
    assert answer["user"] == {
        "id": str(customer.user.public_id),
        "email": "ana@example.com",
        "first_name": "Ana",
        "last_name": "López",
        "language": "es",
        "is_staff": False,
    }
    me = api.get("/api/v1/me/", headers={"Authorization": f"Bearer {answer['access']}"})
    assert me.json() == {
        "id": str(customer.public_id),
        "email": "ana@example.com",
        "is_email_verified": False,
        "first_name": "Ana",
        "last_name": "López",
        "phone": "",
        "language": "es",
        "accepts_marketing": True,
        "group": None,
    }


def test_register_never_takes_over_a_guest(api, store, guest):
    assert api.post(URL, {**BODY, "email": guest.email}).status_code == 201
    guest.refresh_from_db()
    assert guest.user is None
    assert Customer.objects.filter(email=guest.email).count() == 2


def test_register_sends_one_welcome(api, store, drain):
    api.post(URL, {**BODY, "first_name": "Ana", "language": "es"})
    drain()
    OutboxMessage.objects.update(status=OutboxMessage.Status.PENDING)
    drain()
    (message,) = mail.outbox
    assert message.to == ["ana@example.com"]
    assert message.from_email == "Main <shop@example.com>"
    assert "Ana" in message.body
    assert 'lang="es"' in message.alternatives[0].content


def test_register_known_address_is_refused(api, store, shopper):
    response = api.post(URL, {**BODY, "email": "SHOPPER@example.com"})
    assert response.status_code == 400
    assert response.json()["code"] == "email_taken"
    assert response.json()["errors"][0]["field"] == "email"
    assert (User.objects.count(), Customer.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"password": "12345"}, "password", "password_too_short"),
        ({"password": "ana@example.com"}, "password", "password_too_similar"),
        ({"email": "ana"}, "email", "invalid"),
        ({"email": None}, "email", "null"),
        ({"language": "xx"}, "language", "invalid_choice"),
        ({"is_staff": True}, "is_staff", "unknown_field"),
        ({"group": "vip"}, "group", "unknown_field"),
    ],
)
def test_register_refuses(api, store, change, field, code):
    response = api.post(URL, BODY | change)
    assert response.status_code == 400
    assert (field, code) in [(e["field"], e["code"]) for e in response.json()["errors"]]
    assert User.objects.count() == 0


def test_register_attempts_are_limited(api, store, settings):
    settings.SIGN_IN_ATTEMPTS_PER_IP = 2
    codes = [api.post(URL, {**BODY, "email": f"{n}@example.com"}).status_code for n in range(3)]
    assert codes == [201, 201, 429]
    assert User.objects.count() == 2


def test_register_counts_refused_attempts_too(api, store, shopper, settings):
    settings.SIGN_IN_ATTEMPTS_PER_IP = 2
    body = {**BODY, "email": shopper.email}
    assert [api.post(URL, body).status_code for _ in range(3)] == [400, 400, 429]
    assert RateCounter.objects.count() > 0


def test_staff_get_their_customer_the_first_time_they_shop(client_for, db):
    staff = StaffFactory()
    first = client_for(staff).get("/api/v1/me/").json()
    assert first == client_for(staff).get("/api/v1/me/").json()
    assert Customer.objects.get().user == staff


@pytest.mark.race
def test_register_at_once_makes_one_account(at_once, store):
    def call(n):
        return register(store=store, email="ana@example.com", password=BODY["password"])

    answers = at_once(8, call)
    refused = [getattr(a, "code", None) for a in answers]
    assert sorted(refused, key=str) == sorted([None] + ["email_taken"] * 7, key=str)
    assert (User.objects.count(), Customer.objects.count()) == (1, 1)


@pytest.mark.race
def test_get_or_create_for_user_at_once_makes_one_customer(at_once):
    staff = StaffFactory()
    answers = at_once(8, lambda n: get_or_create_for_user(user=staff).pk)
    assert set(answers) == {Customer.objects.get().pk}
