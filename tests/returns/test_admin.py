"""Returns in the back office."""

from __future__ import annotations

import pytest

from apps.inventory.models import StockMovement
from apps.returns import services
from apps.returns.models import ReturnPolicy, ReturnRequest
from tests.backoffice.conftest import Staff, address, staff, viewer
from tests.returns.conftest import wish

__all__ = ["staff", "viewer"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def test_the_whole_way_with_buttons(staff: Staff, order, shop, drain):
    mugs, books = order.lines.order_by("position")
    asked = {
        str(mugs.public_id): 3,
        str(books.public_id): 0,
        "kind": "return",
        "reason": "does_not_fit",
    }
    assert staff.do(order, "return", **asked).status_code == 302
    request = ReturnRequest.objects.get()
    line = request.lines.get()
    assert request.number in staff.page(order)
    staff.do(request, "approve")
    staff.do(request, "receive", location=shop.near.pk, **{str(line.public_id): 2})
    pieces = {f"{line.public_id}:{o}": 0 for o in ("damaged", "quarantine", "scrap", "refused")}
    too_many = staff.do(
        request,
        "inspect",
        **{**pieces, f"{line.public_id}:scrap": 2, f"{line.public_id}:damaged": 1},
    )
    assert too_many.status_code == 200
    staff.do(request, "inspect", **{**pieces, f"{line.public_id}:scrap": 1})
    form = staff.get(address(request, "refund")).content.decode()
    assert "€24.00: goods €24.00 (paid €24.00), fee €0.00" in form
    staff.do(request, "refund", refund_to="original")
    drain()
    request.refresh_from_db()
    assert (request.status, request.refund_amount) == ("closed", 2400)
    assert StockMovement.objects.get(reason="return").delta == 1
    assert "€24.00" in staff.page(request)


def test_declining_needs_a_reason(staff: Staff, order):
    request = services.request_return(order=order, wishes=[wish(order, "MUG")])
    assert staff.do(request, "decline", reason="").status_code == 200
    assert staff.do(request, "decline", reason="Worn").status_code == 302
    request.refresh_from_db()
    assert (request.status, request.reason) == ("declined", "Worn")


def test_who_may_only_look_has_no_buttons(viewer: Staff, order):
    request = services.request_return(order=order, wishes=[wish(order, "MUG")])
    assert "do/approve" not in viewer.page(request)
    assert viewer.do(request, "approve").status_code == 403


def test_one_policy_for_one_thing(staff: Staff, store):
    data = {
        "store": store.pk,
        "category": "",
        "days": 60,
        "condition": "unused",
        "fee_percent": "0",
        "fee_fixed": "1.50",
        "shipping_paid_by": "store",
        "instructions": "",
    }
    url = "/admin/returns/returnpolicy/add/"
    assert staff.post(url, data).status_code == 302
    assert ReturnPolicy.objects.get().fee_fixed == 150
    assert "There is a policy for this already." in staff.post(url, data).content.decode()


def test_the_list_costs_no_more_queries_for_more(
    staff: Staff, order, django_assert_num_queries, django_assert_max_num_queries
):
    url = "/admin/returns/returnrequest/"
    services.request_return(order=order, wishes=[wish(order, "MUG")])
    staff.get(url)
    with django_assert_max_num_queries(20) as one:
        staff.get(url)
    services.request_return(order=order, wishes=[wish(order, "BOOK")])
    with django_assert_num_queries(len(one)):
        staff.get(url)


def test_an_exchange_with_buttons(staff: Staff, order, shop, drain):
    mugs, books = order.lines.order_by("position")
    asked = {
        str(mugs.public_id): 0,
        str(books.public_id): 1,
        "kind": "return",
        "reason": "does_not_fit",
        "exchange": "MUG",
    }
    staff.do(order, "return", **asked)
    request = ReturnRequest.objects.get()
    assert "do/send-now" in staff.page(request)
    assert staff.do(request, "send-now").status_code == 302
    line = request.lines.get()
    staff.do(request, "receive", location=shop.near.pk, **{str(line.public_id): 1})
    pieces = {f"{line.public_id}:{o}": 0 for o in ("damaged", "quarantine", "scrap", "refused")}
    staff.do(request, "inspect", **pieces)
    form = staff.get(address(request, "refund")).content.decode()
    assert "€12.00 pay the replacement; the customer pays €0.00 more." in form
    staff.do(request, "refund", refund_to="original")
    drain()
    request.refresh_from_db()
    assert (request.refund_amount, request.credit_amount) == (2_000, 1_200)
    page = staff.page(request)
    assert "WEB-2" in page
    assert "set against the replacement" in page


def test_what_wont_come_is_given_up_and_an_exchange_refunded(staff: Staff, order):
    request = services.request_return(order=order, wishes=[wish(order, "MUG", exchange_for="MUG")])
    staff.do(request, "approve")
    staff.do(request, "refund-instead")
    assert "do/refund-instead" not in staff.page(request)
    staff.do(request, "give-up")
    request.refresh_from_db()
    assert (request.status, request.lines.get().replacement) == ("cancelled", None)
