"""An order whose total changed: what was too much goes back, what is missing is paid by a link."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from apps.core.events import publish
from apps.orders.events import OrderEdited
from apps.orders.models import Order
from apps.orders.services import cancel
from apps.payments import services
from apps.payments.gateways.stripe.simulator import Fault, StripeSimulator
from apps.payments.models import PayLink, Payment, Refund
from apps.payments.selectors import due, kept, payments_of
from tests.factories.payments import issue
from tests.flows.conftest import Buyer, buyer, deliver, shop, simulator
from tests.flows.test_stripe import DECLINED, SECURE, VISA

__all__ = ["buyer", "deliver", "shop", "simulator"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

# A mug of 12.00 and 4.95 for the post.
PRICE = 1695
Drain = Callable[[], int]


def edit(order: Order, delta: int) -> Order:
    """What editing does to an order's sums, and tells."""
    with transaction.atomic():
        changed = {"total": F("total") + delta, "shipping": F("shipping") + delta}
        Order.objects.filter(pk=order.pk).update(**changed)
        publish(OrderEdited(str(order.public_id), order.number, delta, order.currency))
    order.refresh_from_db()
    return order


def sums(simulator: StripeSimulator) -> tuple[int, int]:
    state = simulator.state()
    return state["captured"].get("eur", 0), state["refunded"].get("eur", 0)


@pytest.fixture
def paid(buyer: Buyer, simulator: StripeSimulator) -> Order:
    """By card, all of it."""
    buyer.fill(("MUG", 1))
    assert buyer.checkout("stripe", method=VISA).status_code == 201
    return Order.objects.get()


def test_what_is_too_much_goes_back_once(
    paid: Order, simulator: StripeSimulator, drain: Drain
) -> None:
    edit(paid, -300)
    drain()
    services.settle(order=paid)
    drain()

    refund = Refund.objects.get()
    assert (refund.amount, refund.status, refund.is_settlement) == (300, "succeeded", True)
    assert sums(simulator) == (PRICE, 300)
    paid.refresh_from_db()
    assert paid.payment_status == "partially_refunded"
    assert not PayLink.objects.exists()


def test_the_last_payment_goes_back_first_and_cards_last(
    buyer: Buyer, simulator: StripeSimulator, drain: Drain
) -> None:
    """14.00 by gift card, 2.95 by card, then 3.05 more by a link: 8.00 of 20.00 go back."""
    buyer.fill(("MUG", 1))
    card = issue(1400)
    buyer.client.post(f"/api/v1/carts/{buyer.cart_id}/discounts/", {"code": card.code})
    buyer.checkout("stripe", method=VISA)
    order = edit(Order.objects.get(), 305)
    drain()
    services.pay_by_link(link=PayLink.objects.get(), gateway_code="stripe", method=VISA)
    edit(order, -800)
    drain()

    given = Refund.objects.order_by("pk").values_list("payment__gateway", "amount")
    assert list(given) == [("stripe", 305), ("stripe", 295), ("gift_card", 200)]
    card.card.refresh_from_db()
    assert card.card.balance == 200
    assert kept(payments_of(order)) == order.total


def test_a_lost_answer_is_finished_later_and_counts_as_gone(
    paid: Order, simulator: StripeSimulator, drain: Drain
) -> None:
    simulator.add_fault(Fault("/v1/refunds", "POST", drop_after_execute=True, times=2))
    edit(paid, -300)
    drain()
    assert Refund.objects.get().status == "pending"
    edit(paid, -150)
    drain()
    services.reconcile(now=timezone.now() + timedelta(minutes=3))

    assert sorted(Refund.objects.values_list("amount", "status")) == [
        (150, "succeeded"),
        (300, "succeeded"),
    ]
    assert sums(simulator) == (PRICE, 450)


def test_what_a_gateway_refuses_to_give_back_is_told_to_staff(
    paid: Order, simulator: StripeSimulator, drain: Drain
) -> None:
    simulator.dispute(Payment.objects.get().provider_id or "")
    edit(paid, -300)
    drain()

    assert Refund.objects.get().status == "failed"
    assert paid.timeline.filter(kind="refund_failed").count() == 1
    # Nothing is given back twice once it works again; staff decide.
    Order.objects.update(total=PRICE, shipping=495)


