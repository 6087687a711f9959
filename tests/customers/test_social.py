"""Signing in by an account elsewhere: OpenID Connect for real, and who is linked to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail

from apps.accounts.models import IdentityProvider, SocialAccount, User
from apps.accounts.services import recovery, second_factor, social, tokens
from apps.accounts.services.sign_in import check_credentials
from apps.core.secrets import seal
from apps.customers.models import Customer
from tests.accounts.oidc_provider import CLIENT, SECRET, OidcProvider
from tests.factories.accounts import PASSWORD, App

URL = "/api/v1/auth/social/"


@pytest.fixture(scope="module")
def running() -> Iterator[OidcProvider]:
    with OidcProvider() as provider:
        yield provider


@pytest.fixture
def there(running: OidcProvider) -> Iterator[OidcProvider]:
    """The provider, with its person as it was."""
    person = dict(running.person)
    running.asked.clear()
    yield running
    running.person, running.fault = person, ""


@pytest.fixture
def provider(store, there) -> IdentityProvider:
    return IdentityProvider.objects.create(
        slug="acme",
        name="Acme",
        kind=IdentityProvider.Kind.OIDC,
        issuer=there.issuer,
        client_id=CLIENT,
        client_secret=seal({"secret": SECRET}),
        trusts_email=True,
    )


def _back(client, there: OidcProvider) -> dict[str, str]:
    begun = client.post(f"{URL}acme/start/").json()
    told = there.consent(begun["authorization_url"])
    assert told["state"] == begun["state"]
    return told


def _come(client, there: OidcProvider) -> Any:
    return client.post(f"{URL}acme/finish/", _back(client, there))


def test_first_time_makes_an_account_then_signs_in_to_it(api, provider, there, drain):
    assert api.get(URL).json()["results"] == [{"slug": "acme", "name": "Acme", "kind": "oidc"}]
    first = _come(api, there)
    assert first.status_code == 200
    user = tokens.user_of(first.json()["access"])
    assert (user.email, user.get_full_name()) == ("jane@example.com", "Jane Doe")
    assert user.email_verified_at is not None
    assert not user.has_usable_password()
    assert check_credentials(email=user.email, password="") is None
    drain()
    assert Customer.objects.get(user=user).email == user.email
    assert [m.subject for m in mail.outbox] == ["Welcome to Main"]
    # Another address there changes nothing: it is the subject that counts.
    there.person["email"] = "other@example.com"
    assert tokens.user_of(_come(api, there).json()["access"]) == user
    assert User.objects.count() == 1


@pytest.mark.parametrize("change", ["not verified", "not trusted"])
def test_address_is_proved_only_by_a_trusted_word(api, provider, there, change):
    if change == "not verified":
        there.person["email_verified"] = False
    else:
        IdentityProvider.objects.update(trusts_email=False)
    assert _come(api, there).status_code == 200
    assert User.objects.get().email_verified_at is None


def test_address_of_an_account_never_opens_it(api, provider, there, shopper):
    """First its password; then the two are one."""
    there.person["email"] = "Shopper@Example.com"
    asked = _come(api, there)
    assert (asked.status_code, asked.json()["code"]) == (401, "password_required")
    ticket = asked.json()["ticket"]
    wrong = api.post(f"{URL}enter/", {"ticket": ticket, "password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    assert not SocialAccount.objects.exists()
    # An address of the caller's doesn't lead past it.
    bent = {"ticket": ticket, "email": "free@example.com"}
    assert api.post(f"{URL}enter/", bent).json()["code"] == "password_required"
    entered = api.post(f"{URL}enter/", {"ticket": ticket, "password": PASSWORD})
    assert tokens.user_of(entered.json()["access"]) == shopper
    again = api.post(f"{URL}enter/", {"ticket": ticket, "password": PASSWORD})
    assert again.json()["code"] == "challenge_over"
    assert _come(api, there).status_code == 200


def test_second_factor_is_still_asked_for(api, provider, there, shopper):
    with App.clock():
        app = App(second_factor.begin(user=shopper, password=PASSWORD).seed)
        second_factor.confirm(user=shopper, code=app.code(steps=-1))
        there.person["email"] = shopper.email
        ticket = _come(api, there).json()["ticket"]
        with_password = {"ticket": ticket, "password": PASSWORD}
        asked = api.post(f"{URL}enter/", with_password)
        assert (asked.status_code, asked.json()["code"]) == (401, "second_factor_required")
        entered = api.post(f"{URL}enter/", {**with_password, "code": app.code()})
        assert entered.status_code == 200
        linked = _come(api, there)
        assert (linked.status_code, linked.json()["code"]) == (401, "second_factor_required")
        answer = {"ticket": linked.json()["ticket"], "code": app.code()}
        assert api.post(f"{URL}enter/", answer).json()["code"] == "wrong_code"
        assert api.post(f"{URL}enter/", {**answer, "code": app.code(steps=1)}).status_code == 200


def test_missing_address_is_asked_for_and_not_proved(api, provider, there, shopper):
    there.person |= {"email": "", "email_verified": True}
    asked = _come(api, there)
    assert (asked.status_code, asked.json()["code"]) == (401, "email_required")
    ticket = asked.json()["ticket"]
    taken = api.post(f"{URL}enter/", {"ticket": ticket, "email": shopper.email})
    assert taken.json()["code"] == "password_required"
    entered = api.post(f"{URL}enter/", {"ticket": ticket, "email": "jane@example.com"})
    user = tokens.user_of(entered.json()["access"])
    assert (user.email, user.email_verified_at) == ("jane@example.com", None)


@pytest.mark.parametrize(
    "fault",
    [
        *("wrong aud", "two aud", "wrong azp", "wrong iss", "expired", "wrong nonce", "no sub"),
        *("alg none", "hs256", "other key", "unknown kid", "others userinfo"),
    ],
)
def test_forged_tokens_sign_nobody_in(api, provider, there, fault):
    there.fault = fault
    if fault == "others userinfo":
        there.person.pop("email")
    refused = _come(api, there)
    assert (refused.status_code, refused.json()["code"]) == (400, "identity_refused")
    assert not User.objects.exists()


@pytest.mark.parametrize("fault", ["down", "other issuer"])
def test_provider_that_fails_is_told_so(api, provider, there, fault):
    there.fault = fault
    if fault == "down":
        assert _come(api, there).json()["code"] == "provider_failed"
    else:
        assert api.post(f"{URL}acme/start/").json()["code"] == "provider_failed"


def test_documents_are_asked_for_once_and_new_keys_are_found(api, provider, there):
    for _time in range(2):
        assert _come(api, there).status_code == 200
    assert there.asked.count("GET /.well-known/openid-configuration") == 1
    assert there.asked.count("GET /jwks") == 1
    there.change_key()
    assert _come(api, there).status_code == 200
    assert there.asked.count("GET /jwks") == 2
    # Made-up key ids don't make us ask again and again.
    there.fault = "unknown kid"
    for _time in range(3):
        assert _come(api, there).json()["code"] == "identity_refused"
    assert there.asked.count("GET /jwks") == 2


def test_userinfo_tells_what_the_token_leaves_out(api, provider, there):
    there.fault = "userinfo"
    assert _come(api, there).status_code == 200
    assert User.objects.get().email == "jane@example.com"


def test_state_and_code_work_once(api, provider, there):
    told = _back(api, there)
    assert api.post(f"{URL}acme/finish/", told).status_code == 200
    assert api.post(f"{URL}acme/finish/", told).json()["code"] == "challenge_over"
    fresh = {**_back(api, there), "code": "made up"}
    assert api.post(f"{URL}acme/finish/", fresh).json()["code"] == "identity_refused"


def test_state_of_another_provider_is_refused(api, provider, there):
    IdentityProvider.objects.create(
        slug="other", name="Other", kind="oidc", issuer=there.issuer, client_id=CLIENT
    )
    told = _back(api, there)
    assert api.post(f"{URL}other/finish/", told).json()["code"] == "identity_refused"


def test_provider_that_is_switched_off_isnt_there(api, provider):
    IdentityProvider.objects.update(is_active=False)
    assert api.get(URL).json()["results"] == []
    assert api.post(f"{URL}acme/start/").status_code == 404


def test_linking_unlinking_and_the_last_way_in(
    api, as_shopper, as_stranger, shopper, stranger, provider, there, drain
):
    linked = as_shopper.post(f"{URL}acme/link/", _back(as_shopper, there))
    assert linked.status_code == 201
    assert tokens.user_of(_come(api, there).json()["access"]) == shopper
    # Safe to repeat; but one subject is one person's.
    assert as_shopper.post(f"{URL}acme/link/", _back(as_shopper, there)).status_code == 201
    taken = as_stranger.post(f"{URL}acme/link/", _back(as_stranger, there))
    assert (taken.status_code, taken.json()["code"]) == (409, "identity_taken")
    # What somebody else began isn't finished in my name.
    lured = as_shopper.post(f"{URL}acme/link/", _back(as_stranger, there))
    assert lured.json()["code"] == "challenge_over"
    drain()
    assert [m.to for m in mail.outbox] == [[shopper.email]]

    mine = as_shopper.get(f"{URL}accounts/").json()["results"]
    assert [row["provider"] for row in mine] == ["acme"]
    address = f"{URL}accounts/{mine[0]['id']}/"
    assert as_stranger.delete(address).status_code == 404
    shopper.set_unusable_password()
    shopper.save()
    bearer = {"Authorization": f"Bearer {tokens.open_session(user=shopper).access}"}
    assert api.delete(address, headers=bearer).json()["code"] == "last_way_in"
    shopper.set_password(PASSWORD)
    shopper.save()
    bearer = {"Authorization": f"Bearer {tokens.open_session(user=shopper).access}"}
    assert api.delete(address, headers=bearer).status_code == 204


def test_upper_and_lower_case_are_two_subjects(api, provider, there):
    there.person["sub"] = "abc"
    one = _come(api, there).json()
    there.person |= {"sub": "ABC", "email": "second@example.com"}
    assert _come(api, there).json()["user"]["id"] != one["user"]["id"]


def test_way_in_of_who_never_proved_the_address_ends_with_its_recovery(api, provider, there):
    """Somebody elsewhere said that the address was theirs; its owner sets a password by mail."""
    there.person["email_verified"] = False
    _come(api, there)
    user = User.objects.get()
    token = recovery.password_reset_url(user).rstrip("/").rsplit("/", 1)[1]
    recovery.reset_password(uid=user.public_id, token=token, password="a much longer phrase")
    assert not SocialAccount.objects.exists()
    assert _come(api, there).json()["code"] == "password_required"


def test_facebook_is_asked_as_facebook_wants_it(api, store):
    IdentityProvider.objects.create(
        slug="facebook", name="Facebook", kind="facebook", client_id="42"
    )
    url = urlsplit(api.post(f"{URL}facebook/start/").json()["authorization_url"])
    assert f"https://{url.netloc}{url.path}" == "https://www.facebook.com/dialog/oauth"
    assert parse_qs(url.query)["scope"] == ["openid email"]


@pytest.mark.race
def test_first_visits_at_once_make_one_account(at_once, provider, there):
    tickets = []
    for _number in range(4):
        begun = social.depart(provider=provider)
        told = there.consent(begun.authorization_url)
        tickets.append(social.arrive(provider=provider, store="main", **told))
    answers = at_once(4, lambda n: social.enter(ticket=tickets[n]))
    entered = [answer for answer in answers if isinstance(answer, User)]
    assert len(entered) >= 1
    assert {user.pk for user in entered} == {User.objects.get().pk}
    assert SocialAccount.objects.count() == 1


def test_pages_sign_up_and_sign_in(client, provider, there):
    assert "Sign in with Acme" in client.get("/account/sign-in/").content.decode()
    gone = client.get("/account/sign-in/with/acme/?next=/cart/")
    back = there.consent(gone["Location"])
    entered = client.get("/account/sign-in/with/acme/back/", back)
    assert (entered.status_code, entered["Location"]) == (302, "/cart/")
    assert client.get("/account/").status_code == 200
    ways = client.get("/account/passkeys/").content.decode()
    assert "Acme jane@example.com" in ways
    account = SocialAccount.objects.get()
    kept = client.post(f"/account/social/{account.public_id}/unlink/", follow=True)
    assert "Nothing else signs you in" in kept.content.decode()


def test_pages_ask_for_password_and_code_before_they_link(client, provider, there, shopper):
    there.person["email"] = shopper.email
    with App.clock():
        app = App(second_factor.begin(user=shopper, password=PASSWORD).seed)
        second_factor.confirm(user=shopper, code=app.code(steps=-1))
        gone = client.get("/account/sign-in/with/acme/")
        back = there.consent(gone["Location"])
        asked = client.get("/account/sign-in/with/acme/back/", back, follow=True)
        assert "There is an account with this address" in asked.content.decode()
        address = "/account/sign-in/with/"
        assert client.post(address, {"password": "wrong"}).status_code == 401
        more = client.post(address, {"password": PASSWORD}, follow=True)
        assert "authenticator app" in more.content.decode()
        assert client.get("/account/").status_code == 302
        done = client.post(address, {"password": PASSWORD, "code": app.code()})
        assert (done.status_code, done["Location"]) == (302, "/account/")
    assert client.get("/account/").status_code == 200


def test_pages_take_in_nobody_who_set_out_elsewhere(client, provider, there):
    """Else somebody could sign another's browser in to their own account."""
    attackers = social.depart(provider=provider)
    back = there.consent(attackers.authorization_url)
    assert client.get("/account/sign-in/with/acme/back/", back).status_code == 400
    client.get("/account/sign-in/with/acme/")
    assert client.get("/account/sign-in/with/acme/back/", back).status_code == 400
    assert not User.objects.exists()
