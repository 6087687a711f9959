"""Capturing many orders at once: each by itself, one that fails stops nobody."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F

from apps.orders.models import BulkJob, Order, OrderEvent
from apps.orders.services.bulk import create_bulk, progress, run_bulk
from apps.payments import services
from apps.payments.gateways.paypal.simulator import Fault
from apps.payments.models import Payment, PaymentEntry
from apps.stores.models import Sequence
from tests.backoffice.conftest import staff
from tests.flows.conftest import buyer, paypal, shop
from tests.permissions.cast import key_of
from tests.permissions.cast import staff as staff_of

__all__ = ["buyer", "paypal", "shop", "staff"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
URL = "/api/v1/admin/orders/bulk/"
MANY = 200


@pytest.fixture
def authorized(buyer: Any, paypal: Any, settings: Any) -> Payment:
    """16.95 authorized at PayPal."""
    settings.PAYPAL_INTENT = "AUTHORIZE"
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url="https://shop.example/done")
    payment = Payment.objects.get()
    paypal.approve(payment.provider_id or "")
    services.look_again(order=payment.order)
    payment.refresh_from_db()
    assert payment.status == "authorized"
    return payment


def _copies(of: Order, number: int) -> None:
    """More orders, authorized by hand, as rows and without their journeys."""
    told = list(of.timeline.order_by("pk"))
    for i in range(number):
        copy = Order.objects.get(pk=of.pk)
        copy.pk, copy.number, copy.source = None, f"X-{i}", None
        copy.public_id, copy.token = uuid4(), f"token-{i}"
        copy._state.adding = True
        copy.save()
        for event in told:
            event.pk, event.order = None, copy
        OrderEvent.objects.bulk_create(told)
        payment = Payment.objects.create(
            order=copy,
            gateway="manual",
            provider_id=f"manual-{i}",
            currency=copy.currency,
            amount=copy.total,
            authorized_amount=copy.total,
            status=Payment.Status.AUTHORIZED,
        )
        PaymentEntry.objects.create(payment=payment, kind="authorize", amount=copy.total)
    Sequence.objects.filter(kind="order").update(last=F("last") + number)


def _start(user: Any, *, rest: bool = False) -> BulkJob:
    unpaid = Order.objects.exclude(payment_status="paid") if rest else Order.objects.all()
    numbers = list(unpaid.values_list("number", flat=True))
    return create_bulk(verb="capture", numbers=numbers, data={}, user=user)


def test_hundreds_are_captured_though_one_fails(
    authorized: Payment, paypal: Any, merchant: Any, as_merchant: Any
) -> None:
    _copies(authorized.order, MANY)
    paypal.add_fault(Fault("/v2/payments/authorizations", status=503, times=9))
    job = _start(merchant)
    assert run_bulk() == MANY + 1
    assert progress(job) == {"total": MANY + 1, "done": MANY, "refused": 1}
    [told] = as_merchant.get(f"{URL}{job.public_id}/").json()["refusals"]
    assert (told["number"], told["code"]) == (authorized.order.number, "gateway_unreachable")
    paid = Order.objects.filter(payment_status="paid")
    assert paid.count() == paid.filter(captured_amount=authorized.amount).count() == MANY

    paypal.clear_faults()
    again = _start(merchant, rest=True)
    run_bulk()
    assert progress(again) == {"total": 1, "done": 1, "refused": 0}
    assert paypal.state()["captured"] == {"EUR": "16.95"}


def test_what_is_captured_is_captured_once(authorized: Payment, paypal: Any, merchant: Any) -> None:
    for _ in range(2):
        job = _start(merchant)
        run_bulk()
        assert progress(job) == {"total": 1, "done": 1, "refused": 0}
    assert paypal.state()["captured"] == {"EUR": "16.95"}


def test_nothing_to_capture_is_refused(buyer: Any, paypal: Any, merchant: Any) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url="https://shop.example/done")
    job = _start(merchant)
    run_bulk()
    assert job.items.get().code == "not_capturable"


def test_who_may_not_capture_is_not_offered_it(authorized: Payment, staff: Any) -> None:
    body = {"action": "capture", "orders": [authorized.order.number]}
    narrow = key_of(staff_of("owner"), "orders.add_bulkjob", "fulfillment.ship_order")
    assert narrow.post(URL, body, format="json").status_code == 403
    staff.list_action([authorized.order], "change_many")
    page = f"/admin/orders/bulkjob/{BulkJob.objects.get().pk}/change/"
    assert "Capture payments" in staff.get(page).content.decode()
    assert staff.post(page, {"action": "capture"}).status_code == 302
    run_bulk()
    assert Order.objects.get().payment_status == "paid"
