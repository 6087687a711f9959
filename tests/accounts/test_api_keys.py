"""API keys: what they open, and when they stop."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.accounts.models import ApiKey, ApiPlan, User
from apps.accounts.services import api_keys
from apps.accounts.services.tokens import InvalidToken
from apps.core.errors import Conflict
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


def test_rotated_key_and_its_former_secret_live_side_by_side(api, key_for, merchant):
    key, old = key_for("customers.view_customer")
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        new = api_keys.rotate_api_key(key=key, by=merchant, overlap_hours=24)
        assert [get(api, CUSTOMERS, secret).status_code for secret in (old, new)] == [200, 200]
    with time_machine.travel(start + timedelta(hours=24, seconds=1)):
        assert [get(api, CUSTOMERS, secret).status_code for secret in (old, new)] == [401, 200]
    entry = AuditEntry.objects.get(action="rotate_api_key")
    assert old not in str(entry.changes)
    assert new not in str(entry.changes)


def test_rotating_without_overlap_and_revoking_end_the_former_secret(api, key_for, merchant):
    key, first = key_for("customers.view_customer")
    second = api_keys.rotate_api_key(key=key, by=merchant, overlap_hours=0)
    assert get(api, CUSTOMERS, first).status_code == 401
    third = api_keys.rotate_api_key(key=key, by=merchant, overlap_hours=168)
    fourth = api_keys.rotate_api_key(key=key, by=merchant, overlap_hours=168)
    found = [get(api, CUSTOMERS, secret).status_code for secret in (second, third, fourth)]
    assert found == [401, 200, 200]
    api_keys.revoke_api_key(key=key)
    assert [get(api, CUSTOMERS, secret).status_code for secret in (third, fourth)] == [401, 401]
    with pytest.raises(Conflict):
        api_keys.rotate_api_key(key=key, by=merchant, overlap_hours=1)


@pytest.mark.race
def test_of_two_rotations_at_once_one_succeeds(at_once, key_for, merchant):
    key, _secret = key_for("customers.view_customer")
    stale = [ApiKey.objects.select_related("user").get(pk=key.pk) for _copy in range(4)]
    answers = at_once(
        4, lambda n: api_keys.rotate_api_key(key=stale[n], by=merchant, overlap_hours=1)
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict"] * 3 + ["str"]


def test_key_is_rotated_by_whom_it_acts_as(key_for, api, as_merchant, client_for, merchant):
    key, _secret = key_for("customers.view_customer")
    url = f"/api/v1/admin/api-keys/{key.public_id}/rotate/"
    other = StaffFactory(permissions=["accounts.change_apikey"])
    refused = client_for(other).post(url, {"overlap_hours": 1})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    for hours in (-1, 169):
        assert as_merchant.post(url, {"overlap_hours": hours}).status_code == 400
    with pytest.raises(api_keys.InvalidOverlap):
        api_keys.rotate_api_key(key=key, by=merchant, overlap_hours=169)
    rotated = as_merchant.post(url, {"overlap_hours": 1}).json()
    assert get(api, CUSTOMERS, rotated["key"]).status_code == 200
    assert rotated["key"].startswith(f"{rotated['prefix']}.")
    assert rotated["previous_expires_at"] is not None


@pytest.mark.parametrize(
    ("ip", "status"),
    [("203.0.113.9", 200), ("198.51.100.7", 200), ("198.51.100.8", 403), ("2001:db8::1", 200)],
)
def test_key_is_taken_from_its_networks_alone(api, key_for, ip, status):
    networks = ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32"]
    key, secret = key_for("customers.view_customer", allowed_networks=networks)
    # What the caller writes doesn't count.
    headers = {"Authorization": f"Api-Key {secret}", "X-Forwarded-For": "203.0.113.9"}
    response = api.get(CUSTOMERS, headers=headers, REMOTE_ADDR=ip)
    assert response.status_code == status
    key.refresh_from_db()
    assert (key.last_used_at is None) is (status == 403)
    if status == 403:
        assert response.json()["code"] == "address_not_allowed"


def test_networks_and_plan_of_a_key_are_changed(as_merchant, key_for):
    key, _secret = key_for("customers.view_customer")
    ApiPlan.objects.create(code="small", name="Small")
    url = f"/api/v1/admin/api-keys/{key.public_id}/"
    changed = as_merchant.patch(url, {"plan": "small", "allowed_networks": ["203.0.113.9"]})
    assert (changed.json()["plan"], changed.json()["allowed_networks"]) == (
        "small",
        ["203.0.113.9/32"],
    )
    assert as_merchant.patch(url, {"plan": None}).json()["allowed_networks"] == ["203.0.113.9/32"]
    refused = as_merchant.patch(url, {"allowed_networks": ["203.0.113.9/8", "here"]})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_networks")
    assert refused.json()["invalid"] == ["203.0.113.9/8", "here"]
    assert AuditEntry.objects.filter(action="change_api_key").count() == 2
