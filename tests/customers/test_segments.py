"""Segments: who is in them, and what promotions make of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.models import AuditEntry
from apps.customers.models import Customer, Segment
from apps.customers.selectors import matching, segments_of
from apps.customers.services.figures import set_figures
from apps.customers.services.profile import set_tags
from apps.customers.services.segments import create_segment
from apps.customers.tasks import refresh_segments
from tests.backoffice.conftest import Staff, staff, viewer
from tests.factories.customers import (
    AddressFactory,
    CustomerFactory,
    CustomerGroupFactory,
    SegmentFactory,
)
from tests.factories.promotions import PromotionFactory
from tests.flows.conftest import Buyer, buyer, shop

__all__ = ["buyer", "shop", "staff", "viewer"]

pytestmark = pytest.mark.django_db
URL = "/api/v1/admin/segments/"
TEN = {"type": "percentage", "percent": "10", "of": "order"}


def _figures(customer: Customer, orders: int, spent: int, days: int, currency: str = "EUR") -> None:
    at = timezone.now() - timedelta(days=days)
    row = {
        "currency": currency,
        "orders": orders,
        "spent": spent,
        "first_order_at": at,
        "last_order_at": at,
    }
    set_figures(customer=customer, counted=[row])


@pytest.fixture
def people(db: None) -> None:
    ana = CustomerFactory(email="ana@example.com", language="es", accepts_marketing=True)
    bob = CustomerFactory(
        email="bob@example.com", user=None, group=CustomerGroupFactory(code="wholesale")
    )
    CustomerFactory(email="cem@example.com", language="de", user=None)
    AddressFactory(customer=ana, country="ES")
    AddressFactory(customer=ana, country="PT")
    set_tags(customer=bob, tags=["VIP"])
    _figures(ana, orders=3, spent=12000, days=10)
    _figures(bob, orders=1, spent=5000, days=200)


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"field": "orders", "at_least": 3}, ["ana"]),
        ({"field": "orders", "at_least": 0}, ["ana", "bob", "cem"]),
        ({"field": "orders", "at_most": 1}, ["bob", "cem"]),
        ({"field": "spent", "at_least": {"amount": "120.00", "currency": "EUR"}}, ["ana"]),
        ({"field": "spent", "at_least": {"amount": "0.01", "currency": "USD"}}, []),
        ({"field": "spent", "at_most": {"amount": "50.00", "currency": "EUR"}}, ["bob", "cem"]),
        ({"field": "last_order", "within_days": 90}, ["ana"]),
        ({"field": "last_order", "before_days": 90}, ["bob"]),
        ({"field": "country", "in": ["pt", "FR"]}, ["ana"]),
        ({"field": "language", "in": ["de", "es"]}, ["ana", "cem"]),
        ({"field": "tag", "in": ["vip"]}, ["bob"]),
        ({"field": "group", "in": ["wholesale"]}, ["bob"]),
        ({"field": "registered", "is": True}, ["ana"]),
        ({"field": "registered", "is": False}, ["bob", "cem"]),
        ({"field": "accepts_marketing", "is": True}, ["ana"]),
    ],
)
def test_conditions_find_their_customers(people, condition, names):
    found = matching(conditions=[condition], match="all")
    assert [row.email.partition("@")[0] for row in found] == names


def test_all_or_any_of_the_conditions(people):
    both = [{"field": "orders", "at_least": 1}, {"field": "registered", "is": False}]
    assert matching(conditions=both, match="all").count() == 1
    assert matching(conditions=both, match="any").count() == 3


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        {},
        [{}],
        [{"field": "password", "in": ["x"]}],
        [{"field": ["orders"], "at_least": 1}],
        [{"field": "orders", "at_least": 1, "at_most": 2}],
        [{"field": "orders", "in": [1]}],
        [{"field": "orders", "at_least": True}],
        [{"field": "orders", "at_least": -1}],
        [{"field": "orders", "at_least": 10**12}],
        [{"field": "spent", "at_least": {"amount": "1.001", "currency": "EUR"}}],
        [{"field": "spent", "at_least": {"amount": "NaN", "currency": "EUR"}}],
        [{"field": "spent", "at_least": 5}],
        [{"field": "country", "in": []}],
        [{"field": "country", "in": ["\x00"]}],
        [{"field": "country", "in": "ES"}],
        [{"field": "registered", "is": "yes"}],
        [{"field": "registered", "is": True}] * 11,
    ],
)
def test_what_is_no_condition_is_refused(as_merchant, conditions):
    body = {"code": "x", "name": "X", "conditions": conditions}
    answer = as_merchant.post(URL, body, format="json")
    assert answer.status_code == 400
    preview = as_merchant.post(f"{URL}preview/", {"conditions": conditions}, format="json")
    assert preview.status_code == 400
    assert not Segment.objects.exists()


def test_segments_are_counted_made_changed_and_deleted(as_merchant, people):
    draft = {"conditions": [{"field": "registered", "is": False}]}
    assert as_merchant.post(f"{URL}preview/", draft).json() == {"size": 2}
    made = as_merchant.post(URL, {"code": "guests", "name": "Guests", **draft})
    assert (made.status_code, made.json()["size"], made.json()["match"]) == (201, 2, "all")
    twice = as_merchant.post(URL, {"code": "guests", "name": "Other", **draft})
    assert (twice.status_code, twice.json()["code"]) == (400, "code_taken")
    url = f"{URL}guests/"
    changed = as_merchant.patch(url, {"conditions": [{"field": "orders", "at_least": 3}]}).json()
    assert (changed["name"], changed["size"]) == ("Guests", 1)
    assert as_merchant.patch(url, {"code": "other"}).status_code == 400
    found = as_merchant.get("/api/v1/admin/customers/?segment=guests").json()["results"]
    assert [row["email"] for row in found] == ["ana@example.com"]
    assert [row["code"] for row in as_merchant.get(URL).json()["results"]] == ["guests"]
    assert as_merchant.delete(url).status_code == 204
    assert as_merchant.get(url).status_code == 404
    actions = AuditEntry.objects.filter(object_type="customers.segment").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["add", "change", "delete"]


def test_members_follow_orders_at_once_and_the_rest_by_the_clock(shopper, guest):
    regulars = create_segment(
        code="regulars", name="Regulars", conditions=[{"field": "orders", "at_least": 2}]
    )
    SegmentFactory(code="members")
    assert regulars.members.count() == 0
    _figures(shopper.customer, orders=2, spent=1, days=0)
    assert segments_of(shopper.customer.pk) == {"regulars", "members"}
    assert segments_of(guest.pk) == segments_of(None) == frozenset()
    _figures(shopper.customer, orders=1, spent=1, days=0)
    assert segments_of(shopper.customer.pk) == {"members"}
    Customer.objects.filter(pk=shopper.customer.pk).update(user=None)
    Customer.objects.filter(pk=guest.pk).update(user=shopper)
    assert refresh_segments() == 2
    assert (segments_of(shopper.customer.pk), segments_of(guest.pk)) == (set(), {"members"})


@pytest.mark.parametrize("size", [1, 20])
def test_a_segment_is_refreshed_as_a_set(django_assert_max_num_queries, size):
    CustomerFactory.create_batch(size)
    SegmentFactory()
    with django_assert_max_num_queries(12):
        refresh_segments()
    assert Segment.objects.get().members.count() == size


def test_promotion_for_a_segment_is_for_its_members_alone(api, buyer: Buyer, as_shopper, shopper):
    create_segment(
        code="members", name="Members", conditions=[{"field": "accepts_marketing", "is": True}]
    )
    PromotionFactory(effect=TEN, conditions={"segments": ["members", "gone"]})
    cart = as_shopper.post("/api/v1/carts/", {"currency": "EUR"}).json()["id"]
    line = {"sku": "BOOK", "quantity": 1}
    without = as_shopper.post(f"/api/v1/carts/{cart}/lines/", line).json()
    assert without["totals"]["discount"]["amount"] == "0.00"
    Customer.objects.filter(user=shopper).update(accepts_marketing=True)
    refresh_segments()
    cheaper = as_shopper.get(f"/api/v1/carts/{cart}/").json()
    assert cheaper["totals"]["discount"]["amount"] != "0.00"


def test_staff_count_before_they_save(staff: Staff, viewer: Staff, people):
    url = "/admin/customers/segment/add/"
    form = {
        "code": "regulars",
        "name": "Regulars",
        "match": "all",
        "kind_0": "spent.at_least",
        "value_0": "100.00 eur",
        "kind_3": "country.in",
        "value_3": "ES, FR",
    }
    counted = staff.post(url, {**form, "_preview": "members"})
    assert "1 customer would be in it." in counted.text
    assert "ana@example.com" in counted.text
    assert not Segment.objects.exists()
    assert staff.post(url, form).status_code == 302
    segment = Segment.objects.get()
    assert segment.conditions == [
        {"field": "spent", "at_least": {"amount": "100.00", "currency": "EUR"}},
        {"field": "country", "in": ["ES", "FR"]},
    ]
    assert segment.members.count() == 1
    page = staff.page(segment)
    assert 'value="100.00 EUR"' in page
    assert "at_least" in viewer.page(segment)
    member = Customer.objects.get(email="ana@example.com")
    assert "Regulars" in staff.page(member)
    assert "Regulars" in staff.get("/admin/customers/segment/").text


@pytest.mark.parametrize(
    ("kind", "value"),
    [("orders.at_least", "many"), ("registered.is", "perhaps"), ("spent.at_most", "5"), ("", "")],
)
def test_staff_are_told_what_is_no_condition(staff: Staff, kind, value):
    form = {"code": "x", "name": "X", "match": "all", "kind_0": kind, "value_0": value}
    answer = staff.post("/admin/customers/segment/add/", form)
    assert answer.status_code == 200
    assert not Segment.objects.exists()
