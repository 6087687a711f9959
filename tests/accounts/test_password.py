"""Changing the password."""

from __future__ import annotations

import pytest

from apps.accounts.models import RefreshToken, User
from apps.accounts.services import tokens
from apps.core.models import AuditEntry
from tests.factories.accounts import PASSWORD

URL = "/api/v1/auth/password/"
NEW = "a much longer secret phrase"


def test_change_password_ends_all_sessions_but_the_new_one(api, shopper):
    old = [tokens.open_session(user=shopper) for _ in range(2)]
    response = api.post(
        URL,
        {"current_password": PASSWORD, "new_password": NEW},
        headers={"Authorization": f"Bearer {old[0].access}"},
    )
    assert response.status_code == 200
    for session in old:
        with pytest.raises(tokens.InvalidToken):
            tokens.user_of(session.access)
    assert tokens.user_of(response.json()["access"]) == shopper
    assert RefreshToken.objects.filter(revoked_at=None).count() == 1
    assert User.objects.get(pk=shopper.pk).check_password(NEW)
    entry = AuditEntry.objects.get(action="change_password")
    assert (entry.actor, entry.object_id) == (shopper.label, str(shopper.pk))


def test_change_password_with_the_wrong_current_one_changes_nothing(as_shopper, shopper):
    response = as_shopper.post(URL, {"current_password": "wrong", "new_password": NEW})
    assert response.status_code == 400
    assert response.json()["code"] == "wrong_password"
    assert User.objects.get(pk=shopper.pk).check_password(PASSWORD)


def test_change_password_to_a_weak_one_names_every_rule(as_shopper, shopper):
    response = as_shopper.post(URL, {"current_password": PASSWORD, "new_password": "123"})
    assert response.status_code == 400
    problem = response.json()
    assert problem["code"] == "weak_password"
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [
        ("new_password", "password_too_short"),
        ("new_password", "password_too_common"),
        ("new_password", "password_entirely_numeric"),
    ]
    assert User.objects.get(pk=shopper.pk).check_password(PASSWORD)


def test_change_password_attempts_are_limited(as_shopper, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 2
    body = {"current_password": "wrong", "new_password": NEW}
    codes = [as_shopper.post(URL, body).status_code for _ in range(3)]
    assert codes == [400, 400, 429]


def test_change_password_needs_a_person(api, db):
    response = api.post(URL, {"current_password": PASSWORD, "new_password": NEW})
    assert response.status_code == 401
