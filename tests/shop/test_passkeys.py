"""The pages of passkeys: with a device's answers, and once in Chromium with a virtual one."""

from __future__ import annotations

import json

import pytest

from apps.accounts.models import Passkey
from apps.accounts.services import second_factor
from tests.accounts.device import Device
from tests.factories.accounts import PASSWORD


def _add(client, device: Device) -> None:
    options = client.post("/account/passkeys/options/", {"password": PASSWORD}).json()
    body = {"name": "My phone", "credential": json.dumps(device.create(options))}
    added = client.post("/account/passkeys/", body, follow=True)
    assert "The passkey signs you in from now on." in added.content.decode()


def _sign_in(client, device: Device, **more: str):
    options = client.post("/account/sign-in/passkey/options/").json()
    body = {"credential": json.dumps(device.get(options)), **more}
    return client.post("/account/sign-in/passkey/", body)


@pytest.fixture
def device(client, shopper, store) -> Device:
    client.force_login(shopper)
    device = Device()
    _add(client, device)
    return device


def test_it_is_added_used_and_removed(client, shopper, device):
    client.logout()
    entered = _sign_in(client, device, next="/cart/")
    assert (entered.status_code, entered["Location"]) == (302, "/cart/")
    assert client.get("/account/").status_code == 200
    passkey = Passkey.objects.get()
    assert "My phone" in client.get("/account/passkeys/").content.decode()
    client.post(f"/account/passkeys/{passkey.public_id}/remove/")
    assert not Passkey.objects.exists()


def test_wrong_password_is_told_before_the_device_is_asked(client, device):
    refused = client.post("/account/passkeys/options/", {"password": "wrong"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"detail": "The current password is wrong."},
    )


def test_staff_open_the_back_office_by_it(client, merchant, store, settings):
    settings.STAFF_SECOND_FACTOR = True
    client.force_login(merchant)
    assert client.get("/admin/")["Location"].startswith("/account/second-factor/")
    device = Device()
    _add(client, device)
    on = client.post("/account/second-factor/", {"act": "passkeys", "password": PASSWORD})
    assert "Your backup codes" in on.content.decode()
    assert client.get("/admin/").status_code == 200
    client.logout()
    client.post("/account/sign-in/", {"email": merchant.email, "password": PASSWORD})
    assert client.get("/admin/")["Location"].startswith("/account/sign-in/code/")
    assert "Sign in with a passkey" in client.get("/account/sign-in/code/").content.decode()
    assert _sign_in(client, device, next="/admin/")["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert second_factor.backup_codes_left(merchant) == 10


def test_another_persons_isnt_there(client, device, stranger):
    client.force_login(stranger)
    assert "My phone" not in client.get("/account/passkeys/").content.decode()
    passkey = Passkey.objects.get()
    assert client.post(f"/account/passkeys/{passkey.public_id}/remove/").status_code == 404


@pytest.mark.browser
def test_chromium_adds_one_and_signs_in_with_it(page, shopper, store):
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    page.goto("/account/sign-in/?next=/account/passkeys/")
    page.get_by_label("E-mail").fill(shopper.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("What do you call it?").fill("My laptop")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The current password is wrong.").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("The passkey signs you in from now on.").wait_for()
    page.goto("/account/")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/account/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("heading", name="My orders").wait_for()
    assert Passkey.objects.get().last_used_at is not None
