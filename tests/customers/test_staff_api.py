"""Customers and groups, for staff."""

from __future__ import annotations

import pytest

from apps.core import audit
from apps.core.models import AuditEntry
from apps.customers.models import CustomerGroup
from tests.factories.accounts import StaffFactory
from tests.factories.customers import AddressFactory, CustomerFactory, CustomerGroupFactory

URL, GROUPS = "/api/v1/admin/customers/", "/api/v1/admin/customer-groups/"


def test_customers_are_listed_newest_first(as_merchant, shopper, guest):
    answer = as_merchant.get(f"{URL}?count=true").json()
    assert [c["email"] for c in answer["results"]] == ["guest@example.com", "shopper@example.com"]
    assert [c["is_registered"] for c in answer["results"]] == [False, True]
    assert answer["count"] == 2
    assert answer["results"][1]["id"] == str(shopper.customer.public_id)
    assert "pk" not in answer["results"][1]


@pytest.mark.parametrize(
    ("query", "emails"),
    [
        ("email=GUEST@example.com", ["guest@example.com"]),
        ("registered=true", ["shopper@example.com"]),
        ("registered=false", ["guest@example.com"]),
        ("group=vip", ["shopper@example.com"]),
        ("group=none", []),
        ("search=gus", ["guest@example.com"]),
        ("search=sam shopper", ["shopper@example.com"]),
        ("ordering=email", ["guest@example.com", "shopper@example.com"]),
        ("ordering=-email", ["shopper@example.com", "guest@example.com"]),
    ],
)
def test_customers_are_found(as_merchant, shopper, guest, query, emails):
    shopper.customer.group = CustomerGroupFactory(code="vip")
    shopper.customer.save()
    results = as_merchant.get(f"{URL}?{query}").json()["results"]
    assert [c["email"] for c in results] == emails


@pytest.mark.parametrize(
    "query", ["user__password=x", "note=x", "ordering=note", "limit=101", "registered=perhaps"]
)
def test_customers_unknown_filter_is_refused(as_merchant, shopper, query):
    assert as_merchant.get(f"{URL}?{query}").status_code == 400


@pytest.mark.parametrize("size", [1, 10])
def test_customers_cost_the_same_for_any_number(
    as_merchant, django_assert_num_queries, merchant, size
):
    CustomerFactory.create_batch(size, group=CustomerGroupFactory())
    # The token, the user's own and group permissions, the page and its tags.
    with django_assert_num_queries(5):
        assert len(as_merchant.get(URL).json()["results"]) == size


def test_customer_detail_and_change(as_merchant, shopper, merchant):
    AddressFactory(customer=shopper.customer)
    CustomerGroupFactory(code="vip")
    url = f"{URL}{shopper.customer.public_id}/"
    seen = as_merchant.get(url)
    assert [a["city"] for a in seen.json()["addresses"]] == ["Madrid"]
    changed = as_merchant.patch(
        url, {"group": "vip", "note": "Pays late."}, headers={"If-Match": seen["ETag"]}
    )
    assert changed.status_code == 200
    assert (changed.json()["group"], changed.json()["note"]) == ("vip", "Pays late.")
    assert changed["ETag"] != seen["ETag"]
    entry = AuditEntry.objects.get(object_type="customers.customer")
    assert entry.actor == merchant.email
    assert entry.changes["note"] == audit.REDACTED
    stale = as_merchant.patch(url, {"note": ""}, headers={"If-Match": seen["ETag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert as_merchant.patch(url, {"group": None}).json()["group"] is None


@pytest.mark.parametrize(
    "body",
    [{"group": "nope"}, {"group": "a\x00"}, {"email": "x@example.com"}, {"group": ["vip"]}],
)
def test_customer_change_refuses(as_merchant, shopper, body):
    url = f"{URL}{shopper.customer.public_id}/"
    assert as_merchant.patch(url, body).status_code == 400


def test_customers_are_for_staff_who_may(api, as_shopper, as_readonly, client_for, shopper):
    url = f"{URL}{shopper.customer.public_id}/"
    assert api.get(URL).status_code == 401
    assert as_shopper.get(url).status_code == 403
    assert as_readonly.get(url).status_code == 200
    assert as_readonly.patch(url, {"note": "x"}).status_code == 403
    staff = client_for(StaffFactory(permissions=["orders.view_order"]))
    assert staff.get(URL).status_code == 403


def test_groups_are_made_renamed_and_deleted(as_merchant):
    made = as_merchant.post(GROUPS, {"code": "vip", "name": "VIP"})
    assert (made.status_code, made.json()) == (201, {"code": "vip", "name": "VIP"})
    twice = as_merchant.post(GROUPS, {"code": "vip", "name": "Other"})
    assert (twice.status_code, twice.json()["code"]) == (400, "code_taken")
    url = f"{GROUPS}vip/"
    assert as_merchant.patch(url, {"name": "Best"}).json() == {"code": "vip", "name": "Best"}
    assert as_merchant.patch(url, {"code": "x", "name": "Best"}).status_code == 400
    assert as_merchant.get(GROUPS).json()["results"] == [{"code": "vip", "name": "Best"}]
    assert as_merchant.get(url).json() == {"code": "vip", "name": "Best"}
    assert as_merchant.delete(url).status_code == 204
    assert CustomerGroup.objects.count() == 0
    actions = AuditEntry.objects.filter(object_type="customers.customergroup")
    assert list(actions.order_by("pk").values_list("action", flat=True)) == [
        "add",
        "change",
        "delete",
    ]


def test_group_with_customers_is_not_deleted(as_merchant):
    group = CustomerGroupFactory(code="vip")
    CustomerFactory(group=group)
    response = as_merchant.delete(f"{GROUPS}vip/")
    assert (response.status_code, response.json()["code"]) == (409, "group_in_use")
    assert CustomerGroup.objects.count() == 1


def test_groups_are_for_staff_who_may(as_readonly, as_shopper):
    CustomerGroupFactory(code="vip")
    body = {"code": "new", "name": "New"}
    assert as_shopper.get(GROUPS).status_code == 403
    assert as_readonly.get(GROUPS).status_code == 200
    assert as_readonly.post(GROUPS, body).status_code == 403
    assert as_readonly.patch(f"{GROUPS}vip/", {"name": "New"}).status_code == 403
    assert as_readonly.delete(f"{GROUPS}vip/").status_code == 403
