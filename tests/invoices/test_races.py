"""Numbers under many hands, on PostgreSQL; and proof that the counter's lock is what holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from apps.core import outbox
from apps.invoices import services
from apps.invoices.models import Invoice, InvoiceSettings
from apps.orders.models import Order
from apps.payments.services import refund
from apps.products.models import Variant
from apps.stores.models import Sequence
from tests.flows.conftest import Buyer, Shop, build_shop
from tests.invoices.conftest import invoicing, paid
from tests.truths import untruths

pytestmark = pytest.mark.race
AtOnce = Callable[..., list[Any]]


@pytest.fixture
def orders(store: Any, transactional_db: None) -> list[Order]:
    """Eight paid orders that wait for their invoices."""
    invoicing(store, issue_on="manual")
    shop: Shop = build_shop(store)
    Variant.objects.filter(pk=shop.book.pk).update(requires_shipping=False)
    return [paid(Buyer(APIClient()), ("BOOK", 1)) for _number in range(8)]


def _truths() -> None:
    assert untruths() == {}


class Torn(Exception):
    pass


def test_numbers_have_no_gaps_whoever_issues_and_whatever_is_rolled_back(orders, at_once):
    def issue(number: int) -> str:
        with transaction.atomic():
            invoice = services.issue_invoice(order=orders[number % 8])
            if number >= 8 and invoice.order_id == orders[0].pk:
                raise Torn
            return invoice.number

    def act(number: int) -> Any:
        if number < 8:
            return issue(number)
        # Takes a number, and gives it back.
        with transaction.atomic():
            order = Order.objects.create(
                number=f"X-{number}",
                store=orders[0].store,
                email="x@example.com",
                currency="EUR",
                status="confirmed",
                subtotal=100,
                shipping=100,
                total=100,
                tax_included=True,
            )
            Order.objects.filter(pk=order.pk).update(subtotal=0)
            services.issue_invoice(order=order)
            raise Torn

    answers = at_once(16, act)
    assert sum(isinstance(answer, Torn) for answer in answers) == 8
    positions = Invoice.objects.order_by("position").values_list("position", flat=True)
    assert list(positions) == list(range(1, 9))
    _truths()


def test_an_order_is_invoiced_once_by_many(orders, at_once):
    answers = at_once(10, lambda number: services.issue_invoice(order=orders[0]).number)
    assert len(set(answers)) == 1
    assert Invoice.objects.count() == 1
    _truths()


def test_refunds_at_once_are_credited_once_each(orders, at_once):
    services.issue_invoice(order=orders[0])
    payment = orders[0].payments.get()
    given = [refund(payment=payment, amount=100 + number) for number in range(3)]

    def credit(number: int) -> None:
        services.credit_refund(refund_id=str(given[number % 3].public_id))

    answers = at_once(9, credit)
    assert set(answers) == {None}
    totals = orders[0].invoices.filter(kind="credit_note").values_list("total", flat=True)
    assert sorted(totals) == [100, 101, 102]
    outbox.drain()
    _truths()


def test_papers_of_both_kinds_never_wait_for_each_other(orders, at_once):
    """Half are issued anew (a note, then an invoice), half are issued with what was given back
    before (an invoice, then a note)."""
    for order in orders[:4]:
        services.issue_invoice(order=order)
    for order in orders[4:]:
        refund(payment=order.payments.get(), amount=100)

    def act(number: int) -> str:
        if number < 4:
            return services.reissue_invoice(order=orders[number], reason="Test").number
        return services.issue_invoice(order=orders[number]).number

    answers = at_once(8, act)
    assert {type(answer) for answer in answers} == {str}
    assert Invoice.objects.filter(kind="credit_note").count() == 8
    outbox.drain()
    _truths()


def test_a_counter_without_its_lock_gives_one_number_twice(orders, at_once):
    """The negative control: reading, adding and saving; the database refuses the second."""
    services.issue_invoice(order=orders[0])
    first = Invoice.objects.get()
    counter = Sequence.objects.get(kind=f"invoice:{first.year}")

    all_have_read = threading.Barrier(8)

    def issue(number: int) -> int:
        with transaction.atomic():
            last = Sequence.objects.get(pk=counter.pk).last + 1
            all_have_read.wait(timeout=30)
            Sequence.objects.filter(pk=counter.pk).update(last=last)
            return last

    assert at_once(8, issue) == [2] * 8
    found = untruths()["numbers of invoices and credit notes have no gaps"]
    assert found != []
    assert InvoiceSettings.objects.count() == 1
