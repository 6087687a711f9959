"""Where one is signed in, and how to end it."""

from __future__ import annotations

import pytest

from apps.accounts.models import RefreshToken
from apps.accounts.services import tokens
from tests.factories.accounts import PASSWORD

URL = "/api/v1/auth/sessions/"


@pytest.fixture
def phone(api, shopper) -> dict[str, str]:
    """The header of a phone that signed in."""
    answer = api.post(
        "/api/v1/auth/token/",
        {"email": shopper.email, "password": PASSWORD},
        headers={"User-Agent": "Phone/1.0"},
        REMOTE_ADDR="192.0.2.7",
    )
    return {"Authorization": f"Bearer {answer.json()['access']}"}


def test_sessions_are_listed_with_where_they_began(api, shopper, stranger, phone):
    tokens.open_session(user=stranger)
    session = tokens.open_session(user=shopper)
    renewed = tokens.refresh_session(refresh=session.refresh)
    answer = api.get(URL, headers=phone)
    listed = answer.json()["results"]
    assert [(row["ip"], row["agent"]) for row in listed] == [("", ""), ("192.0.2.7", "Phone/1.0")]
    first = RefreshToken.objects.order_by("pk").filter(agent="", user=shopper)
    assert len(first) == 2
    assert listed[0]["started_at"] < listed[0]["last_used_at"] < listed[0]["expires_at"]
    assert tokens.user_of(renewed.access) == shopper


@pytest.mark.parametrize("number", [1, 10])
def test_list_costs_the_same(api, shopper, phone, number, django_assert_num_queries):
    for _ in range(number):
        tokens.open_session(user=shopper)
    with django_assert_num_queries(2):
        api.get(URL, headers=phone)


def test_one_session_is_ended(api, shopper, phone):
    other = tokens.open_session(user=shopper)
    family = RefreshToken.objects.get(agent="").family
    assert api.delete(f"{URL}{family}/", headers=phone).status_code == 204
    with pytest.raises(tokens.InvalidToken):
        tokens.user_of(other.access)
    with pytest.raises(tokens.InvalidToken):
        tokens.refresh_session(refresh=other.refresh)
    assert api.get(URL, headers=phone).status_code == 200


def test_somebody_elses_session_is_none(api, stranger, phone):
    other = tokens.open_session(user=stranger)
    family = RefreshToken.objects.get(user=stranger).family
    assert api.delete(f"{URL}{family}/", headers=phone).status_code == 404
    assert tokens.user_of(other.access) == stranger


def test_everything_ends_browsers_too(api, client, shopper, phone, store):
    client.force_login(shopper)
    assert client.get("/account/").status_code == 200
    assert api.post(f"{URL}end/", headers=phone).status_code == 204
    assert api.get(URL, headers=phone).status_code == 401
    assert client.get("/account/").status_code == 302


def test_button_of_the_shop_does_the_same(api, client, shopper, phone, store):
    client.force_login(shopper)
    assert "Sign out on all devices" in client.get("/account/second-factor/").content.decode()
    assert client.post("/account/sign-out/everywhere/").status_code == 302
    assert client.get("/account/").status_code == 302
    assert api.get(URL, headers=phone).status_code == 401
