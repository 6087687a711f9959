"""Tags, notes, the timeline, and what customers are worth."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.core.emails import email_key
from apps.core.errors import NotFound
from apps.core.models import AuditEntry
from apps.customers.models import CustomerEvent, CustomerFigures, CustomerTag
from apps.customers.services import erasing
from apps.customers.services.merging import merge_customers
from apps.customers.services.profile import set_tags
from apps.customers.services.timeline import record_event
from apps.orders.models import Order
from apps.orders.services import adopt_guest_orders, cancel, refresh_figures
from apps.payments.models import Payment
from tests.backoffice.conftest import Staff, order, payment, staff
from tests.factories.customers import CustomerGroupFactory
from tests.flows.conftest import buyer, shop

__all__ = ["buyer", "order", "payment", "shop", "staff"]

pytestmark = pytest.mark.django_db
URL = "/api/v1/admin/customers"


def test_tags_are_set_by_name_and_found(as_merchant, shopper, guest):
    url = f"{URL}/{shopper.customer.public_id}/tags/"
    assert as_merchant.put(url, {"tags": ["VIP", " calls  often "]}).json()["tags"] == [
        "calls often",
        "VIP",
    ]
    assert as_merchant.put(url, {"tags": ["vip"]}).json()["tags"] == ["VIP"]
    found = as_merchant.get(f"{URL}/?tag=Vip").json()["results"]
    assert [row["email"] for row in found] == ["shopper@example.com"]
    assert as_merchant.get("/api/v1/admin/customer-tags/").json()["results"] == [
        {"name": "calls often"},
        {"name": "VIP"},
    ]
    assert AuditEntry.objects.filter(action="customer.tags").count() == 2
    told = shopper.customer.timeline.filter(kind="tags").values_list("data", flat=True)
    assert list(told) == [
        {"tags": [["VIP", "calls often"], ["VIP"]]},
        {"tags": [[], ["VIP", "calls often"]]},
    ]


def test_of_who_was_erased_nothing_is_shown_or_written(as_merchant, shopper, guest):
    url, other = f"{URL}/{guest.public_id}", f"{URL}/{shopper.customer.public_id}"
    erasing.request_erasure(customer=guest)
    answers = (
        as_merchant.get(f"{url}/timeline/"),
        as_merchant.post(f"{url}/notes/", {"message": "Calls often."}),
        as_merchant.get(f"{url}/duplicates/"),
        as_merchant.post(f"{other}/merge/", {"other": str(guest.public_id)}),
        as_merchant.post(f"{url}/merge/", {"other": str(shopper.customer.public_id)}),
    )
    assert [answer.status_code for answer in answers] == [404] * 5
    with pytest.raises(NotFound):
        merge_customers(kept=shopper.customer, merged=guest)
    assert guest.timeline.count() == 0


def test_setting_the_same_tags_is_no_news(guest):
    assert set_tags(customer=guest, tags=["VIP"])
    assert not set_tags(customer=guest, tags=["vip"])
    assert (CustomerTag.objects.count(), guest.timeline.count()) == (1, 1)


@pytest.mark.parametrize("tags", [["x" * 61], ["  "], [str(n) for n in range(21)]])
def test_tags_that_are_none_are_refused(as_merchant, guest, tags):
    answer = as_merchant.put(f"{URL}/{guest.public_id}/tags/", {"tags": tags})
    assert answer.status_code == 400
    assert not CustomerTag.objects.exists()


def test_notes_and_changes_of_group_are_on_the_timeline(as_merchant, shopper, merchant):
    group = CustomerGroupFactory(code="vip")
    url = f"{URL}/{shopper.customer.public_id}"
    said = as_merchant.post(f"{url}/notes/", {"message": "Wants no calls."})
    as_merchant.patch(f"{url}/", {"group": group.code})
    as_merchant.patch(f"{url}/", {"group": group.code})
    assert said.status_code == 201
    rows = as_merchant.get(f"{url}/timeline/").json()["results"]
    assert [(row["kind"], row["message"], row["data"], row["actor"]) for row in rows] == [
        ("group", "", {"group": [None, "vip"]}, merchant.email),
        ("note", "Wants no calls.", {}, merchant.email),
    ]
    assert as_merchant.get(f"{url}/timeline/?limit=1").json()["next"]


def test_customers_never_see_their_timeline(as_shopper, shopper):
    url = f"{URL}/{shopper.customer.public_id}/timeline/"
    assert as_shopper.get(url).status_code == 403


def test_an_event_is_told_once(guest):
    for _again in range(2):
        record_event(customer_id=guest.pk, kind=CustomerEvent.Kind.ORDERED, key="order.placed:1")
    record_event(customer_id=0, kind=CustomerEvent.Kind.NOTE)
    assert guest.timeline.count() == 1


def test_figures_follow_what_is_taken_and_given_back(
    as_merchant, staff: Staff, order: Order, payment: Payment, guest, drain
):
    Order.objects.update(customer=guest)
    url = f"{URL}/{guest.public_id}/"
    drain()

    def figures() -> list[tuple[int, str, str]]:
        rows = as_merchant.get(url).json()["figures"]
        return [(r["orders"], r["spent"]["amount"], r["average"]["amount"]) for r in rows]

    assert figures() == [(1, "0.00", "0.00")]
    staff.do(payment, "capture")
    drain()
    assert figures() == [(1, "48.95", "48.95")]
    staff.do(payment, "refund", amount="8.95", reason="Scratched")
    drain()
    assert figures() == [(1, "40.00", "40.00")]
    kinds = guest.timeline.values_list("kind", "message")
    assert list(kinds) == [("refunded", order.number), ("ordered", order.number)]
    assert guest.timeline.first().data == {"amount": {"amount": "8.95", "currency": "EUR"}}


def test_cancelled_orders_do_not_count(order: Order, guest, drain):
    Order.objects.update(customer=guest)
    drain()
    cancel(order=order, reason="")
    drain()
    row = CustomerFigures.objects.get()
    assert (row.orders, row.spent, row.last_order_at) == (0, 0, None)
    assert list(guest.timeline.values_list("kind", flat=True)) == ["cancelled", "ordered"]


def test_figures_count_anew_whatever_was_counted(order: Order, guest, stranger):
    Order.objects.update(customer=guest)
    CustomerFigures.objects.create(customer=guest, currency="USD", orders=7, spent=7)
    CustomerFigures.objects.create(customer=stranger.customer, currency="EUR", orders=7)
    call_command("rebuild_customer_figures")
    assert list(CustomerFigures.objects.values_list("customer", "currency", "orders")) == [
        (guest.pk, "EUR", 1)
    ]
    refresh_figures(customer_id=0)


def test_adopted_orders_count_for_the_account(order: Order, shopper):
    shopper.email_verified_at = timezone.now()
    shopper.save()
    Order.objects.update(email=shopper.email, email_key=email_key(shopper.email))
    assert adopt_guest_orders(user_id=str(shopper.public_id)) == 1
    assert shopper.customer.figures.get().orders == 1


def test_customers_page_shows_it_all(staff: Staff, order: Order, guest, drain):
    Order.objects.update(customer=guest)
    drain()
    staff.do(guest, "note", message="Rings twice.")
    staff.do(guest, "tags", tags="VIP, Late payer")
    page = staff.page(guest)
    for text in ("Rings twice.", "Late payer, VIP", order.number, "– → Late payer, VIP"):
        assert text in page
    assert "€0.00" in staff.get("/admin/customers/customer/").text
    assert "Rings twice." in staff.get(f"/admin/customers/customerevent/?customer={guest.pk}").text
