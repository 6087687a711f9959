"""The back office's pages of people and keys."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from apps.accounts.models import ApiKey, IdentityProvider, User
from apps.accounts.services import tokens
from apps.accounts.services.api_keys import create_api_key, use_api_key
from apps.core.models import AuditEntry
from tests.factories.accounts import PASSWORD, StaffFactory, UserFactory

NEW = "a much longer secret phrase"


@pytest.fixture
def as_owner(client, merchant):
    client.force_login(merchant)
    return client


@pytest.fixture
def root(db):
    return User.objects.create_superuser("root@example.com", PASSWORD)


def change_url(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def person(user, **changes):
    forms = ("storelimits", "locationlimits")
    counts = {f"{form}-{n}_FORMS": "0" for form in forms for n in ("TOTAL", "INITIAL")}
    return {
        **counts,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "language": "",
        "is_active": "on",
        **changes,
    }


def test_user_is_added_with_a_normalized_address(as_owner):
    form = {
        "email": "New@Example.com",
        "usable_password": "true",
        "password1": NEW,
        "password2": NEW,
    }
    assert as_owner.get(reverse("admin:accounts_user_add")).status_code == 200
    response = as_owner.post(reverse("admin:accounts_user_add"), form)
    assert response.status_code == 302, response.context["errors"]
    user = User.objects.get(email="new@example.com")
    assert user.check_password(NEW)
    assert (user.is_staff, user.is_superuser) == (False, False)
    twice = as_owner.post(reverse("admin:accounts_user_add"), form)
    assert "email" in twice.context["adminform"].form.errors


def test_role_is_given_by_the_owner(as_owner, staff_without_permissions):
    group = Group.objects.get(name="support")
    form = person(staff_without_permissions, is_staff="on", groups=[group.pk])
    response = as_owner.post(change_url(staff_without_permissions), form)
    assert response.status_code == 302
    assert list(staff_without_permissions.groups.all()) == [group]
    entry = AuditEntry.objects.get(object_type="accounts.user", action="change")
    assert "support" in str(entry.changes["groups"][1])


def test_superuser_flag_is_given_by_superusers_alone(as_owner, root, merchant):
    groups = [group.pk for group in merchant.groups.all()]
    form = person(merchant, is_staff="on", is_superuser="on", groups=groups)
    as_owner.post(change_url(merchant), form)
    merchant.refresh_from_db()
    assert not merchant.is_superuser
    page = as_owner.get(change_url(root))
    assert page.status_code == 200
    assert root.password not in page.content.decode()
    assert as_owner.post(change_url(root), person(root)).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    assert as_owner.get(password).status_code == 403


def test_helper_who_may_change_people_cannot_become_somebody(client, merchant):
    helper = StaffFactory(permissions=["accounts.view_user", "accounts.change_user"])
    shopper = UserFactory()
    client.force_login(helper)
    form = person(helper, is_staff="on", groups=[Group.objects.get(name="owner").pk])
    client.post(change_url(helper), form)
    assert not helper.groups.filter(name="owner").exists()
    assert client.post(change_url(merchant), person(merchant)).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[merchant.pk])
    data = {"usable_password": "true", "password1": NEW, "password2": NEW}
    assert client.post(password, data).status_code == 403
    client.post(change_url(shopper), person(shopper, is_staff="on"))
    shopper.refresh_from_db()
    assert not shopper.is_staff


def test_read_only_staff_never_see_a_password_hash(client, readonly_staff, shopper):
    client.force_login(readonly_staff)
    page = client.get(change_url(shopper))
    assert page.status_code == 200
    assert shopper.password not in page.content.decode()
    assert shopper.email in page.content.decode()


def test_password_set_by_staff_ends_sessions_and_is_audited(as_owner, shopper):
    session = tokens.open_session(user=shopper)
    url = reverse("admin:auth_user_password_change", args=[shopper.pk])
    assert as_owner.get(url).status_code == 200
    data = {"usable_password": "true", "password1": NEW, "password2": NEW}
    assert as_owner.post(url, data).status_code == 302
    with pytest.raises(tokens.InvalidToken):
        tokens.user_of(session.access)
    entry = AuditEntry.objects.get(action="change_password")
    assert (entry.actor, entry.object_label) == ("merchant@example.com", f"user {shopper.pk}")


def test_roles_of_the_product_are_not_edited_by_hand(as_owner):
    role, mine = Group.objects.get(name="support"), Group.objects.create(name="mine")
    url = reverse("admin:auth_group_change", args=[role.pk])
    assert as_owner.get(url).status_code == 200
    assert as_owner.post(url, {"name": "hacked"}).status_code == 403
    url = reverse("admin:auth_group_change", args=[mine.pk])
    assert as_owner.post(url, {"name": "renamed"}).status_code == 302
    assert Group.objects.filter(name="renamed").exists()


def test_key_is_made_and_shown_once(as_owner, merchant):
    url = reverse("admin:accounts_apikey_add")
    assert as_owner.get(url).status_code == 200
    form = {"name": "Erp", "scopes": ["customers.view_customer"], "expires_at_0": ""}
    page = as_owner.post(url, form, follow=True)
    (secret,) = re.findall(r"[0-9a-f]{8}\.[\w-]{43}", page.content.decode())
    key = use_api_key(secret)
    assert (key.user, key.scopes) == (merchant, ["customers.view_customer"])
    again = as_owner.get(reverse("admin:accounts_apikey_change", args=[key.pk]))
    assert again.status_code == 200
    assert secret not in again.content.decode()
    assert key.digest not in again.content.decode()


def test_key_with_a_past_expiry_is_refused_with_a_message(as_owner):
    form = {
        "name": "Erp",
        "scopes": ["customers.view_customer"],
        "expires_at_0": "2020-01-01",
        "expires_at_1": "00:00:00",
    }
    page = as_owner.post(reverse("admin:accounts_apikey_add"), form, follow=True)
    assert "The expiry lies in the past." in page.content.decode()
    assert ApiKey.objects.count() == 0


def test_key_is_revoked_by_its_action(as_owner, merchant):
    key, secret = create_api_key(
        created_by=merchant, name="Erp", scopes=["customers.view_customer"]
    )
    url = reverse("admin:accounts_apikey_changelist")
    as_owner.post(url, {"action": "revoke", "_selected_action": [key.pk]})
    with pytest.raises(tokens.InvalidToken):
        use_api_key(secret)


def test_key_for_somebody_else_by_a_superuser(client, root, merchant):
    client.force_login(root)
    form = {"name": "Erp", "user": merchant.pk, "scopes": ["customers.view_customer"]}
    assert client.post(reverse("admin:accounts_apikey_add"), form).status_code == 302
    assert ApiKey.objects.get().user == merchant


@pytest.mark.parametrize("size", [1, 10])
def test_user_list_costs_the_same_for_any_number(as_owner, size, django_assert_max_num_queries):
    UserFactory.create_batch(size)
    with django_assert_max_num_queries(10):
        assert as_owner.get(reverse("admin:accounts_user_changelist")).status_code == 200


def test_providers_secret_is_written_and_never_shown(as_owner):
    fields = {
        "name": "Acme",
        "slug": "acme",
        "kind": "oidc",
        "issuer": "https://login.example.com",
        "client_id": "shop",
        "secret": "very secret",
        "is_active": "on",
    }
    assert as_owner.post("/admin/accounts/identityprovider/add/", fields).status_code == 302
    provider = IdentityProvider.objects.get()
    assert provider.client_secret.open() == {"secret": "very secret"}
    address = f"/admin/accounts/identityprovider/{provider.pk}/change/"
    assert "very secret" not in as_owner.get(address).content.decode()
    # Empty keeps it.
    assert as_owner.post(address, {**fields, "secret": "", "name": "Acme Inc"}).status_code == 302
    provider.refresh_from_db()
    assert (provider.name, provider.client_secret.open()) == ("Acme Inc", {"secret": "very secret"})
    insecure = as_owner.post(address, {**fields, "issuer": "http://login.example.com"})
    assert "An address with https:// is needed." in insecure.content.decode()
    assert AuditEntry.objects.filter(object_type="accounts.identityprovider").count() == 2
    assert not AuditEntry.objects.filter(changes__icontains="very secret").exists()
