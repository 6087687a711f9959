"""From the request to the shelf: who may ask, what staff decide, what becomes of the pieces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from time_machine import travel

from apps.inventory.models import StockMovement
from apps.orders.services import NothingToReturn
from apps.returns import services
from apps.returns.models import Inspection, ReturnPolicy, ReturnRequest
from apps.returns.selectors import terms_of
from tests.factories.products import CategoryFactory
from tests.returns.conftest import buy, pay_and_send, wish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def returned(order: Any) -> dict[str, int]:
    return dict(order.lines.values_list("sku", "returned_quantity"))


def test_whole_life_with_its_mails(order, shop, drain, django_capture_on_commit_callbacks):
    request = services.request_return(order=order, wishes=[wish(order, "MUG", 2)], note="Too blue")
    assert (request.number, request.status) == ("WEB-R1", "requested")
    assert returned(order) == {"MUG": 2, "BOOK": 0}
    services.approve_return(request=request)
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    services.refund_return(request=request)
    with django_capture_on_commit_callbacks(execute=True):
        drain()

    request.refresh_from_db()
    assert (request.status, request.refund_amount) == ("closed", 2400)
    assert request.refunded_at is not None
    assert list(request.timeline.values_list("kind", flat=True)) == [
        *("request", "approve", "receive", "inspect", "close"),
    ]
    order.refresh_from_db()
    assert (order.refunded_amount, order.payment_status) == (2400, "partially_refunded")
    moved = StockMovement.objects.get(reason="return")
    assert (moved.delta, moved.level.location, moved.level.variant) == (2, shop.near, shop.mug)
    subjects = [m.subject for m in mail.outbox if "WEB-R1" in m.subject]
    assert subjects == [
        "Main: return WEB-R1 of order WEB-1",
        "Main: return WEB-R1 is approved",
        "Main: return WEB-R1 has arrived",
        "Main: €24.00 for return WEB-R1",
    ]


def test_a_piece_comes_back_once(order):
    services.request_return(order=order, wishes=[wish(order, "MUG", 2)])
    with pytest.raises(NothingToReturn):
        services.request_return(order=order, wishes=[wish(order, "MUG", 2)])
    services.request_return(order=order, wishes=[wish(order, "MUG", 1)])
    assert returned(order) == {"MUG": 3, "BOOK": 0}


def test_nothing_comes_back_that_wasnt_sent(buyer):
    order = buy(buyer, ("MUG", 1))
    with pytest.raises(NothingToReturn):
        services.request_return(order=order, wishes=[wish(order, "MUG")])


def test_what_was_declined_or_given_up_may_be_asked_for_again(order):
    first = services.request_return(order=order, wishes=[wish(order, "MUG", 3)])
    with pytest.raises(services.NoReason):
        services.decline_return(request=first, reason=" ")
    declined = services.decline_return(request=first, reason="It was a gift of ours.")
    assert (declined.status, declined.reason) == ("declined", "It was a gift of ours.")
    second = services.request_return(order=order, wishes=[wish(order, "MUG", 3)])
    services.approve_return(request=second)
    services.cancel_return(request=second)
    assert returned(order) == {"MUG": 0, "BOOK": 0}


def test_the_table_decides(order, shop):
    request = services.request_return(order=order, wishes=[wish(order, "MUG")])
    for call in (
        lambda: services.receive_return(request=request, location=shop.near),
        lambda: services.inspect_return(request=request),
        lambda: services.refund_return(request=request),
    ):
        with pytest.raises(services.ReturnRefused):
            call()
    services.approve_return(request=request)
    with pytest.raises(services.ReturnRefused):
        services.approve_return(request=request)


def test_less_arrives_and_not_all_is_accepted(order, shop):
    request = services.request_return(
        order=order, wishes=[wish(order, "MUG", 3), wish(order, "BOOK", 2)]
    )
    services.approve_return(request=request)
    mugs, books = request.lines.order_by("pk")
    with pytest.raises(services.WrongPieces):
        services.receive_return(request=request, location=shop.near, quantities={mugs.public_id: 4})
    services.receive_return(
        request=request,
        location=shop.near,
        quantities={mugs.public_id: 3, books.public_id: 1},
    )
    assert returned(order) == {"MUG": 3, "BOOK": 1}
    outcomes = Inspection.Outcome
    with pytest.raises(services.WrongPieces):
        services.inspect_return(
            request=request, findings=[services.Finding(mugs.public_id, outcomes.RESTOCK, 3)]
        )
    services.inspect_return(
        request=request,
        findings=[
            services.Finding(mugs.public_id, outcomes.RESTOCK, 1),
            services.Finding(mugs.public_id, outcomes.QUARANTINE, 1),
            services.Finding(mugs.public_id, outcomes.REFUSED, 1),
            services.Finding(books.public_id, outcomes.SCRAP, 1),
        ],
    )
    assert returned(order) == {"MUG": 2, "BOOK": 1}
    # Only what is restocked can be sold again; what is set apart waits beside it.
    moved = StockMovement.objects.filter(reason="return").order_by("-delta")
    assert list(moved.values_list("delta", "quarantined_delta")) == [(1, 0), (0, 1)]
    assert services.refund_return(request=request).refund_amount == 2 * 1200 + 2000


def test_policy_of_the_deepest_category_counts(order, shop):
    home = CategoryFactory(name="Home")
    kitchen = CategoryFactory(name="Kitchen", parent=home)
    shop.mug.product.categories.add(kitchen)
    ReturnPolicy.objects.create(store=shop.store, days=60)
    ReturnPolicy.objects.create(store=shop.store, category=home, days=10)
    final = ReturnPolicy.objects.create(store=shop.store, category=kitchen, is_final_sale=True)
    found = {terms.line.sku: terms for terms in terms_of(order)}
    assert found["MUG"].policy == final
    assert (found["MUG"].may_return, found["MUG"].may_withdraw) == (False, True)
    assert (found["BOOK"].policy.days, found["BOOK"].may_return) == (60, True)
    with pytest.raises(services.NotReturnable):
        services.request_return(order=order, wishes=[wish(order, "MUG")])
    # What was our fault is taken back whatever the policy says; staff may take anything.
    services.request_return(order=order, wishes=[wish(order, "MUG", reason="defective")])
    services.request_return(order=order, wishes=[wish(order, "MUG")], by_staff=True)


def test_condition_window_and_fee(order, shop):
    ReturnPolicy.objects.create(store=shop.store, days=30, fee_percent=10, fee_fixed=50)
    with pytest.raises(services.ConditionNotAccepted):
        services.request_return(order=order, wishes=[wish(order, "MUG", condition="used")])
    # Within the time of withdrawal nobody pays a fee.
    assert services.preview_return(order=order, wishes=[wish(order, "MUG", 2)]).fee == 0
    with travel(timezone.now() + timedelta(days=20)):
        found = services.preview_return(order=order, wishes=[wish(order, "MUG", 2)])
        assert (found.goods, found.fee, found.refund) == (2400, 290, 2110)
        faulty = services.preview_return(order=order, wishes=[wish(order, "MUG", reason="lost")])
        assert faulty.fee == 0
    with travel(timezone.now() + timedelta(days=33)), pytest.raises(services.ReturnWindowOver):
        services.request_return(order=order, wishes=[wish(order, "MUG")])


def test_before_the_delivery_no_time_runs(buyer):
    order = pay_and_send(buy(buyer, ("BOOK", 1)), delivered=False)
    with travel(timezone.now() + timedelta(days=90)):
        (terms,) = terms_of(order)
        assert (terms.may_return, terms.may_withdraw, terms.return_until) == (True, True, None)


@pytest.mark.parametrize(
    ("delivered", "last"),
    [
        # 14 days after a Friday evening in Madrid is a Friday.
        ("2026-11-06T22:30:00Z", "2026-11-20"),
        # After midnight there, it is a Saturday: the Monday counts.
        ("2026-11-06T23:30:00Z", "2026-11-23"),
    ],
)
def test_the_last_day_is_the_stores_and_no_weekend(order, delivered, last):
    order.store.time_zone = "Europe/Madrid"
    order.delivered_at = timezone.datetime.fromisoformat(delivered)
    assert terms_of(order)[0].withdraw_until.isoformat() == last


def test_claims_send_nothing_back(order, shop, drain):
    request = services.request_return(
        order=order, kind=ReturnRequest.Kind.LOST, wishes=[wish(order, "MUG", reason="lost")]
    )
    services.approve_return(request=request)
    with pytest.raises(services.ReturnRefused):
        services.receive_return(request=request, location=shop.near)
    assert services.refund_return(request=request).refund_amount == 1200
    drain()
    assert not StockMovement.objects.filter(reason="return").exists()
