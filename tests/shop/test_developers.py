"""The page for developers: one's own keys, made within one's own permissions, and their usage."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.utils import timezone

from apps.accounts.models import ApiKey, ApiKeyUsage, ApiPlan
from apps.accounts.services import api_keys
from tests.factories.accounts import StaffFactory

URL = "/developers/"
SCOPE = "customers.view_customer"


@pytest.fixture
def staff(db):
    return StaffFactory(permissions=[SCOPE, "accounts.add_apikey"])


@pytest.fixture
def signed_in(client, store, staff):
    client.force_login(staff)
    return client


def secret_of(page):
    return re.search(r'<code class="secret">(.+)</code>', page.content.decode()).group(1)


def key_of(user, name="Erp"):
    return api_keys.create_api_key(created_by=user, name=name, scopes=[SCOPE])[0]


def test_key_is_made_and_shown_once(signed_in, staff, api):
    ApiPlan.objects.create(code="small", name="Small", quota=1_000, is_default=True)
    body = {"name": "Erp", "scopes": [SCOPE], "allowed_networks": "127.0.0.1", "days": "30"}
    made = signed_in.post(URL, body)
    secret = secret_of(made)
    key = ApiKey.objects.get()
    assert (key.name, key.user, key.scopes) == ("Erp", staff, [SCOPE])
    assert key.allowed_networks == ["127.0.0.1/32"]
    assert (key.expires_at - timezone.now()).days == 29
    headers = {"Authorization": f"Api-Key {secret}"}
    assert api.get("/api/v1/admin/customers/", headers=headers).status_code == 200
    page = signed_in.get(URL).content.decode()
    assert secret not in page
    assert f"{key.prefix}…" in page
    assert "Small: 600 calls a minute, 1000 a month" in page


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": ["customers.change_customer"]},
        {"scopes": []},
        {"name": ""},
        {"allowed_networks": "here"},
        {"days": "36500"},
    ],
)
def test_nonsense_and_what_is_beyond_me_is_refused(signed_in, change):
    body = {"name": "Erp", "scopes": [SCOPE], "days": "0", **change}
    refused = signed_in.post(URL, body)
    assert refused.status_code == 400
    assert 'role="alert"' in refused.content.decode()
    assert ApiKey.objects.count() == 0


def test_key_is_rotated_and_revoked(signed_in, staff):
    key = key_of(staff)
    url = f"{URL}keys/{key.public_id}/"
    assert signed_in.post(url, {"overlap_hours": "5"}).status_code == 400
    secret = secret_of(signed_in.post(url, {"overlap_hours": "24"}))
    assert api_keys.use_api_key(secret) == key
    key.refresh_from_db()
    assert 23 <= (key.previous_expires_at - timezone.now()).total_seconds() / 3600 <= 24
    assert signed_in.post(url, {"revoke": "1"}).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert signed_in.post(url, {"revoke": "1"}).status_code == 404


def test_keys_and_usage_of_others_stay_theirs(signed_in, merchant):
    key = key_of(merchant, "Secret project")
    ApiKeyUsage.objects.create(key=key, day=date(2026, 11, 1), calls=4711)
    page = signed_in.get(URL).content.decode()
    assert "Secret project" not in page
    assert "4711" not in page
    assert signed_in.post(f"{URL}keys/{key.public_id}/", {"revoke": "1"}).status_code == 404
    key.refresh_from_db()
    assert key.revoked_at is None


def test_usage_is_shown_by_day(signed_in, staff, django_assert_max_num_queries):
    for name in ("Erp", "Till"):
        key = key_of(staff, name)
        for day in range(1, 29):
            ApiKeyUsage.objects.create(key=key, day=date(2026, 11, day), calls=100 + day)
    with django_assert_max_num_queries(25):
        page = signed_in.get(URL).content.decode()
    assert page.count("<td>2026-11-28</td>") == 2
    assert "<td>128</td>" in page
    assert "?page=2" in page


def test_shoppers_have_the_documentation_and_no_keys(client, store, shopper):
    assert client.get(URL).status_code == 302
    client.force_login(shopper)
    page = client.get(URL).content.decode()
    assert "/api/v1/docs/" in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    refused = client.post(URL, {"name": "Erp", "scopes": [SCOPE], "days": "0"})
    assert refused.status_code == 302
    assert ApiKey.objects.count() == 0


def test_staff_set_up_their_second_factor_first(signed_in, settings):
    settings.STAFF_SECOND_FACTOR = True
    answers = [signed_in.get(URL), signed_in.post(URL, {"name": "Erp", "scopes": [SCOPE]})]
    assert [answer["Location"] for answer in answers] == ["/account/second-factor/"] * 2
