"""Access tokens, refresh tokens, and everything that must end them."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from apps.accounts import tasks
from apps.accounts.models import RefreshToken, User
from apps.accounts.services import tokens
from tests.factories.accounts import PASSWORD, UserFactory

ME = "/api/v1/me/"


@pytest.fixture
def session(shopper):
    return tokens.open_session(user=shopper)


def status_with(api, access):
    return api.get(ME, headers={"Authorization": f"Bearer {access}"}).status_code


def claims_of(access):
    return jwt.decode(access, options={"verify_signature": False})


def signed(claims, key=None, algorithm="HS256"):
    return jwt.encode(claims, key or tokens._key(settings.SECRET_KEY), algorithm=algorithm)


def test_sign_in_answers_tokens_that_open_the_account(api, shopper):
    body = {"email": " Shopper@Example.com ", "password": PASSWORD}
    response = api.post("/api/v1/auth/token/", body)
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {"access", "refresh", "expires_in", "user"}
    assert answer["expires_in"] == settings.ACCESS_TOKEN_LIFETIME.total_seconds()
    assert answer["user"] == {
        "id": str(shopper.public_id),
        "email": "shopper@example.com",
        "first_name": "Sam",
        "last_name": "Shopper",
        "language": "",
        "is_staff": False,
    }
    assert status_with(api, answer["access"]) == 200
    assert User.objects.get(pk=shopper.pk).last_login is not None


def test_access_token_claims(session, shopper):
    claims = claims_of(session.access)
    assert claims["sub"] == str(shopper.public_id)
    assert claims["typ"] == "access"
    assert claims["exp"] - claims["iat"] == settings.ACCESS_TOKEN_LIFETIME.total_seconds()
    assert str(shopper.pk) not in (claims["sub"], claims["jti"], claims["sid"])


def test_refresh_token_is_stored_as_a_hash_only(session):
    row = RefreshToken.objects.get()
    assert session.refresh not in (row.digest, row.fingerprint)
    assert len(session.refresh) >= 43  # 256 bits in base64


@pytest.mark.parametrize(
    "change",
    [
        {"typ": "refresh"},
        {"typ": None},
        {"aud": "another-api"},
        {"iss": "somebody"},
        {"exp": 1},
        {"fpr": "0" * 64},
        {"sub": "1"},
        {"sub": "018f0000-0000-7000-8000-000000000000"},
        {"sid": "018f0000-0000-7000-8000-000000000000"},
        {"sid": "not-a-uuid"},
        {"iat": 9_999_999_999},
    ],
    ids="-".join,
)
def test_access_token_with_a_wrong_claim_is_refused(api, session, change):
    assert status_with(api, signed(claims_of(session.access) | change)) == 401


@pytest.mark.parametrize("missing", tokens._CLAIMS)
def test_access_token_without_a_claim_is_refused(api, session, missing):
    claims = claims_of(session.access)
    del claims[missing]
    assert status_with(api, signed(claims)) == 401


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_access_token_forged_is_refused(api, session):
    claims = claims_of(session.access)
    head, body, signature = session.access.split(".")
    assert status_with(api, jwt.encode(claims, None, algorithm="none")) == 401
    assert status_with(api, signed(claims, algorithm="HS512")) == 401
    assert status_with(api, signed(claims, key=b"k" * 32)) == 401
    assert status_with(api, signed(claims, key=settings.SECRET_KEY.encode())) == 401
    assert status_with(api, f"{head}.{body}.{signature[::-1]}") == 401
    assert status_with(api, f"{head}.{body[:-2]}AA.{signature}") == 401
    assert status_with(api, f"{head}.{body}.") == 401
    assert status_with(api, session.access) == 200


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "Bearer é", "Bearer " + "x" * 5000, "Api-Key"]
)
def test_authorization_that_is_no_token_is_refused(api, db, header):
    response = api.get(ME, headers={"Authorization": header.encode().decode("latin-1")})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.json()["code"] == "invalid_token"


def test_access_token_expires(api, session):
    late = settings.ACCESS_TOKEN_LIFETIME + tokens.LEEWAY + timedelta(seconds=2)
    with time_machine.travel(timezone.now() + late):
        assert status_with(api, session.access) == 401


def test_access_token_survives_rotation_of_the_secret_key(api, session, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-" * 16, [settings.SECRET_KEY]
    assert status_with(api, session.access) == 200
    assert tokens.refresh_session(refresh=session.refresh).user == session.user
    settings.SECRET_KEY_FALLBACKS = []
    assert status_with(api, session.access) == 401


def test_user_who_is_deactivated_is_out_at_once(api, session, shopper):
    User.objects.filter(pk=shopper.pk).update(is_active=False)
    assert status_with(api, session.access) == 401
    assert api.post("/api/v1/auth/token/refresh/", {"refresh": session.refresh}).status_code == 401
    # Nor does the old session come back to life with the account.
    User.objects.filter(pk=shopper.pk).update(is_active=True)
    assert status_with(api, session.access) == 401


@pytest.mark.parametrize("field", ["password", "email"])
def test_session_ends_when_password_or_address_change_by_any_way(api, session, shopper, field):
    if field == "password":
        shopper.set_password("another long passphrase")
    else:
        shopper.email = "else@example.com"
    shopper.save()
    assert status_with(api, session.access) == 401
    with pytest.raises(tokens.InvalidToken):
        tokens.refresh_session(refresh=session.refresh)


def test_authentication_costs_one_query(session, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert tokens.user_of(session.access) == session.user


def test_refresh_rotates(api, session):
    first = api.post("/api/v1/auth/token/refresh/", {"refresh": session.refresh}).json()
    assert first["refresh"] != session.refresh
    second = api.post("/api/v1/auth/token/refresh/", {"refresh": first["refresh"]})
    assert second.status_code == 200
    assert status_with(api, second.json()["access"]) == 200
    assert RefreshToken.objects.values("family").distinct().count() == 1


def test_refresh_token_used_twice_ends_the_family(api, session, shopper):
    other = tokens.open_session(user=shopper)
    first = tokens.refresh_session(refresh=session.refresh)
    response = api.post("/api/v1/auth/token/refresh/", {"refresh": session.refresh})
    assert response.status_code == 401
    assert response.json()["code"] == "invalid_token"
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    with pytest.raises(tokens.InvalidToken):
        tokens.refresh_session(refresh=first.refresh)
    assert status_with(api, first.access) == 401
    # Another device has a family of its own.
    assert status_with(api, other.access) == 200
    assert tokens.refresh_session(refresh=other.refresh).user == shopper


def test_refresh_token_expires(session):
    late = timezone.now() + settings.REFRESH_TOKEN_LIFETIME + timedelta(seconds=1)
    with time_machine.travel(late), pytest.raises(tokens.InvalidToken):
        tokens.refresh_session(refresh=session.refresh)


def test_refresh_token_is_no_access_token_nor_the_reverse(api, session):
    assert status_with(api, session.refresh) == 401
    answer = api.post("/api/v1/auth/token/refresh/", {"refresh": session.access})
    assert answer.status_code == 400  # longer than any refresh token
    assert api.post("/api/v1/auth/token/refresh/", {"refresh": "x" * 43}).status_code == 401


def test_logout_ends_the_session_at_once(api, session):
    answer = api.post("/api/v1/auth/logout/", {"refresh": session.refresh})
    assert answer.status_code == 204
    assert status_with(api, session.access) == 401
    with pytest.raises(tokens.InvalidToken):
        tokens.refresh_session(refresh=session.refresh)
    # Again, and with nonsense: nothing to tell a stranger.
    assert api.post("/api/v1/auth/logout/", {"refresh": session.refresh}).status_code == 204
    assert api.post("/api/v1/auth/logout/", {"refresh": "x"}).status_code == 204


def test_prune_tokens_deletes_only_what_expired(session, shopper):
    tokens.open_session(user=shopper)
    RefreshToken.objects.filter(digest=tokens.digest(session.refresh)).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert tasks.prune_tokens() == 1
    assert RefreshToken.objects.count() == 1


@pytest.mark.race
def test_parallel_refresh_has_one_winner_and_ends_the_family(at_once):
    session = tokens.open_session(user=UserFactory())
    answers = at_once(8, lambda n: tokens.refresh_session(refresh=session.refresh))
    won = [a for a in answers if isinstance(a, tokens.Session)]
    assert len(won) == 1
    assert [type(a) for a in answers if a not in won] == [tokens.InvalidToken] * 7
    with pytest.raises(tokens.InvalidToken):
        tokens.user_of(won[0].access)
    with pytest.raises(tokens.InvalidToken):
        tokens.refresh_session(refresh=won[0].refresh)
    assert not RefreshToken.objects.filter(revoked_at=None).exists()
