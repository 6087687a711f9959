"""The second factor on pages: at signing in, and setting it up, for shoppers and for staff."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from apps.accounts.models import User
from apps.accounts.services import second_factor
from tests.factories.accounts import PASSWORD, App

PAGE = "/account/second-factor/"
CODE = "/account/sign-in/code/"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with App.clock():
        yield


@pytest.fixture
def app(shopper) -> App:
    made = App(second_factor.begin(user=shopper, password=PASSWORD).seed)
    second_factor.confirm(user=shopper, code=made.code(steps=-1))
    return made


def _password(client, user, **more):
    data = {"email": user.email, "password": PASSWORD, **more}
    return client.post("/account/sign-in/", data)


def test_password_alone_signs_nobody_in(client, store, shopper, app):
    asked = _password(client, shopper)
    assert asked["Location"] == f"{CODE}?next="
    half = client.session.session_key
    assert client.get("/account/")["Location"].startswith("/account/sign-in/")
    wrong = client.post(CODE, {"code": "000000"})
    assert wrong.status_code == 400
    assert "This code is wrong" in wrong.content.decode()
    assert client.get("/account/").status_code == 302
    right = client.post(CODE, {"code": app.code()})
    assert right["Location"] == "/account/"
    assert client.get("/account/").status_code == 200
    # Who saw the session's key before has nothing of it.
    assert client.session.session_key != half


def test_code_page_is_for_who_gave_the_password(client, store, shopper, app):
    assert client.get(CODE)["Location"] == "/account/sign-in/"
    assert client.post(CODE, {"code": app.code()})["Location"] == "/account/sign-in/"


def test_it_leads_on_to_where_one_wanted_and_nowhere_else(client, store, shopper, app):
    _password(client, shopper, next="/wishlist/")
    assert client.post(CODE, {"code": app.code(), "next": "/wishlist/"})["Location"] == "/wishlist/"
    client.post("/account/sign-out/")
    _password(client, shopper)
    backup = second_factor.renew_backup_codes(user=shopper, code=app.code(steps=1))
    elsewhere = {"code": backup[0], "next": "https://elsewhere.example/"}
    assert client.post(CODE, elsewhere)["Location"] == "/account/"


def test_it_is_set_up_on_a_page_without_scripts(client, store, shopper):
    client.force_login(shopper)
    assert "Set it up" in client.get(PAGE).content.decode()
    shown = client.post(PAGE, {"act": "begin", "password": PASSWORD}).content.decode()
    assert 'src="data:image/svg+xml' in shown
    seed = re.search(r"<code>([A-Z2-7]{32})</code>", shown)
    assert seed
    app = App(seed[1])
    again = client.post(PAGE, {"act": "confirm", "code": "000000"})
    assert again.status_code == 400
    done = client.post(PAGE, {"act": "confirm", "code": app.code()}).content.decode()
    codes = re.findall(r"<code>((?:[a-z2-7]{4}-){3}[a-z2-7]{4})</code>", done)
    assert len(codes) == 10
    # This browser stays signed in.
    assert "10 backup codes are left" in client.get(PAGE).content.decode()
    renewed = client.post(PAGE, {"act": "renew", "code": codes[0]}).content.decode()
    assert codes[1] not in renewed
    new = re.search(r"<code>((?:[a-z2-7]{4}-){3}[a-z2-7]{4})</code>", renewed)
    assert new
    client.post(PAGE, {"act": "off", "code": new[1], "password": PASSWORD})
    assert User.objects.get(pk=shopper.pk).has_second_factor is False
    assert client.get(PAGE).status_code == 200


def test_who_has_no_password_is_asked_for_none(client, store, shopper):
    shopper.set_unusable_password()
    shopper.save()
    client.force_login(shopper)
    assert 'name="password"' not in client.get(PAGE).content.decode()
    shown = client.post(PAGE, {"act": "begin"}).content.decode()
    seed = re.search(r"<code>([A-Z2-7]{32})</code>", shown)
    assert seed
    done = client.post(PAGE, {"act": "confirm", "code": App(seed[1]).code()}).content.decode()
    backup = re.search(r"<code>((?:[a-z2-7]{4}-){3}[a-z2-7]{4})</code>", done)
    assert backup
    assert client.post(PAGE, {"act": "off", "code": "000000"}).status_code == 400
    assert client.post(PAGE, {"act": "off", "code": backup[1]}).status_code == 302
    assert User.objects.get(pk=shopper.pk).has_second_factor is False
    # Nothing is left to switch off.
    assert client.post(PAGE, {"act": "off", "code": backup[1]}).status_code == 409


def test_back_office_opens_behind_both(client, store, merchant):
    app = App(second_factor.begin(user=merchant, password=PASSWORD).seed)
    second_factor.confirm(user=merchant, code=app.code(steps=-1))
    client.post("/admin/login/", {"username": merchant.email, "password": PASSWORD})
    assert client.get("/admin/")["Location"] == f"{CODE}?next=%2Fadmin%2F"
    assert client.post(CODE, {"code": app.code(), "next": "/admin/"})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_staff_have_to_set_it_up(client, store, merchant, settings):
    settings.STAFF_SECOND_FACTOR = True
    client.force_login(merchant)
    wanted = client.get("/admin/orders/order/")
    assert wanted["Location"] == f"{PAGE}?next=%2Fadmin%2Forders%2Forder%2F"
    assert "The back office opens for you" in client.get(wanted["Location"]).content.decode()
    seed = second_factor.begin(user=merchant, password=PASSWORD).seed
    done = client.post(
        PAGE, {"act": "confirm", "code": App(seed).code(), "next": "/admin/orders/order/"}
    )
    assert 'href="/admin/orders/order/"' in done.content.decode()
    assert client.get("/admin/orders/order/").status_code == 200


def test_switching_it_on_ends_other_browsers(client, store, shopper):
    client.force_login(shopper)
    assert client.get("/account/").status_code == 200
    made = App(second_factor.begin(user=shopper, password=PASSWORD).seed)
    second_factor.confirm(user=shopper, code=made.code())
    assert client.get("/account/").status_code == 302
    assert client.get(CODE)["Location"] == "/account/sign-in/"
