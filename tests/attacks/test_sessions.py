"""T36: getting in without the right proof, or staying in once it is over.

Claims, keys and algorithms of access tokens, rotation and logging out are tests/accounts; here is
what one credential does where another is asked for, and what survives a change.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import jwt
import pytest
from django.contrib.auth import SESSION_KEY
from django.core import signing
from django.core.signing import TimestampSigner
from django.test import Client

from apps.accounts.models import User
from apps.accounts.services import recovery, second_factor, tokens
from apps.accounts.services.api_keys import create_api_key
from tests.attacks.pages import browser
from tests.contract.shop import BASE
from tests.factories.accounts import PASSWORD, App
from tests.permissions.matrix import PAGES

ME, TOKEN, REFRESH = f"{BASE}/me/", f"{BASE}/auth/token/", f"{BASE}/auth/token/refresh/"
CODE = "/account/sign-in/code/"
NEW = "a quite new password"


@pytest.fixture
def session(shopper) -> tokens.Session:
    return tokens.open_session(user=shopper)


def _status(api, credential: str, scheme: str = "Bearer") -> int:
    return api.get(ME, headers={"Authorization": f"{scheme} {credential}"}).status_code


def _part(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


HEADERS = [
    {"alg": "none"},
    {"alg": "None"},
    {"alg": "nOnE"},
    {"alg": ""},
    {"alg": "HS256", "kid": "../../../../../../dev/null"},
    {"alg": "HS256", "kid": "' UNION SELECT 'k"},
    {"alg": "HS256", "jku": "https://evil.example/keys.json"},
    {"alg": "HS256", "x5u": "https://evil.example/key.pem"},
    {"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}},
    {"alg": "HS256", "crit": ["exp"]},
    {"alg": "RS256"},
    {"alg": "ES256"},
    {"alg": "PS256"},
    {"alg": "EdDSA"},
]


@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_header_of_a_token_chooses_nothing(api, session, header):
    """Neither how it is checked nor by which key: signed by nobody, by nothing, by a zero key."""
    claims = _part(jwt.decode(session.access, options={"verify_signature": False}))
    signed_part = f"{_part({'typ': 'JWT', **header})}.{claims}"
    hs256 = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    for key in (None, b"", b"\x00", b"AAAA", session.user.password.encode()):
        signature = b"" if key is None else hs256.sign(signed_part.encode(), key)
        encoded = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
        assert _status(api, f"{signed_part}.{encoded}") == 401


def test_every_other_proof_is_no_access_token(api, session, shopper, merchant):
    """Each is good, for something else."""
    _key, key = create_api_key(created_by=merchant, name="K", scopes=["orders.view_order"])
    reset = recovery.password_reset_url(shopper).rstrip("/").rsplit("/", 1)[1]
    proof = recovery.verification_url(shopper).rstrip("/").rsplit("/", 1)[1]
    client = browser(shopper)
    others = {
        "refresh": session.refresh,
        "reset": reset,
        "verification": proof,
        "key": key,
        "session": client.session.session_key,
        "signed": signing.dumps({"sub": str(shopper.public_id), "typ": "access"}),
        "upload": signing.dumps(["x", 1], salt="core.uploads"),
        "stamped": TimestampSigner().sign(str(shopper.public_id)),
        "uid": str(shopper.public_id),
    }
    for scheme in ("Bearer", "Api-Key", "Token", "Basic", "Session"):
        good = {("Api-Key", "key")}
        wrong = {
            name: _status(api, value, scheme)
            for name, value in others.items()
            if (scheme, name) not in good and _status(api, value, scheme) != 401
        }
        assert (scheme, wrong) == (scheme, {})
    assert _status(api, session.access, "Api-Key") == 401
    # The way round: nothing is refreshed, reset or proved by an access token.
    assert api.post(REFRESH, {"refresh": session.access}).status_code in (400, 401)
    body = {"uid": str(shopper.public_id), "token": session.access, "password": NEW}
    assert api.post(f"{BASE}/auth/password/reset/confirm/", body).status_code == 400


ENDS = {
    "signing out": lambda user, session: tokens.close_session(refresh=session.refresh),
    "signing out everywhere": lambda user, session: tokens.end_everything(user=user),
    "another password": lambda user, session: _set(user, password=True),
    "another address": lambda user, session: _set(user, email="moved@example.com"),
    "being blocked": lambda user, session: _set(user, is_active=False),
    "a mail's link": lambda user, session: recovery.reset_password(
        uid=user.public_id,
        token=recovery.password_reset_url(user).rstrip("/").rsplit("/", 1)[1],
        password=NEW,
    ),
    "being deleted": lambda user, session: _delete(user),
}


def _set(user: User, *, password: bool = False, **values: object) -> None:
    """As any code may do it, without a service."""
    for name, value in values.items():
        setattr(user, name, value)
    if password:
        user.set_password(NEW)
    user.save()


def _delete(user: User) -> None:
    user.customer.delete()
    user.delete()


@pytest.mark.parametrize("how", ENDS)
def test_nothing_survives(api, store, shopper, session, how):
    client = browser(shopper)
    assert (_status(api, session.access), client.get("/account/").status_code) == (200, 200)
    ENDS[how](User.objects.get(pk=shopper.pk), session)
    assert _status(api, session.access) == 401
    assert api.post(REFRESH, {"refresh": session.refresh}).status_code == 401
    # Signing out of a program isn't signing out of the browser.
    if how != "signing out":
        assert client.get("/account/").status_code == 302


def test_session_is_new_after_signing_in(client, store, shopper):
    """Whoever planted the former one (a link, a shared computer) holds nothing."""
    client.post("/wishlist/add/", {"sku": "none"})
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = planted = session.session_key
    client.post("/account/sign-in/", {"email": shopper.email, "password": PASSWORD})
    assert client.session[SESSION_KEY] == str(shopper.pk)
    assert client.cookies["sessionid"].value != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert thief.get("/account/").status_code == 302


def test_invented_session_is_not_taken_over(client, store, shopper):
    client.cookies["sessionid"] = "a" * 32
    client.post("/account/sign-in/", {"email": shopper.email, "password": PASSWORD})
    assert client.cookies["sessionid"].value != "a" * 32


@pytest.fixture
def clock() -> Iterator[None]:
    with App.clock():
        yield


@pytest.fixture
def app(clock, shopper) -> App:
    made = App(second_factor.begin(user=shopper, password=PASSWORD).seed)
    second_factor.confirm(user=shopper, code=made.code(steps=-1))
    return made


def test_reset_password_is_no_second_factor(api, client, store, shopper, app):
    """Who reads the mailbox has one proof of two, by the API and in a browser."""
    token = recovery.password_reset_url(User.objects.get(pk=shopper.pk)).rstrip("/")
    page = client.post(
        f"/password/{shopper.public_id}/{token.rsplit('/', 1)[1]}/", {"password": NEW}
    )
    assert page["Location"] == "/account/sign-in/"
    assert client.get("/account/").status_code == 302
    assert User.objects.get(pk=shopper.pk).check_password(NEW)
    body = {"email": shopper.email, "password": NEW}
    for code in ("", "000000", " ", "null", app.code(steps=-1)):
        answer = api.post(TOKEN, {**body, **({"code": code} if code else {})})
        assert answer.status_code in (400, 401)
        assert "access" not in answer.json()
    client.post("/account/sign-in/", body)
    assert client.get("/account/").status_code == 302
    assert api.post(TOKEN, {**body, "code": app.code()}).status_code == 200


def test_password_alone_opens_no_page(client, store, shopper, app):
    """Every page that asks for somebody, the back office, and what would switch the factor off."""
    shopper.is_staff = shopper.is_superuser = True
    shopper.save()
    client.post("/account/sign-in/", {"email": shopper.email, "password": PASSWORD})
    signed_in = [f"/{r}" for r, who in PAGES.items() if who == "signed-in" and "<" not in r]
    assert len(signed_in) >= 5
    for path in (*signed_in, "/admin/", "/admin/accounts/user/", "/admin/password_change/"):
        for answer in (client.get(path), client.post(path, {"act": "off", "password": PASSWORD})):
            assert (path, answer.status_code) == (path, 302)
            assert answer["Location"].startswith(("/account/sign-in/", "/admin/login/"))
    assert User.objects.get(pk=shopper.pk).has_second_factor
    assert client.get(ME).status_code == 401


def test_proof_of_one_person_is_none_of_the_next(client, store, stranger, shopper, app):
    """In one browser: the thief's own second factor doesn't count for the victim's password."""
    own = App(second_factor.begin(user=stranger, password=PASSWORD).seed)
    second_factor.confirm(user=stranger, code=own.code(steps=-1))
    client.post("/account/sign-in/", {"email": stranger.email, "password": PASSWORD})
    client.post(CODE, {"code": own.code()})
    assert client.get("/account/").status_code == 200
    # Straight over the session that is proved, as by a page that was left open.
    client.post("/admin/login/", {"username": shopper.email, "password": PASSWORD})
    client.post("/account/sign-in/", {"email": shopper.email, "password": PASSWORD})
    assert client.get("/account/").status_code == 302
    # And the thief's next code isn't the victim's.
    assert client.post(CODE, {"code": own.code(steps=1)}).status_code == 400
    assert client.get("/account/").status_code == 302


def test_code_of_the_pages_is_used_up_for_the_api(api, client, store, shopper, app):
    code = app.code()
    client.post("/account/sign-in/", {"email": shopper.email, "password": PASSWORD})
    assert client.post(CODE, {"code": code})["Location"] == "/account/"
    body = {"email": shopper.email, "password": PASSWORD, "code": code}
    assert api.post(TOKEN, body).json()["code"] == "wrong_code"
