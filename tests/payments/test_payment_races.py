"""Money wanted by many at once, on PostgreSQL: our books and the gateway's agree, and proof that
the lock is what holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from apps.checkout import services as checkout
from apps.core import outbox
from apps.core.errors import DomainError
from apps.core.invariants import violations
from apps.core.providers import provider
from apps.orders.models import Order
from apps.orders.services import cancel
from apps.payments import services
from apps.payments.gateways import gateway
from apps.payments.gateways.paypal.simulator import PayPalSimulator
from apps.payments.models import Capture, PayLink, Payment, Refund
from apps.payments.selectors import kept, payments_of, refundable
from apps.products.models import Variant
from tests.flows.conftest import ADDRESS, build_shop
from tests.truths import untruths

pytestmark = pytest.mark.race
AtOnce = Callable[..., list[Any]]


@pytest.fixture
def paypal(settings: Any) -> Iterator[PayPalSimulator]:
    with PayPalSimulator() as running:
        settings.PAYPAL_CLIENT_ID, settings.PAYPAL_CLIENT_SECRET = (
            running.client_id,
            running.client_secret,
        )
        settings.PAYPAL_API_BASE = running.url
        provider.cache_clear()
        yield running
    provider.cache_clear()


@pytest.fixture
def place(store: Any, transactional_db: None, paypal: PayPalSimulator, settings: Any) -> Any:
    """Orders of five books, 100.00, approved at PayPal."""
    shop = build_shop(store)
    Variant.objects.filter(pk=shop.book.pk).update(requires_shipping=False)

    def placed(intent: str = "CAPTURE", gateway: str = "paypal") -> Payment:
        settings.PAYPAL_INTENT = intent
        cart = checkout.create_cart(store=shop.store, lines=[("BOOK", 5)])
        changes = {"email": "ana@example.com", "shipping_address": ADDRESS}
        checkout.update_cart(cart=cart, changes=changes)
        choice = checkout.PaymentChoice(gateway, "", "https://shop.example/done")
        checkout.place_order(cart=cart, payment=choice)
        payment = Payment.objects.latest("pk")
        if gateway == "manual":
            return payment
        paypal.approve(payment.provider_id or "")
        services.look_again(order=payment.order)
        payment.refresh_from_db()
        return payment

    return placed


def _agree(paypal: PayPalSimulator) -> tuple[int, int]:
    """What our books say was taken and given back; PayPal's say the same."""
    state = paypal.state()
    theirs = [int(Decimal(state[n].get("EUR", "0")) * 100) for n in ("captured", "refunded")]
    ours = [
        sum(Payment.objects.values_list(f"{name}_amount", flat=True))
        for name in ("captured", "refunded")
    ]
    assert ours == theirs
    assert untruths() == {}
    return theirs[0], theirs[1]


def test_two_refunds_of_60_on_100(place: Any, paypal: PayPalSimulator, at_once: AtOnce) -> None:
    payment = place()
    answers = at_once(8, lambda number: services.refund(payment=payment, amount=6000))
    assert sum(isinstance(answer, Refund) for answer in answers) == 1
    assert sum(isinstance(answer, services.RefundTooLarge) for answer in answers) == 7
    assert _agree(paypal) == (10_000, 6_000)


def test_reading_then_writing_refunds_twice(place: Any, at_once: AtOnce) -> None:
    """The negative control: the same race is lost by code that reads, checks and writes."""
    payment = place()
    all_have_read = threading.Barrier(8)

    def refund(number: int) -> None:
        if refundable(payment) < 6000:
            raise services.RefundTooLarge()
        all_have_read.wait(timeout=30)
        Refund.objects.create(payment=payment, amount=6000)

    assert at_once(8, refund) == [None] * 8
    found = [line for lines in violations().values() for line in lines]
    assert found == [f"payment {payment.public_id}: {8 * 6000} of 10000"]


@pytest.mark.parametrize("amounts", [(None,), (6_000, 5_000)])
def test_captured_by_many_is_captured_once(
    place: Any, paypal: PayPalSimulator, at_once: AtOnce, amounts: tuple[int | None, ...]
) -> None:
    payment = place("AUTHORIZE")
    answers = at_once(
        8, lambda n: services.capture(payment=payment, amount=amounts[n % len(amounts)])
    )
    refused = [answer for answer in answers if not isinstance(answer, Payment)]
    assert all(isinstance(answer, DomainError) for answer in refused)
    taken, given = _agree(paypal)
    assert (taken in [amount or 10_000 for amount in amounts], given) == (True, 0)


