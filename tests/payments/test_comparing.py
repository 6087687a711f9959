"""Our books beside the gateways': what both have missed is a to-do, and closes itself."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from apps.core.remote import CalledInTransaction, _local
from apps.orders.models import Order
from apps.payments import services
from apps.payments.gateways import gateway
from apps.payments.gateways.simulation.faults import Fault
from apps.payments.models import Payment, PaymentEntry, ReconciliationDifference, Refund
from tests.backoffice.conftest import messages_of, staff, viewer
from tests.flows.conftest import Buyer, buyer, paypal, shop, simulator
from tests.payments.gateways import Bench, PayPalBench, StripeBench

__all__ = ["buyer", "paypal", "shop", "simulator", "staff", "viewer"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

PRICE = 1695
BACK = "https://shop.example/done"
_open = ReconciliationDifference.objects.filter(is_open=True)


@pytest.fixture(params=["stripe", "paypal"])
def bench(request: Any) -> Bench:
    _local.clear()
    if request.param == "stripe":
        return StripeBench(request.getfixturevalue("simulator"))
    return PayPalBench(request.getfixturevalue("paypal"))


@pytest.fixture
def stripe(simulator: Any) -> Bench:
    _local.clear()
    return StripeBench(simulator)


def _pay(bench: Bench, buyer: Buyer) -> Payment:
    buyer.fill(("MUG", 1))
    assert buyer.checkout(bench.code, method=bench.good(), return_url=BACK).status_code == 201
    payment = Payment.objects.latest("pk")
    if payment.status != "captured":
        bench.approve(payment)
        services.look_again(order=payment.order)
    payment.refresh_from_db()
    assert (payment.status, payment.captured_amount) == ("captured", PRICE)
    return payment


def _refund_there(payment: Payment, amount: int) -> None:
    """At the provider's dashboard; no webhook comes."""
    gateway(payment.gateway).refund(
        payment.provider_id or "", amount=amount, reason="", key=f"dashboard-{amount}"
    )


def _forget(payment: Payment) -> None:
    """We missed that it was captured: as if neither answer nor webhook had come."""
    PaymentEntry.objects.filter(payment=payment)._raw_delete("default")
    old = timezone.now() - timedelta(days=16)
    Payment.objects.filter(pk=payment.pk).update(
        status="requires_action", captured_amount=0, authorized_amount=0, created_at=old
    )
    Order.objects.filter(pk=payment.order_id).update(
        captured_amount=0, authorized_amount=0, payment_status="unpaid"
    )


def _sums(rows: Any) -> list[tuple[str, int, int]]:
    return list(rows.order_by("pk").values_list("kind", "ours", "theirs"))


def test_books_that_agree_have_nothing_to_do(bench: Bench, buyer: Buyer) -> None:
    payment = _pay(bench, buyer)
    services.refund(payment=payment, amount=500)
    done = services.compare_payments()
    assert (done.asked, done.found, done.unanswered) == (1, [], 0)
    # By the clock once a night.
    assert services.compare_due().asked == 0
    tomorrow = timezone.now() + timedelta(hours=21)
    assert services.compare_due(now=tomorrow).asked == 1
    assert not ReconciliationDifference.objects.exists()


def test_refund_at_the_dashboard_is_a_to_do_until_it_is_booked(bench: Bench, buyer: Buyer) -> None:
    payment = _pay(bench, buyer)
    _refund_there(payment, 500)
    for _ in range(2):
        assert len(services.compare_payments().found) == 1
    assert _sums(_open) == [("refunded", 0, 500)]
    _refund_there(payment, 200)
    services.compare_payments()
    assert _sums(ReconciliationDifference.objects.all()) == [("refunded", 0, 700)]

    # The webhook comes at last; the row closes itself, however old the payment is.
    services.apply_state(
        payment=payment, state=gateway(payment.gateway).fetch(payment.provider_id or "")
    )
    Payment.objects.update(updated_at=timezone.now() - timedelta(days=99))
    assert services.compare_payments().closed == 1
    assert ReconciliationDifference.objects.get().status == "equal"
    assert services.compare_payments().asked == 0


def test_capture_that_we_missed_is_booked_by_staff(bench: Bench, buyer: Buyer) -> None:
    payment = _pay(bench, buyer)
    _forget(payment)
    services.compare_payments()
    assert _sums(_open) == [("captured", 0, PRICE)]
    row = services.adopt_difference(difference=_open.get())
    assert (row.status, row.closed_at is not None) == ("equal", True)
    payment.refresh_from_db()
    assert (payment.status, payment.captured_amount) == ("captured", PRICE)
    assert Order.objects.get().payment_status == "paid"
    with pytest.raises(services.DifferenceClosed):
        services.adopt_difference(difference=row)


def test_payments_under_way_are_the_reconcilers(bench: Bench, buyer: Buyer) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout(bench.code, method=bench.asking(), return_url=BACK)
    bench.approve(Payment.objects.get())
    assert services.compare_payments().asked == 0


def test_authorization_that_lapsed(buyer: Buyer, paypal: Any, settings: Any) -> None:
    settings.PAYPAL_INTENT = "AUTHORIZE"
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url=BACK)
    payment = Payment.objects.get()
    paypal.approve(payment.provider_id or "")
    services.look_again(order=payment.order)
    assert services.compare_payments().found == []
    gateway("paypal").void(payment.provider_id or "", key="at-the-dashboard")
    services.compare_payments()
    assert _sums(_open) == [("authorized", PRICE, 0)]
    services.adopt_difference(difference=_open.get())
    payment.refresh_from_db()
    assert payment.status == "voided"


