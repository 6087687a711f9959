"""Signing in, and its limits."""

from __future__ import annotations

import time
from statistics import median

import pytest
from django.contrib.auth import authenticate

from apps.accounts.models import RefreshToken, User, normalize_email
from apps.accounts.services.sign_in import check_credentials
from apps.core.errors import RateLimited
from tests.factories.accounts import PASSWORD, UserFactory

URL = "/api/v1/auth/token/"


def test_wrong_password_and_unknown_address_get_the_same_answer(api, shopper):
    wrong = api.post(URL, {"email": shopper.email, "password": "wrong"})
    unknown = api.post(URL, {"email": "unknown@example.com", "password": "wrong"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong["WWW-Authenticate"] == unknown["WWW-Authenticate"] == 'Bearer realm="api"'
    first, second = wrong.json(), unknown.json()
    assert first.pop("request_id") != second.pop("request_id")
    assert first == second
    assert first["code"] == "invalid_credentials"


def test_unknown_address_takes_as_long_as_a_wrong_password(db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 100
    user = UserFactory()

    def seconds(email):
        started = time.perf_counter()
        assert check_credentials(email=email, password="wrong") is None
        return time.perf_counter() - started

    known = median(seconds(user.email) for _ in range(5))
    unknown = median(seconds("unknown@example.com") for _ in range(5))
    # Without the dummy hash it would be a hundred times faster.
    assert 0.1 < unknown / known < 10


def test_inactive_user_cannot_sign_in(api, shopper):
    User.objects.filter(pk=shopper.pk).update(is_active=False)
    assert api.post(URL, {"email": shopper.email, "password": PASSWORD}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "shopper@example.com"},
        {"email": "no address", "password": "x"},
        {"email": "shopper@example.com", "password": "x" * 257},
        {"email": "shopper@example.com", "password": "a\x00b"},
        {"email": ["shopper@example.com"], "password": PASSWORD},
        {"email": "shopper@example.com", "password": PASSWORD, "admin": True},
        [],
        "text",
    ],
)
def test_malformed_sign_in_is_refused(api, shopper, body):
    response = api.post(URL, body)
    assert response.status_code == 400
    assert response.json()["code"] == "validation_error"


def test_attempts_on_one_account_are_limited_from_all_addresses(api, shopper, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 3
    answers = [
        api.post(URL, {"email": email, "password": "wrong"}, REMOTE_ADDR=f"192.0.2.{n}")
        for n, email in enumerate([shopper.email, shopper.email.upper(), f" {shopper.email}"])
    ]
    assert [a.status_code for a in answers] == [401, 401, 401]
    # Not even the right password: the answer would tell whether it is.
    answer = api.post(URL, {"email": shopper.email, "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.json()["code"] == "rate_limited"
    assert 0 < int(answer["Retry-After"]) <= 900
    assert RefreshToken.objects.count() == 0


def test_attempts_from_one_network_are_limited_over_all_accounts(api, db, settings):
    settings.SIGN_IN_ATTEMPTS_PER_IP = 3
    codes = [
        api.post(
            URL,
            {"email": f"{n}@example.com", "password": "x"},
            REMOTE_ADDR=f"2001:db8:1:2::{n}",
            # Nobody's proxy: what it says doesn't count.
            headers={"X-Forwarded-For": f"198.51.100.{n}"},
        ).status_code
        for n in range(1, 5)
    ]
    assert codes == [401, 401, 401, 429]
    other = api.post(
        URL, {"email": "9@example.com", "password": "x"}, REMOTE_ADDR="2001:db8:1:3::1"
    )
    assert other.status_code == 401


def test_admin_form_has_the_same_limits(client, merchant, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 2
    form = {"username": merchant.email, "password": "wrong"}
    assert b"errornote" in client.post("/admin/login/", form).content
    client.post("/admin/login/", form)
    refused = client.post("/admin/login/", {**form, "password": PASSWORD})
    assert refused.status_code == 200
    assert "Too many attempts" in refused.content.decode()
    assert "_auth_user_id" not in client.session


def test_admin_form_lets_staff_in(client, merchant):
    form = {"username": merchant.email.upper(), "password": PASSWORD}
    response = client.post("/admin/login/?next=/admin/", form)
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(merchant.pk)


def test_django_authenticate_is_limited_too(shopper, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 1
    assert authenticate(username=shopper.email, password=PASSWORD) == shopper
    with pytest.raises(RateLimited):
        authenticate(username=shopper.email, password=PASSWORD)


def test_authenticate_without_credentials_is_nobody(db):
    assert authenticate(request=None, token="x") is None


def test_normalize_email():
    assert normalize_email(" Ana@Example.COM ") == "ana@example.com"
