"""Back in without the password, and proving the address: by mail, once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services import recovery, tokens
from apps.accounts.services.recovery import DeadLink
from apps.core.emails import email_key
from apps.core.models import AuditEntry, OutboxMessage
from apps.customers.services.registration import register
from apps.notifications.models import Notification
from apps.orders.models import Order
from apps.orders.services import adopt_guest_orders
from apps.stores.models import Store
from tests.factories.accounts import PASSWORD

FORGOTTEN = "/api/v1/auth/password/reset/"
RESET = "/api/v1/auth/password/reset/confirm/"
VERIFY = "/api/v1/auth/email/verify/"
RESEND = "/api/v1/auth/email/verify/resend/"
NEW = "a much longer secret phrase"


def _link(message) -> tuple[str, str]:
    """(uid, token) of the link in a mail."""
    found = re.search(r"http\S+", message.body)
    assert found, message.body
    return tuple(urlsplit(found[0]).path.strip("/").split("/")[1:])


@pytest.fixture
def link(api, shopper, store, drain) -> dict[str, str]:
    assert api.post(FORGOTTEN, {"email": " Shopper@Example.com "}).status_code == 204
    drain()
    uid, token = _link(mail.outbox[-1])
    return {"uid": uid, "token": token}


def test_forgotten_password_is_set_by_the_mails_link(api, shopper, link, drain):
    assert [m.to for m in mail.outbox] == [["shopper@example.com"]]
    old = tokens.open_session(user=shopper)
    answer = api.post(RESET, {**link, "password": NEW})
    assert answer.status_code == 204
    with pytest.raises(tokens.InvalidToken):
        tokens.user_of(old.access)
    user = User.objects.get(pk=shopper.pk)
    assert user.check_password(NEW)
    assert user.email_verified_at is not None
    assert AuditEntry.objects.filter(action="reset_password").count() == 1
    drain()
    assert mail.outbox[-1].subject == "Main: your password was changed"
    # What a mail's link opens isn't kept.
    assert Notification.objects.exclude(body_text="").count() == 0


def test_link_works_once(api, link):
    assert api.post(RESET, {**link, "password": NEW}).status_code == 204
    again = api.post(RESET, {**link, "password": NEW + "!"})
    assert (again.status_code, again.json()["code"]) == (400, "dead_link")


def test_link_dies_after_four_hours(api, link):
    with time_machine.travel(timezone.now() + timedelta(hours=4, minutes=1)):
        assert api.post(RESET, {**link, "password": NEW}).json()["code"] == "dead_link"


def test_link_dies_by_signing_in_with_the_old_password(api, shopper, link):
    """Who remembered it doesn't leave a key in the mailbox."""
    session = api.post("/api/v1/auth/token/", {"email": shopper.email, "password": PASSWORD})
    assert session.status_code == 200
    assert api.post(RESET, {**link, "password": NEW}).json()["code"] == "dead_link"


def test_link_is_no_others_and_no_other_kind(api, stranger, shopper, link):
    forged = {"uid": str(stranger.public_id), "token": link["token"], "password": NEW}
    assert api.post(RESET, forged).json()["code"] == "dead_link"
    assert api.post(VERIFY, link).json()["code"] == "dead_link"
    proof = recovery.verification_url(shopper).rstrip("/").rsplit("/", 1)[1]
    assert api.post(RESET, {**link, "token": proof, "password": NEW}).json()["code"] == "dead_link"
    assert User.objects.get(pk=stranger.pk).check_password(PASSWORD)


def test_weak_password_keeps_the_link(api, link):
    weak = api.post(RESET, {**link, "password": "12345678"})
    assert (weak.status_code, weak.json()["code"]) == (400, "weak_password")
    assert api.post(RESET, {**link, "password": NEW}).status_code == 204