def test_refund_under_way_is_no_difference(stripe: Bench, buyer: Buyer) -> None:
    payment = _pay(stripe, buyer)
    stripe.simulator.add_fault(Fault("/v1/refunds", drop_after_execute=True, times=2))
    assert services.refund(payment=payment, amount=500).status == "pending"
    assert stripe.sums() == (PRICE, 500)
    assert services.compare_payments().found == []
    services.finish_refund(refund=Refund.objects.get())
    assert services.compare_payments().found == []


def test_resolved_stays_resolved_until_the_sums_change(stripe: Bench, buyer: Buyer) -> None:
    payment = _pay(stripe, buyer)
    _refund_there(payment, 500)
    services.compare_payments()
    with pytest.raises(services.NoteMissing):
        services.resolve_difference(difference=_open.get(), note=" ")
    row = services.resolve_difference(difference=_open.get(), note="Booked by hand.")
    assert (row.status, row.note) == ("resolved", "Booked by hand.")
    with pytest.raises(services.DifferenceClosed):
        services.resolve_difference(difference=row, note="again")
    services.compare_payments()
    assert not _open.exists()
    _refund_there(payment, 100)
    services.compare_payments()
    assert _sums(_open) == [("refunded", 0, 600)]


def test_another_payment_and_none_at_all(stripe: Bench, buyer: Buyer) -> None:
    other, payment = _pay(stripe, buyer), _pay(stripe, buyer)
    Payment.objects.filter(pk=payment.pk).update(provider_id="pi_nobodys")
    Payment.objects.filter(pk=other.pk).update(provider_id=payment.provider_id)
    services.compare_payments()
    assert _sums(_open) == [("mismatch", PRICE, PRICE), ("missing", PRICE, 0)]
    for row in _open.order_by("pk"):
        with pytest.raises((services.WrongPayment, services.StillDifferent)):
            services.adopt_difference(difference=row)
    Payment.objects.filter(pk=other.pk).update(provider_id=other.provider_id)
    assert services.compare_payments().closed == 1


def test_less_there_than_here_is_not_undone(stripe: Bench, buyer: Buyer) -> None:
    payment = _pay(stripe, buyer)
    refund = services.refund(payment=payment, amount=500)
    stripe.simulator.finish_refund(refund.provider_id, "failed")
    services.compare_payments()
    assert _sums(_open) == [("refunded", 500, 0)]
    with pytest.raises(services.StillDifferent):
        services.adopt_difference(difference=_open.get())


def test_who_does_not_answer_is_left_alone(stripe: Bench, buyer: Buyer) -> None:
    for _ in range(3):
        payment = _pay(stripe, buyer)
    _refund_there(payment, 500)
    stripe.simulator.add_fault(Fault("/v1/payment_intents", status=503, times=99))
    done = services.compare_payments()
    assert (done.asked, done.unanswered, done.found) == (0, 3, [])
    assert services.compare_payments().unanswered == 3
    # Five failures opened the breaker: nobody asks for a while.
    before = stripe.simulator.faults()
    assert services.compare_payments().unanswered == 3
    assert stripe.simulator.faults() == before
    stripe.simulator.clear_faults()
    _local.clear()
    cache.clear()
    assert len(services.compare_payments().found) == 1


def test_who_moves_meanwhile_waits_for_another_night(
    stripe: Bench, buyer: Buyer, monkeypatch: Any
) -> None:
    payment = _pay(stripe, buyer)
    kind = type(gateway("stripe"))
    plain = kind.fetch

    def slow(self: Any, provider_id: str) -> Any:
        answer = plain(self, provider_id)
        monkeypatch.setattr(kind, "fetch", plain)
        services.refund(payment=payment, amount=500)
        return answer

    monkeypatch.setattr(kind, "fetch", slow)
    services.compare_payments()
    assert not ReconciliationDifference.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_gateway_is_asked_within_a_transaction(stripe: Bench, buyer: Buyer) -> None:
    _pay(stripe, buyer)
    with transaction.atomic(), pytest.raises(CalledInTransaction):
        services.compare_payments()


def test_command_tells_and_a_dry_run_writes_nothing(stripe: Bench, buyer: Buyer) -> None:
    payment = _pay(stripe, buyer)
    _refund_there(payment, 500)
    out = StringIO()
    call_command("reconcile_payments", "--dry-run", "--days", "2", stdout=out)
    number = payment.order.number
    assert out.getvalue().splitlines() == [
        f"{number} stripe {payment.provider_id}: refunded 0.00 EUR, there 5.00",
        "1 compared, 1 differences, 0 equal again, 0 without an answer.",
    ]
    assert not ReconciliationDifference.objects.exists()
    call_command("reconcile_payments", stdout=out)
    assert _open.count() == 1


def test_staff_resolve_in_the_back_office(
    stripe: Bench, buyer: Buyer, staff: Any, viewer: Any
) -> None:
    payment = _pay(stripe, buyer)
    for amount in (500, 100):
        _refund_there(payment, amount)
        services.compare_payments()
    row = _open.get()
    assert "Differences with providers" in staff.get("/admin/").content.decode()
    listed = staff.get("/admin/payments/reconciliationdifference/?status__exact=open")
    assert "€6.00" in listed.content.decode()
    assert viewer.do(row, "resolve", note="x").status_code == 403
    assert "Book what the provider says" in staff.page(row)
    assert staff.do(row, "resolve", note="Goodwill, by phone").status_code == 302
    row.refresh_from_db()
    assert (row.status, row.decided_by) == ("resolved", "merchant@example.com")
    _refund_there(payment, 50)
    services.compare_payments()
    done = staff.do(_open.get(), "adopt")
    assert messages_of(done)[-1] == "It is booked."
    assert Payment.objects.get().refunded_amount == 650
