"""Passkeys: a device's signature on a challenge of ours signs in, both factors proved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from apps.accounts.models import Challenge, Passkey, User
from apps.accounts.services import passkeys, recovery, second_factor, tokens
from apps.accounts.services.challenges import ChallengeOver, prune_challenges
from apps.accounts.services.passkeys import PasskeyRefused
from apps.accounts.services.ways_in import LastWayIn, remove_way_in
from apps.core.models import AuditEntry
from tests.accounts.device import Device
from tests.factories.accounts import PASSWORD

pytestmark = pytest.mark.usefixtures("invariants")
URL = "/api/v1/auth/passkeys/"
SIGN_IN = f"{URL}sign-in/"


def _add(user: User, name: str = "My phone", password: str = PASSWORD) -> Device:
    device = Device()
    options = passkeys.begin_adding(user=user, password=password)
    passkeys.add_passkey(user=user, name=name, credential=device.create(options))
    return device


def _sign_in(api, device: Device) -> Any:
    options = api.post(f"{SIGN_IN}options/").json()["public_key"]
    return api.post(SIGN_IN, {"credential": device.get(options)}, format="json")


@pytest.fixture
def device(shopper) -> Device:
    return _add(shopper)


def test_passkey_is_added_and_signs_in(api, as_shopper, shopper, store, drain):
    wrong = as_shopper.post(f"{URL}options/", {"password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_password")
    options = as_shopper.post(f"{URL}options/", {"password": PASSWORD}).json()["public_key"]
    assert options["rp"] == {"id": "localhost", "name": "localhost"}
    assert options["authenticatorSelection"]["userVerification"] == "required"
    device = Device()
    body = {"name": "My phone", "credential": device.create(options)}
    added = as_shopper.post(URL, body, format="json")
    assert added.status_code == 201
    assert [row["name"] for row in as_shopper.get(URL).json()["results"]] == ["My phone"]
    drain()
    assert [m.subject for m in mail.outbox] == ["Main: a new way into your account"]
    assert "My phone" in mail.outbox[0].body
    # Its challenge is used up.
    again = as_shopper.post(URL, body, format="json")
    assert (again.status_code, again.json()["code"]) == (400, "challenge_over")

    session = _sign_in(api, device)
    assert session.status_code == 200
    assert tokens.user_of(session.json()["access"]) == shopper
    assert Passkey.objects.get().last_used_at is not None


def test_known_passkeys_are_told_so_that_none_is_added_twice(as_shopper, device, store):
    options = as_shopper.post(f"{URL}options/", {"password": PASSWORD}).json()["public_key"]
    assert len(options["excludeCredentials"]) == 1
    twice = {"name": "Again", "credential": device.create(options)}
    assert as_shopper.post(URL, twice, format="json").json()["code"] == "passkey_refused"


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://localhost.evil.example"},
        {"rp": "evil.example"},
        {"verifies": False},
        {"owner": b"x" * 16},
        {"id": b"y" * 32},
    ],
    ids=str,
)
def test_wrong_answers_sign_nobody_in(api, device, store, change):
    for name, value in change.items():
        setattr(device, name, value)
    refused = _sign_in(api, device)
    assert (refused.status_code, refused.json()["code"]) == (400, "passkey_refused")


def test_other_keys_signature_is_refused(api, device, store):
    device.key = Device().key
    assert _sign_in(api, device).json()["code"] == "passkey_refused"


@pytest.mark.parametrize("body", [{}, {"id": 1}, {"rawId": "x", "response": {}}, {"id": "é"}])
def test_nonsense_is_refused(api, store, body):
    refused = api.post(SIGN_IN, {"credential": body}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "passkey_refused")


def test_answer_counts_once_and_for_ten_minutes(api, device, store):
    options = passkeys.begin_sign_in()
    answer = device.get(options)
    assert passkeys.check_passkey(credential=answer)
    with pytest.raises(ChallengeOver):
        passkeys.check_passkey(credential=answer)
    late = device.get(passkeys.begin_sign_in())
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        with pytest.raises(ChallengeOver):
            passkeys.check_passkey(credential=late)
        assert prune_challenges() == 1
    assert not Challenge.objects.exists()


def test_challenge_is_no_others_and_no_other_kind(device, shopper, stranger):
    adding = device.get(passkeys.begin_adding(user=shopper, password=PASSWORD))
    with pytest.raises(ChallengeOver):
        passkeys.check_passkey(credential=adding)
    options = passkeys.begin_adding(user=shopper, password=PASSWORD)
    with pytest.raises(ChallengeOver):
        passkeys.add_passkey(user=stranger, name="Mine", credential=Device().create(options))


def test_counter_that_doesnt_grow_tells_of_a_copy(api, device, store):
    device.counter = 7
    assert _sign_in(api, device).status_code == 200
    for counter in (7, 6, 0):
        device.counter = counter
        assert _sign_in(api, device).json()["code"] == "passkey_refused"
    assert AuditEntry.objects.filter(action="passkey_counter").count() == 3
    device.counter = 8
    assert _sign_in(api, device).status_code == 200


def test_blocked_person_stays_out(api, device, shopper, store):
    User.objects.filter(pk=shopper.pk).update(is_active=False)
    assert _sign_in(api, device).json()["code"] == "passkey_refused"


def test_passkey_is_removed_by_its_owner_alone(api, as_shopper, as_stranger, device, store, drain):
    found = as_shopper.get(URL).json()["results"][0]["id"]
    assert as_stranger.get(URL).json()["results"] == []
    assert as_stranger.delete(f"{URL}{found}/").status_code == 404
    assert as_shopper.delete(f"{URL}{found}/").status_code == 204
    assert _sign_in(api, device).json()["code"] == "passkey_refused"
    drain()
    assert mail.outbox[-1].subject == "Main: one way less into your account"


def test_last_way_in_stays(shopper, device):
    shopper.set_unusable_password()
    shopper.save()
    with pytest.raises(LastWayIn):
        remove_way_in(way=Passkey.objects.get())
    assert Passkey.objects.count() == 1


def test_passkey_stands_for_password_and_second_factor(api, as_shopper, shopper, device, store):
    on = as_shopper.post("/api/v1/auth/second-factor/passkeys/", {"password": PASSWORD})
    assert on.status_code == 200
    backup = on.json()["backup_codes"]
    shopper.refresh_from_db()
    assert shopper.has_second_factor is True
    credentials = {"email": shopper.email, "password": PASSWORD}
    alone = api.post("/api/v1/auth/token/", credentials)
    assert (alone.status_code, alone.json()["code"]) == (401, "second_factor_required")
    assert api.post("/api/v1/auth/token/", {**credentials, "code": "123456"}).status_code == 400
    assert api.post("/api/v1/auth/token/", {**credentials, "code": backup[0]}).status_code == 200
    assert _sign_in(api, device).status_code == 200
    passkey = api.delete(
        f"{URL}{Passkey.objects.get().public_id}/",
        headers={"Authorization": f"Bearer {on.json()['session']['access']}"},
    )
    assert passkey.json()["code"] == "second_factor_needs_it"
    second_factor.switch_off(user=shopper, password=PASSWORD, code=backup[1])
    remove_way_in(way=Passkey.objects.get())


def test_second_factor_by_passkeys_needs_one(as_shopper, store):
    refused = as_shopper.post("/api/v1/auth/second-factor/passkeys/", {"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_passkey")


def test_passkey_of_who_never_proved_the_address_ends_with_its_recovery(shopper, device):
    """Somebody may have made the account with another's address, and left a way in."""
    token = recovery.password_reset_url(shopper).rstrip("/").rsplit("/", 1)[1]
    recovery.reset_password(uid=shopper.public_id, token=token, password="a much longer phrase")
    assert not Passkey.objects.exists()
    shopper.refresh_from_db()
    _add(shopper, password="a much longer phrase")
    token = recovery.password_reset_url(shopper).rstrip("/").rsplit("/", 1)[1]
    recovery.reset_password(uid=shopper.public_id, token=token, password="another longer phrase")
    assert Passkey.objects.count() == 1


def test_passkey_that_is_the_second_factor_outlasts_a_new_password(shopper, device):
    second_factor.rely_on_passkeys(user=shopper, password=PASSWORD)
    token = recovery.password_reset_url(shopper).rstrip("/").rsplit("/", 1)[1]
    recovery.reset_password(uid=shopper.public_id, token=token, password="a much longer phrase")
    assert Passkey.objects.count() == 1


@pytest.mark.race
def test_one_answer_sent_at_once_signs_in_once(at_once, shopper, device):
    answer = device.get(passkeys.begin_sign_in())
    answers = at_once(5, lambda n: passkeys.check_passkey(credential=answer))
    assert sum(isinstance(one, User) for one in answers) == 1
    assert sum(isinstance(one, ChallengeOver | PasskeyRefused) for one in answers) == 4


@pytest.mark.race
def test_of_two_last_ways_in_one_stays(at_once, shopper):
    _add(shopper, "One")
    _add(shopper, "Two")
    shopper.set_unusable_password()
    shopper.save()
    ways = list(Passkey.objects.all())
    answers = at_once(2, lambda n: remove_way_in(way=ways[n]))
    assert sum(isinstance(one, LastWayIn) for one in answers) == 1
    assert Passkey.objects.count() == 1