@pytest.mark.parametrize("active", [None, False])
def test_unknown_and_blocked_addresses_get_the_same_answer_and_no_mail(
    api, shopper, store, drain, active
):
    email = "nobody@example.com" if active is None else shopper.email
    User.objects.filter(pk=shopper.pk).update(is_active=bool(active))
    known = api.post(FORGOTTEN, {"email": "known@example.com"})
    answer = api.post(FORGOTTEN, {"email": email})
    assert (answer.status_code, answer.content) == (known.status_code, known.content) == (204, b"")
    assert OutboxMessage.objects.filter(name="account.password_forgotten").count() == 2
    drain()
    assert mail.outbox == []


def test_attempts_are_limited_by_account(api, shopper, store, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 3
    answers = [api.post(FORGOTTEN, {"email": shopper.email}).status_code for _ in range(4)]
    assert answers == [204, 204, 204, 429]


@pytest.mark.race
def test_link_used_at_once_sets_one_password(at_once, shopper, link, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 100
    answers = at_once(
        6, lambda n: recovery.reset_password(**_typed(link), password=f"{NEW} number {n}")
    )
    assert sum(isinstance(answer, DeadLink) for answer in answers) == 5
    winner = next(n for n, answer in enumerate(answers) if isinstance(answer, User))
    assert User.objects.get(pk=shopper.pk).check_password(f"{NEW} number {winner}")


def _typed(link: dict[str, str]) -> dict[str, Any]:
    return {"uid": UUID(link["uid"]), "token": link["token"]}


def _guest_order(store: Store, email: str) -> Order:
    return Order.objects.create(
        number=f"G-{Order.objects.count()}",
        store=store,
        email=email,
        email_key=email_key(email),
        currency="EUR",
        subtotal=0,
        total=0,
    )


def test_new_account_proves_its_address_and_finds_what_it_ordered_as_a_guest(api, store, drain):
    before = _guest_order(store, "Ana@example.com")
    elsewhere = _guest_order(store, "ana+shop@example.com")
    session = register(store=store, email="ana@example.com", password=NEW)
    drain()
    assert Order.objects.get(pk=before.pk).customer is None
    uid, token = _link(mail.outbox[-1])
    headers = {"Authorization": f"Bearer {session.access}"}
    assert api.get("/api/v1/me/", headers=headers).json()["is_email_verified"] is False

    assert api.post(VERIFY, {"uid": uid, "token": token}).status_code == 204
    drain()
    assert Order.objects.get(pk=before.pk).customer == session.user.customer
    assert Order.objects.get(pk=elsewhere.pk).customer is None
    assert api.get("/api/v1/me/", headers=headers).json()["is_email_verified"] is True
    assert api.post(VERIFY, {"uid": uid, "token": token}).json()["code"] == "dead_link"


def test_somebody_elses_account_never_gets_guests_orders(store, stranger, drain):
    """An address that nobody proved opens nothing."""
    order = _guest_order(store, stranger.email)
    drain()
    assert Order.objects.get(pk=order.pk).customer is None
    assert adopt_guest_orders(user_id=str(stranger.public_id)) == 0


def test_mail_can_be_asked_for_again_until_the_address_is_proved(as_shopper, shopper, store, drain):
    assert as_shopper.post(RESEND).status_code == 204
    drain()
    uid, token = _link(mail.outbox[-1])
    assert as_shopper.post(VERIFY, {"uid": uid, "token": token}).status_code == 204
    assert as_shopper.post(RESEND).status_code == 204
    drain()
    assert len(mail.outbox) == 1


def test_proof_is_of_the_address_it_was_sent_to(shopper):
    link = recovery.verification_url(shopper).rstrip("/").split("/")[-2:]
    User.objects.filter(pk=shopper.pk).update(email="other@example.com")
    with pytest.raises(DeadLink):
        recovery.verify_email(**_typed({"uid": link[0], "token": link[1]}))


def test_links_lead_where_the_storefront_is(shopper, settings):
    settings.PASSWORD_RESET_URL = "https://front.example/reset?u={uid}&t={token}"
    start = f"https://front.example/reset?u={shopper.public_id}&t="
    assert recovery.password_reset_url(shopper).startswith(start)
