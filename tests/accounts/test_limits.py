"""Who says what staff are limited to: on the person's page, an owner who isn't."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.core.invariants import violations
from apps.core.models import AuditEntry
from apps.inventory.models import LocationLimit
from apps.stores.models import StoreLimit
from tests.factories.accounts import StaffFactory
from tests.factories.inventory import LocationFactory
from tests.permissions.cast import staff


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def limits_form(user: Any, **changes: str) -> dict[str, str]:
    counts = {
        f"{form}-{n}_FORMS": "0"
        for form in ("storelimits", "locationlimits")
        for n in ("TOTAL", "INITIAL")
    }
    return {
        "email": user.email,
        "language": "",
        "is_active": "on",
        "is_staff": "on",
        **counts,
        **changes,
    }


def test_owner_says_on_a_person_s_page_what_they_see(store):
    owner, user = staff("owner"), staff("support")
    client, url = client_of(owner), reverse("admin:accounts_user_change", args=[user.pk])
    group = {"groups": str(user.groups.get().pk)}
    added = {"storelimits-TOTAL_FORMS": "1", "storelimits-0-store": str(store.pk)}
    assert client.post(url, limits_form(user, **group, **added)).status_code == 302
    limit = StoreLimit.objects.get()
    user.refresh_from_db()
    assert (limit.user, limit.store, user.is_limited) == (user, store, True)
    gone = {
        "storelimits-TOTAL_FORMS": "1",
        "storelimits-INITIAL_FORMS": "1",
        "storelimits-0-id": str(limit.pk),
        "storelimits-0-user": str(user.pk),
        "storelimits-0-DELETE": "on",
    }
    assert client.post(url, limits_form(user, **group, **gone)).status_code == 302
    assert not StoreLimit.objects.exists()
    told = AuditEntry.objects.filter(action__startswith="user.limit").order_by("pk")
    assert [entry.action for entry in told] == ["user.limit.add", "user.limit.delete"]


@pytest.mark.parametrize("role", ["owner", "manager", "read-only"])
def test_only_an_owner_who_isnt_limited_says_it(store, role):
    other = StaffFactory()
    page = reverse("admin:accounts_user_change", args=[other.pk])
    user = staff(role)
    field = b"storelimits-TOTAL_FORMS"
    assert (field in client_of(user).get(page).content) == (role == "owner")
    StoreLimit.objects.create(user=user, store=store)
    assert field not in client_of(user).get(page).content


def test_nobody_who_is_limited_becomes_somebody_who_isnt(store):
    """By a password, a role, or a new account."""
    owner, other = staff("owner"), staff("manager")
    LocationLimit.objects.create(user=owner, location=LocationFactory())
    client = client_of(owner)
    assert client.get(f"/admin/accounts/user/{other.pk}/password/").status_code == 403
    form = client.get(f"/admin/accounts/user/{other.pk}/change/").context_data["adminform"].form
    assert not {"groups", "is_staff", "is_superuser"} & set(form.fields)


def test_limit_that_nobody_would_look_up_is_told(store):
    """A row that came past the model."""
    user = StaffFactory()
    StoreLimit.objects.bulk_create([StoreLimit(user=user, store=store)])
    name = "limits of staff are looked up"
    assert violations()[name] == [f"user {user.pk}: store"]
    StoreLimit.objects.get().save()
    assert violations()[name] == []