def test_a_smaller_order_captures_less(buyer: Buyer, drain: Drain) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("manual")
    order = edit(Order.objects.get(), -300)
    drain()
    services.capture(payment=Payment.objects.get())

    assert Payment.objects.get().captured_amount == PRICE - 300 == order.total


def test_an_authorization_that_nobody_needs_is_let_go(
    paid: Order, drain: Drain, buyer: Buyer
) -> None:
    edit(paid, 500)
    drain()
    services.pay_by_link(link=PayLink.objects.get(), gateway_code="manual")
    edit(paid, -500)
    drain()

    assert list(Payment.objects.order_by("pk").values_list("status", flat=True)) == [
        "captured",
        "voided",
    ]
    assert not Refund.objects.exists()


def test_a_favour_is_not_owed_again(paid: Order, simulator: StripeSimulator, drain: Drain) -> None:
    """5.00 given back by staff; then the order costs 2.00 more, and those are owed."""
    services.refund(payment=Payment.objects.get(), amount=500, reason="Late")
    edit(paid, 200)
    drain()

    paid.refresh_from_db()
    assert due(paid, payments_of(paid)) == 200


@hypothesis(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-900, 900), min_size=1, max_size=5))
def test_whatever_is_edited_the_customer_pays_the_total(buyer: Buyer, deltas: list[int]) -> None:
    """Without favours, what is kept or may be taken, and what is still owed, is the total."""
    with transaction.atomic():
        buyer.fill(("BOOK", 1))
        buyer.checkout("manual")
        order = Order.objects.latest("pk")
        services.capture(payment=order.payments.get())
        for delta in deltas:
            Order.objects.filter(pk=order.pk).update(
                total=order.total + delta, shipping=order.shipping + delta
            ) if order.shipping + delta >= 0 else None
            order.refresh_from_db()
            settled = services.settle(order=order)
            order.refresh_from_db()
            owed = due(order, payments_of(order))
            assert kept(payments_of(order)) + owed == order.total
            assert (settled.pay_link is not None) == (owed > 0)
            if owed and delta % 2:
                begun = services.pay_by_link(link=settled.pay_link, gateway_code="manual")
                services.capture(payment=begun)
        transaction.set_rollback(True)


def test_what_is_missing_is_paid_by_the_link(
    paid: Order, simulator: StripeSimulator, drain: Drain
) -> None:
    """The whole way of somebody with nothing but the mail, without JavaScript."""
    Order.objects.update(language="es")
    edit(paid, 500)
    drain()
    services.settle(order=paid)
    drain()
    link = PayLink.objects.get()
    [message] = [m for m in mail.outbox if link.token in m.body]
    visitor = Client()
    path = f"/pay/{link.token}/"
    page = visitor.get(path)

    assert "5,00 €" in message.subject.replace("\xa0", " ")
    assert page.context["amount"] == {"amount": "5.00", "currency": "EUR"}
    assert (page["Referrer-Policy"], page["X-Robots-Tag"]) == ("same-origin", "noindex")
    assert "no-store" in page["Cache-Control"]
    assert "Calle Mayor" not in page.content.decode()
    declined = visitor.post(path, {"pay_by": f"stripe:{DECLINED}"}, follow=True)
    assert declined.context["state"] == "payable"
    assert visitor.post(path, {"pay_by": f"stripe:{VISA}"})["Location"] == path
    assert visitor.get(path).context["state"] == "paid"
    assert sums(simulator) == (PRICE + 500, 0)
    paid.refresh_from_db()
    assert paid.payment_status == "paid"
    # Paying again takes nothing, and the link is closed in time.
    visitor.post(path, {"pay_by": f"stripe:{VISA}"})
    assert sums(simulator) == (PRICE + 500, 0)
    services.close_pay_links()
    assert PayLink.objects.get().state == "paid"


