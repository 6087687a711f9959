"""Another e-mail address: asked for with the password, proved by the new mailbox."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import email_change, tokens
from apps.accounts.services.users import EmailTaken, change_password
from apps.core.models import AuditEntry
from apps.customers.models import Customer
from tests.factories.accounts import PASSWORD

ASK = "/api/v1/auth/email/"
CONFIRM = "/api/v1/auth/email/confirm/"
NEW = "new@example.com"


@pytest.fixture
def link(as_shopper, store, drain) -> dict[str, str]:
    asked = as_shopper.post(ASK, {"email": " New@Example.com ", "password": PASSWORD})
    assert (asked.status_code, asked.content) == (204, b"")
    drain()
    return _link()


def _link() -> dict[str, str]:
    to_new = next(message for message in mail.outbox if message.to == [NEW])
    found = re.search(r"http\S+", to_new.body)
    assert found
    uid, token = urlsplit(found[0]).path.strip("/").split("/")[-2:]
    return {"uid": uid, "token": token}


def test_new_address_is_taken_by_its_mails_link(api, shopper, link, drain):
    told = {message.to[0]: message.subject for message in mail.outbox}
    assert told == {
        NEW: "Main: confirm your new address",
        shopper.email: "Main: a new address for your account",
    }
    old = tokens.open_session(user=shopper)
    stamp = shopper.security_stamp
    assert api.post(CONFIRM, link).status_code == 204
    with pytest.raises(tokens.InvalidToken):
        tokens.user_of(old.access)
    with pytest.raises(tokens.InvalidToken):
        tokens.refresh_session(refresh=old.refresh)
    drain()
    shopper.refresh_from_db()
    assert (shopper.email, shopper.security_stamp) == (NEW, stamp + 1)
    assert shopper.email_verified_at is not None
    assert Customer.objects.get(user=shopper).email == NEW
    assert AuditEntry.objects.filter(action="change_email").count() == 1
    # It is used up.
    assert api.post(CONFIRM, link).json()["code"] == "dead_link"


def test_taken_address_is_told_to_its_owner_alone(as_shopper, shopper, stranger, store, drain):
    asked = as_shopper.post(ASK, {"email": stranger.email, "password": PASSWORD})
    assert (asked.status_code, asked.content) == (204, b"")
    drain()
    to_owner = next(message for message in mail.outbox if message.to == [stranger.email])
    assert to_owner.subject == "Main: this address has an account"
    assert shopper.email not in to_owner.body
    assert not re.search(r"/account/email/", to_owner.body)


def test_password_is_asked_for(as_shopper, api, store, drain):
    wrong = as_shopper.post(ASK, {"email": NEW, "password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_password")
    assert api.post(ASK, {"email": NEW, "password": PASSWORD}).status_code == 401
    drain()
    assert mail.outbox == []


def test_link_dies_after_four_hours(api, link):
    with time_machine.travel(timezone.now() + timedelta(hours=4, minutes=1)):
        assert api.post(CONFIRM, link).json()["code"] == "dead_link"


@pytest.mark.parametrize("change", ["password", "sessions", "address", "blocked"])
def test_link_dies_with_what_opened_the_account(api, shopper, link, change):
    if change == "password":
        change_password(user=shopper, current_password=PASSWORD, new_password=PASSWORD + "!")
    elif change == "sessions":
        tokens.end_everything(user=shopper)
    elif change == "address":
        User.objects.filter(pk=shopper.pk).update(email="third@example.com")
    else:
        User.objects.filter(pk=shopper.pk).update(is_active=False)
    assert api.post(CONFIRM, link).json()["code"] == "dead_link"


def test_link_is_no_others(api, stranger, link):
    forged = {**link, "uid": str(stranger.public_id)}
    assert api.post(CONFIRM, forged).json()["code"] == "dead_link"
    broken = {**link, "token": link["token"][:-2]}
    assert api.post(CONFIRM, broken).json()["code"] == "dead_link"


def test_address_that_was_taken_meanwhile_stays_its_owners(api, shopper, stranger, link):
    User.objects.filter(pk=stranger.pk).update(email=NEW)
    refused = api.post(CONFIRM, link)
    assert (refused.status_code, refused.json()["code"]) == (400, "email_taken")
    shopper.refresh_from_db()
    assert shopper.email == "shopper@example.com"


@pytest.mark.race
def test_two_accounts_confirm_one_address_at_once(at_once, shopper, stranger):
    tokens_of = [
        (user.public_id, email_change.email_change_url(user, NEW).strip("/").rsplit("/", 1)[1])
        for user in (shopper, stranger)
    ]
    answers = at_once(2, lambda n: _change(*tokens_of[n]))
    assert sorted(type(answer) for answer in answers if isinstance(answer, EmailTaken)) == [
        EmailTaken
    ]
    winner = next(answer for answer in answers if isinstance(answer, User))
    assert User.objects.get(email=NEW) == winner


def _change(uid: UUID, token: str) -> User:
    return email_change.change_email(uid=uid, token=token)


def test_pages(client, shopper, store, drain):
    client.force_login(shopper)
    assert 'href="/account/email/"' in client.get("/account/").content.decode()
    wrong = client.post("/account/email/", {"email": NEW, "password": "wrong"})
    assert wrong.status_code == 400
    asked = client.post("/account/email/", {"email": NEW, "password": PASSWORD}, follow=True)
    assert "sent a message to the new address" in asked.content.decode()
    drain()
    link = _link()
    address = f"/account/email/{link['uid']}/{link['token']}/"
    # Programs that open links change nothing.
    shown = client.get(address)
    assert (shown["Referrer-Policy"], shown["X-Robots-Tag"]) == ("no-referrer", "noindex")
    assert User.objects.get(pk=shopper.pk).email == shopper.email
    done = client.post(address, follow=True)
    assert "sign in with it" in done.content.decode()
    assert User.objects.get(pk=shopper.pk).email == NEW
    again = client.post(address)
    assert again.status_code == 400
    assert "Ask for a new one" in again.content.decode()
