"""The pages of a forgotten password and of a proved address, without scripts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.core import mail

from apps.accounts.models import User
from apps.accounts.services.sign_in import check_credentials

NEW = "a much longer secret phrase"


@pytest.fixture
def address(client, shopper, store, drain) -> str:
    """The page that the mail leads to."""
    page = client.get("/account/sign-in/").content.decode()
    assert 'href="/password/"' in page
    told = client.post("/password/", {"email": shopper.email}, follow=True)
    assert "we have sent you a message" in told.content.decode()
    drain()
    found = re.search(r"http\S+", mail.outbox[-1].body)
    assert found
    return urlsplit(found[0]).path


def test_forgotten_password_is_set_on_the_mails_page(client, shopper, address):
    shown = client.get(address)
    assert (shown["Referrer-Policy"], shown["X-Robots-Tag"]) == ("no-referrer", "noindex")
    weak = client.post(address, {"password": "12345678"})
    assert weak.status_code == 400
    assert "too common" in weak.content.decode()
    done = client.post(address, {"password": NEW}, follow=True)
    assert "Your password is set" in done.content.decode()
    assert check_credentials(email=shopper.email, password=NEW) == shopper
    again = client.post(address, {"password": NEW})
    assert again.status_code == 400
    assert "Ask for a new one" in again.content.decode()


def test_unknown_address_is_told_the_same(client, store, drain):
    told = client.post("/password/", {"email": "nobody@example.com"}, follow=True)
    assert "we have sent you a message" in told.content.decode()
    drain()
    assert mail.outbox == []


def test_address_is_confirmed_from_the_account_page(client, shopper, store, drain):
    client.force_login(shopper)
    assert "Send me the link again" in client.get("/account/").content.decode()
    client.post("/verify/")
    drain()
    found = re.search(r"http\S+", mail.outbox[-1].body)
    assert found
    address = urlsplit(found[0]).path
    # Programs that open links prove nothing.
    client.get(address)
    assert User.objects.get(pk=shopper.pk).email_verified_at is None
    done = client.post(address, follow=True)
    assert "Your address is confirmed." in done.content.decode()
    assert "Send me the link again" not in client.get("/account/").content.decode()
    assert client.post(address).status_code == 400
