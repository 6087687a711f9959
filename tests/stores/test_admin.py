"""The back office's pages of stores."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.stores.models import Store
from tests.factories.stores import SellerFactory, StoreFactory


@pytest.fixture
def as_owner(client, merchant):
    client.force_login(merchant)
    return client


def test_store_is_made_the_only_default(as_owner, store):
    form = {
        "name": "B2B",
        "code": "b2b",
        "domain": "",
        "email": "",
        "is_active": "on",
        "is_default": "on",
        "default_currency": "JPY",
        "country": "JP",
        "time_zone": "Asia/Tokyo",
        "currencies": ["EUR", "USD"],
        "languages": ["es"],
        "tax_rounding": "document",
        "shipping_tax_class": "standard",
        "order_prefix": "B2B-",
        "approval_limits-TOTAL_FORMS": 0,
        "approval_limits-INITIAL_FORMS": 0,
    }
    url = reverse("admin:stores_store_add")
    assert as_owner.get(url).status_code == 200
    assert as_owner.post(url, form).status_code == 302
    made = Store.objects.get(code="b2b")
    assert (made.currencies, made.languages, made.domain) == (["EUR", "USD"], ["es"], None)
    assert list(Store.objects.filter(is_default=True)) == [made]
    page = as_owner.get(reverse("admin:stores_store_change", args=[made.pk])).content.decode()
    assert '<option value="USD" selected>' in page


def test_store_is_never_deleted(as_owner, store):
    url = reverse("admin:stores_store_delete", args=[store.pk])
    assert as_owner.post(url, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("name", ["store", "seller", "exchangerate", "sequence"])
def test_lists_open(as_owner, name):
    StoreFactory()
    SellerFactory()
    assert as_owner.get(reverse(f"admin:stores_{name}_changelist")).status_code == 200
