"""API keys: what they open, and when they stop."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.accounts.models import ApiKey, User
from apps.accounts.services import api_keys
from apps.accounts.services.tokens import InvalidToken
from apps.core.models import AuditEntry
from tests.factories.accounts import StaffFactory

CUSTOMERS, HISTORY = "/api/v1/admin/customers/", "/api/v1/admin/notifications/history/"


@pytest.fixture
def key_for(merchant):
    def make(*scopes, **extra):
        return api_keys.create_api_key(created_by=merchant, name="Erp", scopes=scopes, **extra)

    return make


def get(api, url, secret):
    return api.get(url, headers={"Authorization": f"Api-Key {secret}"})


def test_key_opens_what_its_scopes_say_and_nothing_else(api, key_for):
    _key, secret = key_for("customers.view_customer")
    assert get(api, CUSTOMERS, secret).status_code == 200
    assert get(api, HISTORY, secret).status_code == 403


def test_key_never_opens_more_than_its_user_may(api, key_for, merchant):
    _key, secret = key_for("customers.view_customer")
    merchant.groups.clear()
    assert get(api, CUSTOMERS, secret).status_code == 403


def test_key_has_no_account_of_its_own(api, key_for):
    _key, secret = key_for("customers.view_customer")
    assert get(api, "/api/v1/me/", secret).status_code == 403


def test_key_is_stored_as_a_hash_and_named_in_the_audit_log(key_for):
    key, secret = key_for("customers.view_customer")
    row = ApiKey.objects.values().get(pk=key.pk)
    assert secret not in map(str, row.values())
    assert secret.startswith(f"{key.prefix}.")
    entry = AuditEntry.objects.get(action="create_api_key")
    assert secret not in str(entry.changes)


@pytest.mark.parametrize("change", ["revoked", "expired", "inactive", "no staff", "wrong"])
def test_key_stops(api, key_for, merchant, change):
    expires_at = timezone.now() + timedelta(hours=1)
    key, secret = key_for("customers.view_customer", expires_at=expires_at)
    when = timezone.now()
    if change == "revoked":
        api_keys.revoke_api_key(key=key)
    elif change == "expired":
        when = expires_at + timedelta(seconds=1)
    elif change == "inactive":
        User.objects.filter(pk=merchant.pk).update(is_active=False)
    elif change == "no staff":
        User.objects.filter(pk=merchant.pk).update(is_staff=False)
    else:
        secret = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    with time_machine.travel(when):
        response = get(api, CUSTOMERS, secret)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.json()["code"] == "invalid_token"


def test_key_notes_its_use_at_most_once_a_minute(key_for, django_assert_num_queries):
    key, secret = key_for("customers.view_customer")
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        with django_assert_num_queries(2):
            api_keys.use_api_key(secret)
        with django_assert_num_queries(1):
            api_keys.use_api_key(secret)
    assert ApiKey.objects.get(pk=key.pk).last_used_at == start
    with time_machine.travel(start + timedelta(seconds=61), tick=False):
        api_keys.use_api_key(secret)
    assert ApiKey.objects.get(pk=key.pk).last_used_at == start + timedelta(seconds=61)


@pytest.mark.parametrize("scopes", [[], ["customers.nonsense"], ["customers.delete_customer"]])
def test_key_with_scopes_beyond_its_user_is_refused(db, scopes):
    staff = StaffFactory(permissions=["customers.view_customer"])
    with pytest.raises(api_keys.InvalidScopes) as refused:
        api_keys.create_api_key(created_by=staff, name="Erp", scopes=scopes)
    assert refused.value.extra == {"unknown": scopes}
    assert ApiKey.objects.count() == 0


def test_key_for_somebody_else_only_by_a_superuser(merchant, shopper):
    other, root = StaffFactory(is_superuser=True), User.objects.create_superuser("r@example.com")
    call = {"name": "Erp", "scopes": ["customers.view_customer"]}
    with pytest.raises(api_keys.NotAllowed):
        api_keys.create_api_key(created_by=merchant, user=other, **call)
    with pytest.raises(api_keys.NotAllowed):
        api_keys.create_api_key(created_by=root, user=shopper, **call)
    key, _secret = api_keys.create_api_key(created_by=root, user=merchant, **call)
    assert key.user == merchant


def test_api_shows_the_key_once(as_merchant, merchant, api):
    body = {"name": "Erp", "scopes": ["customers.view_customer"]}
    made = as_merchant.post("/api/v1/admin/api-keys/", body)
    assert made.status_code == 201
    key = made.json()["key"]
    assert get(api, CUSTOMERS, key).status_code == 200
    listed = as_merchant.get("/api/v1/admin/api-keys/").json()["results"]
    assert [(k["name"], k["user"]) for k in listed] == [("Erp", merchant.email)]
    assert key not in str(listed)
    assert "digest" not in listed[0]
    url = f"/api/v1/admin/api-keys/{listed[0]['id']}/"
    assert as_merchant.delete(url).status_code == 204
    assert get(api, CUSTOMERS, key).status_code == 401
    assert as_merchant.delete(url).status_code == 204


def test_api_refuses_an_expiry_in_the_past(as_merchant):
    body = {
        "name": "Erp",
        "scopes": ["customers.view_customer"],
        "expires_at": "2020-01-01T00:00:00Z",
    }
    response = as_merchant.post("/api/v1/admin/api-keys/", body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_expiry")


def test_api_refuses_a_key_that_makes_keys(api, key_for):
    _key, secret = key_for("accounts.add_apikey", "accounts.view_apikey")
    assert get(api, "/api/v1/admin/api-keys/", secret).status_code == 403
    made = api.post(
        "/api/v1/admin/api-keys/",
        {"name": "More", "scopes": ["customers.view_customer"]},
        headers={"Authorization": f"Api-Key {secret}"},
    )
    assert made.status_code == 403
    assert ApiKey.objects.count() == 1


def test_api_keys_are_for_those_who_may(as_readonly, as_shopper, api):
    body = {"name": "Erp", "scopes": ["customers.view_customer"]}
    assert as_readonly.post("/api/v1/admin/api-keys/", body).status_code == 403
    assert as_shopper.get("/api/v1/admin/api-keys/").status_code == 403
    assert api.get("/api/v1/admin/api-keys/").status_code == 401


def test_unknown_key_is_refused(db):
    with pytest.raises(InvalidToken):
        api_keys.use_api_key("12345678.nothing")