@pytest.mark.parametrize("amounts", [(6_000, 5_000), (4_000, 5_000, 3_000), (3_000,)])
def test_captures_at_once_never_exceed_the_authorization(
    place: Any, paypal: PayPalSimulator, at_once: AtOnce, amounts: tuple[int, ...]
) -> None:
    """PayPal itself takes up to 115% of an authorization: our books are what holds."""
    payment = place("AUTHORIZE")
    paypal.world.overcapture = Decimal("1.15")
    for _round in range(3):
        answers = at_once(
            8, lambda n: services.capture(payment=payment, amount=amounts[n % len(amounts)])
        )
        refused = {type(each) for each in answers if not isinstance(each, Payment)}
        assert refused <= {services.NotCapturable, services.CaptureUnderWay}
        assert _agree(paypal)[0] <= 10_000
    assert _agree(paypal)[0] == sum(
        Capture.objects.filter(status="succeeded").values_list("amount", flat=True)
    )


def test_capture_without_our_books_exceeds_it(
    place: Any, paypal: PayPalSimulator, at_once: AtOnce
) -> None:
    """The negative control: asked directly, PayPal takes more than was authorized."""
    payment = place("AUTHORIZE")
    paypal.world.overcapture = Decimal("1.15")
    there = gateway("paypal")
    at_once(
        2,
        lambda n: there.capture(
            payment.provider_id or "", amount=(6_000, 5_000)[n], key=str(n), final=False
        ),
    )
    assert paypal.state()["captured"] == {"EUR": "110.00"}


@pytest.mark.parametrize("part", [4_000, None])
@pytest.mark.parametrize("code", ["paypal", "manual"])
def test_capture_against_void(
    place: Any, paypal: PayPalSimulator, at_once: AtOnce, code: str, part: int | None
) -> None:
    """One wins: what is captured isn't voided, what is voided isn't captured."""
    for _round in range(4):
        payment = place("AUTHORIZE") if code == "paypal" else place(gateway="manual")

        def act(number: int, payment: Payment = payment) -> Any:
            if number:
                return services.capture(payment=payment, amount=part)
            return services.void(payment=payment)

        at_once(2, act)
        services.reconcile(now=timezone.now() + timedelta(minutes=3))
        payment.refresh_from_db()
        taken = part or 10_000
        found = payment.status, payment.captured_amount
        assert found in {("voided", 0), ("captured", taken)}
        assert not payment.captures.filter(is_open=True).exists()
    if code == "paypal":
        _agree(paypal)


def test_capture_against_cancel(place: Any, paypal: PayPalSimulator, at_once: AtOnce) -> None:
    """Whoever is first: nothing is kept for a cancelled order."""
    for _round in range(4):
        payment = place("AUTHORIZE")

        def act(number: int, payment: Payment = payment) -> Any:
            if number:
                return services.capture(payment=payment)
            cancel(order=Order.objects.get(pk=payment.order_id))
            return outbox.drain()

        at_once(2, act)
        outbox.drain()
        services.settle(order=payment.order)
        payment.refresh_from_db()
        assert payment.captured_amount == payment.refunded_amount
        assert payment.status in ("voided", "captured")
    taken, given = _agree(paypal)
    assert taken == given


def test_settled_by_many_is_settled_once(
    place: Any, paypal: PayPalSimulator, at_once: AtOnce
) -> None:
    payment = place()
    order = payment.order
    Order.objects.filter(pk=order.pk).update(discount=3_000, total=7_000)
    order.lines.update(discount=3_000)
    answers = at_once(8, lambda number: services.settle(order=order))
    assert {type(answer) for answer in answers} == {services.Settlement}
    assert _agree(paypal) == (10_000, 3_000)

    Order.objects.filter(pk=order.pk).update(discount=1_000, total=9_000)
    order.lines.update(discount=1_000)
    answers = at_once(8, lambda number: services.settle(order=order))
    assert {answer.pay_link.pk for answer in answers} == {PayLink.objects.get().pk}
    paid = at_once(
        8, lambda n: services.pay_by_link(link=PayLink.objects.get(), gateway_code="manual")
    )
    assert Payment.objects.filter(gateway="manual").count() == 1, paid
    services.capture(payment=Payment.objects.get(gateway="manual"))
    assert kept(payments_of(order)) == Order.objects.get(pk=order.pk).total
    assert Order.objects.filter(total=F("captured_amount") - F("refunded_amount")).exists()


def test_refund_by_staff_against_settling(
    place: Any, paypal: PayPalSimulator, at_once: AtOnce
) -> None:
    """A favour of 60.00 and an edit that gives 60.00 back, in the same moment: 60.00 go back."""
    payment = place()
    order = payment.order
    Order.objects.filter(pk=order.pk).update(discount=6_000, total=4_000)
    order.lines.update(discount=6_000)

    def act(number: int) -> Any:
        if number % 2:
            return services.settle(order=order)
        return services.refund(payment=payment, amount=6_000)

    at_once(4, act)
    assert _agree(paypal) == (10_000, 6_000)