def test_the_banks_question_comes_back_to_the_link(
    paid: Order, simulator: StripeSimulator, drain: Drain
) -> None:
    edit(paid, 500)
    drain()
    path, visitor = f"/pay/{PayLink.objects.get().token}/", Client()
    page = visitor.post(path, {"pay_by": f"stripe:{SECURE}"}, follow=True)
    assert page.context["redirect_url"].startswith(simulator.url)
    # The order came to more meanwhile: the old attempt is ended, the new one is for all of it.
    edit(paid, 100)
    drain()
    visitor.post(path, {"pay_by": f"stripe:{SECURE}"})
    payment = Payment.objects.latest("pk")
    assert (payment.amount, payment.return_url) == (600, f"http://testserver{path}?returned=1")
    simulator.complete_action(payment.provider_id or "")
    assert visitor.get(f"{path}?returned=1")["Location"] == path
    assert visitor.get(path).context["state"] == "paid"


def test_the_gateways_own_form_is_reached_by_the_link(
    paid: Order, simulator: StripeSimulator, drain: Drain
) -> None:
    edit(paid, 500)
    drain()
    path, visitor = f"/pay/{PayLink.objects.get().token}/", Client()
    form = visitor.post(path, {"pay_by": "stripe:"})["Location"]
    page = visitor.get(form)
    assert form == f"{path}form/"
    assert f'data-return-url="http://testserver{path}?returned=1"' in page.content.decode()
    assert simulator.url in page["Content-Security-Policy"]


def test_what_is_agreed_on_is_not_called_paid(paid: Order, drain: Drain) -> None:
    edit(paid, 500)
    drain()
    path = f"/pay/{PayLink.objects.get().token}/"
    page = Client().post(path, {"pay_by": "manual:"}, follow=True)
    assert page.context["state"] == "agreed"


def test_a_link_that_is_over_pays_nothing(paid: Order, drain: Drain) -> None:
    edit(paid, 500)
    drain()
    link = PayLink.objects.get()
    visitor, path = Client(), f"/pay/{link.token}/"
    assert visitor.get("/pay/guess/").status_code == 404
    with time_machine.travel(timezone.now() + services.pay_links.LIFETIME):
        assert visitor.get(path).context["state"] == "closed"
        visitor.post(path, {"pay_by": "manual:"})
        with pytest.raises(services.PayLinkClosed):
            services.resend_pay_link(link=link)
        again = services.create_pay_link(order=paid)
    assert again.pk != link.pk
    services.revoke_pay_link(link=again)
    visitor.post(f"/pay/{again.token}/", {"pay_by": "manual:"})
    assert Payment.objects.count() == 1


def test_a_cancelled_order_closes_its_link(paid: Order, drain: Drain) -> None:
    edit(paid, 500)
    drain()
    cancel(order=paid)
    drain()
    link = PayLink.objects.get()
    assert link.state == "revoked"
    assert Client().get(f"/pay/{link.token}/").context["state"] == "closed"


def test_staff_send_resend_and_revoke(
    buyer: Buyer, simulator: StripeSimulator, as_merchant: Any, drain: Drain
) -> None:
    """For an order that was never paid; its stock is kept as long as the link."""
    buyer.fill(("MUG", 1))
    buyer.checkout("stripe")
    order = Order.objects.get()
    made = as_merchant.post(f"/api/v1/admin/orders/{order.number}/pay-links/")
    again = as_merchant.post(f"/api/v1/admin/orders/{order.number}/pay-links/")
    url = f"/api/v1/admin/pay-links/{made.json()['id']}/"
    sent = as_merchant.post(f"{url}resend/")
    drain()
    order.refresh_from_db()

    assert (made.status_code, made.json()["outstanding"]["amount"]) == (201, "16.95")
    assert again.json()["id"] == made.json()["id"]
    assert order.expires_at is not None
    assert order.expires_at > timezone.now() + timedelta(days=13)
    assert sent.status_code == 200
    assert len([m for m in mail.outbox if "/pay/" in m.body]) == 2
    assert as_merchant.post(f"{url}revoke/").json()["state"] == "revoked"
    assert as_merchant.post(f"{url}revoke/").json()["code"] == "pay_link_closed"
    order.refresh_from_db()
    assert order.expires_at < timezone.now() + timedelta(minutes=31)


def test_nothing_owed_has_no_link(paid: Order, as_merchant: Any) -> None:
    answer = as_merchant.post(f"/api/v1/admin/orders/{paid.number}/pay-links/")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_outstanding")
