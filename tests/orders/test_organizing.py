"""Tags, assignees, notes: how staff share the work, and how they find it again."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from apps.core.models import AuditEntry
from apps.core.tags import WrongTag
from apps.fulfillment.services import fulfill, set_tracking
from apps.orders import services
from apps.orders.models import Order, OrderTag, OrderWord
from apps.orders.selectors.search import search_orders, terms, word_key, words_of
from apps.orders.services.search import index_words
from tests.factories.accounts import StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
ADMIN = "/api/v1/admin/orders"


def test_tags_are_set_by_name_whatever_their_case(as_merchant, order):
    url = f"{ADMIN}/{order.number}/tags/"
    first = as_merchant.put(url, {"tags": ["VIP", " call  back "]}).json()
    again = as_merchant.put(url, {"tags": ["vip", "gift"]}).json()
    assert (first["tags"], again["tags"]) == (["call back", "VIP"], ["gift", "VIP"])
    assert sorted(OrderTag.objects.values_list("name", flat=True)) == ["VIP", "call back", "gift"]
    entry = again["timeline"][-1]
    assert (entry["kind"], entry["actor"], entry["is_public"]) == (
        "tags",
        "merchant@example.com",
        False,
    )
    assert entry["data"] == {"tags": [["VIP", "call back"], ["VIP", "gift"]]}
    assert AuditEntry.objects.filter(action="order.tags").count() == 2


def test_setting_the_same_tags_is_no_news(order):
    assert services.set_tags(order=order, tags=["VIP"])
    assert not services.set_tags(order=order, tags=["vip"])
    assert order.timeline.filter(kind="tags").count() == 1


@pytest.mark.parametrize("tags", [["x" * 61], ["  "], [str(n) for n in range(21)]])
def test_tags_that_are_none_are_refused(order, tags):
    with pytest.raises(WrongTag):
        services.set_tags(order=order, tags=tags)
    assert not OrderTag.objects.exists()


def test_order_is_assigned_to_active_staff_and_to_nobody_else(as_merchant, order, shopper):
    packer = StaffFactory(email="packer@example.com")
    gone = StaffFactory(email="gone@example.com", is_active=False)
    url = f"{ADMIN}/{order.number}/assignee/"
    assert as_merchant.put(url, {"assignee": "Packer@example.com"}).json()["assignee"] == (
        packer.email
    )
    for other in (shopper, gone):
        refused = as_merchant.put(url, {"assignee": other.email})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "not_staff")
        with pytest.raises(services.NotStaff):
            services.assign(order=order, assignee=other)
    cleared = as_merchant.put(url, {"assignee": None}).json()
    assert cleared["assignee"] is None
    assert [e["data"] for e in cleared["timeline"] if e["kind"] == "assignee"] == [
        {"assignee": [None, packer.email]},
        {"assignee": [packer.email, None]},
    ]


def test_customers_see_nothing_of_it(api, as_merchant, order):
    as_merchant.put(f"{ADMIN}/{order.number}/tags/", {"tags": ["difficult"]})
    shown = api.get(f"/api/v1/orders/{order.number}/", {"token": order.token})
    assert shown.status_code == 200
    assert "difficult" not in shown.content.decode()
    assert {"tags", "assignee"} & shown.json().keys() == set()


def test_list_is_filtered_by_tag_and_assignee(as_merchant, merchant, order, place):
    other = place()
    services.set_tags(order=order, tags=["VIP"])
    services.assign(order=order, assignee=merchant)

    def found(**query: str) -> list[str]:
        return [row["number"] for row in as_merchant.get(f"{ADMIN}/", query).json()["results"]]

    assert found(tag="vip") == found(assignee=merchant.email) == [order.number]
    assert found(assignee="none") == [other.number]
    assert found(tag="unknown") == []


def test_buttons_and_filters_of_the_back_office(staff, viewer, merchant, order, place):
    place()
    staff.do(order, "tags", tags="VIP, call back")
    staff.do(order, "assign", assignee=merchant.pk)
    assert viewer.do(order, "tags", tags="x").status_code == 403
    page = staff.page(order)
    assert "– → VIP, call back" in page
    assert "– → merchant@example.com" in page
    for query in ({"assigned": "me"}, {"tags__id__exact": OrderTag.objects.get(key="vip").pk}):
        rows = staff.get("/admin/orders/order/", query).context["cl"].result_list
        assert [row.number for row in rows] == [order.number]


def test_list_costs_the_same_for_two_and_for_four(as_merchant, merchant, place):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            answer = as_merchant.get(f"{ADMIN}/", {"search": "bea nunez 24,95"})
        assert answer.status_code == 200
        return len(seen), len(answer.json()["results"])

    for n in range(2):
        services.set_tags(order=place(), tags=[f"t{n}", "all"])
    first = queries()
    for _ in range(2):
        order = place()
        services.set_tags(order=order, tags=["all"])
        services.assign(order=order, assignee=merchant)
    assert (first, queries()) == ((first[0], 2), (first[0], 4))


# -- search -----------------------------------------------------------------------------------


def numbers(text: str) -> list[str]:
    return sorted(search_orders(Order.objects.all(), text).values_list("number", flat=True))


def test_staff_find_an_order_by_all_that_they_may_have_in_hand(place, order):
    bea = place()
    shipment = fulfill(order=bea, carrier="Post", tracking_number="PQ-77/1")
    services.add_note(order=bea, message="Customer phoned: leave it with the neighbour.")
    for text in (
        *(bea.number, bea.number.lower(), "BEA@example.com", "bea@", "nunez", "Núñez bea"),
        *("24,95", "24.95", "pq-77", "77", "neighbour", "phoned nun"),
    ):
        assert (text, numbers(text)) == (text, [bea.number])
    assert numbers("book") == numbers("28013") == sorted([order.number, bea.number])
    assert numbers("mug") == [order.number]
    assert numbers("neighbour mug") == numbers("%") == numbers("_") == []
    assert len(numbers("  ")) == 2
    set_tracking(shipment=shipment, carrier="Post", tracking_number="ZZ9", tracking_url="")
    assert (numbers("pq-77"), numbers("zz9")) == ([], [bea.number])


def test_search_is_one_query_by_an_index(order):
    with CaptureQueriesContext(connection) as seen:
        assert numbers("ana mug 48.95") == [order.number]
    assert len(seen) == 1
    if connection.vendor == "sqlite":
        plan = search_orders(Order.objects.all(), "ana").explain()
        assert "orderword_search (word>? AND word<?)" in plan


def test_reindexing_changes_nothing(order, place):
    services.add_note(order=place(), message="Ring twice")
    index_words(order=order, source="elsewhere", texts=["kept"])

    def rows() -> list[tuple[object, ...]]:
        return sorted(OrderWord.objects.values_list("order_id", "source", "word"))

    before = rows()
    call_command("reindex_orders")
    assert rows() == before


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_word_is_found_by_each_of_its_beginnings(one, two):
    """The index's order is that of the words, in every collation."""
    for word in terms(one):
        assert word in words_of([one])
        for end in range(1, len(word) + 1):
            begins = word_key(word[:end])
            assert begins <= word_key(word) < f"{begins}g"
    for word in terms(two):
        if not any(found.startswith(word) for found in words_of([one])):
            begins = word_key(word)
            assert not any(
                begins <= word_key(found) < f"{begins}g"
                for found in words_of([one])
                if len(found.encode(errors="replace")) < 60
            )
