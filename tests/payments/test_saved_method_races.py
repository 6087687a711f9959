"""One saved card wanted by many at once, on PostgreSQL, and proof that the lock is what holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F

from apps.checkout import services as checkout
from apps.core.invariants import violations
from apps.customers.models import Customer
from apps.orders.models import Order
from apps.payments import services
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.payments.models import Payment, SavedMethod
from apps.payments.selectors import due, kept, payments_of
from apps.payments.services.starting import Means, drive, write
from apps.products.models import Variant
from tests.factories.customers import CustomerFactory
from tests.flows.conftest import ADDRESS, Shop, build_shop, simulator

__all__ = ["simulator"]
pytestmark = pytest.mark.race
AtOnce = Callable[..., list[Any]]
VISA = "pm_card_visa"


@pytest.fixture
def customer(transactional_db: None) -> Customer:
    return CustomerFactory()


@pytest.fixture
def shop(store: Any, transactional_db: None) -> Shop:
    built = build_shop(store)
    Variant.objects.filter(pk=built.book.pk).update(requires_shipping=False)
    return built


@pytest.fixture
def place(shop: Shop, customer: Customer, simulator: StripeSimulator) -> Callable[..., Order]:
    """Orders of a book, 20.00, paid by a card that is kept."""

    def placed(method: str = VISA) -> Order:
        cart = checkout.create_cart(store=shop.store, customer=customer, lines=[("BOOK", 1)])
        changes = {"email": "ana@example.com", "shipping_address": ADDRESS}
        checkout.update_cart(cart=cart, changes=changes)
        choice = checkout.PaymentChoice("stripe", method, save_method=True)
        return checkout.place_order(cart=cart, payment=choice).order

    return placed


@pytest.fixture
def owing(place: Callable[..., Order]) -> Order:
    """5.00 more than was paid."""
    order = place()
    Order.objects.filter(pk=order.pk).update(total=F("total") + 500, shipping=F("shipping") + 500)
    return order


def _broken() -> list[str]:
    return [line for lines in violations().values() for line in lines]


def _taken(simulator: StripeSimulator) -> int:
    return int(simulator.state()["captured"].get("eur", 0))


def test_charged_by_many_is_charged_once(
    owing: Order, simulator: StripeSimulator, at_once: AtOnce
) -> None:
    answers = at_once(8, lambda number: services.charge_saved(order=owing))
    charged = [answer for answer in answers if isinstance(answer, Payment)]
    refused = [answer for answer in answers if not isinstance(answer, Payment)]
    assert [payment.captured_amount for payment in charged] == [500]
    assert {type(answer) for answer in refused} <= {
        services.PaymentPending,
        services.NothingOutstanding,
    }
    assert _taken(simulator) == 2500 == kept(payments_of(owing))
    assert _broken() == []


def test_reading_then_charging_charges_twice(
    owing: Order, simulator: StripeSimulator, at_once: AtOnce
) -> None:
    """The negative control: the same race is lost by code that reads, checks and writes."""

    all_have_read = threading.Barrier(4)

    def charge(number: int) -> Payment:
        order = Order.objects.get(pk=owing.pk)
        amount = due(order, payments_of(order))
        if not amount:
            raise services.NothingOutstanding()
        all_have_read.wait(timeout=30)
        means = Means.of_saved(SavedMethod.objects.get(), is_off_session=True)
        with transaction.atomic():
            payment = write(order=order, means=means, amount=amount)
        return drive(payment)

    at_once(4, charge)
    assert _taken(simulator) == 2000 + 4 * 500
    assert len(_broken()) == 1


def test_charged_by_staff_and_paid_by_the_customer_at_once(
    owing: Order, simulator: StripeSimulator, at_once: AtOnce
) -> None:
    """Whoever is first pays it; whoever comes second finds it paid."""
    saved = SavedMethod.objects.get().public_id

    def act(number: int) -> Any:
        if number % 2:
            return services.charge_saved(order=owing)
        return services.start_payment(order=owing, saved_method=saved)

    at_once(6, act)
    assert _taken(simulator) == 2500 == kept(payments_of(owing))
    assert _broken() == []


def test_two_first_cards_make_one_customer(
    place: Callable[..., Order], simulator: StripeSimulator, at_once: AtOnce
) -> None:
    cards = (VISA, "pm_card_mastercard")
    answers = at_once(2, lambda number: place(cards[number]))
    for order in Order.objects.all():
        services.look_again(order=order)
    assert simulator.state()["customers"] == 1, answers
    customers = set(SavedMethod.objects.values_list("provider_customer", flat=True))
    assert (SavedMethod.objects.count(), len(customers)) == (2, 1)
    assert _broken() == []


def test_many_defaults_at_once_are_one(place: Callable[..., Order], at_once: AtOnce) -> None:
    for card in (VISA, "pm_card_mastercard"):
        place(card)
    methods = list(SavedMethod.objects.order_by("pk"))
    at_once(8, lambda n: services.set_default_method(method=methods[n % 2], is_default=True))
    assert SavedMethod.objects.filter(is_default=True).count() == 1
    assert _broken() == []


def test_removed_by_many_is_removed_once(
    place: Callable[..., Order], simulator: StripeSimulator, at_once: AtOnce
) -> None:
    place()
    method = SavedMethod.objects.get()
    answers = at_once(4, lambda number: services.remove_method(method=method))
    assert answers == [None] * 4
    assert not SavedMethod.objects.exists()
