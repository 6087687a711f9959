"""A shop that invoices what is paid, and who buys in it."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.core import outbox
from apps.invoices.models import InvoiceSettings
from apps.orders.models import Order
from apps.payments.services import capture
from apps.stores.models import Store
from apps.taxes.models import TaxSettings
from tests.flows.conftest import Buyer, Shop, build_shop

SELLER = {
    "legal_name": "Tazas y Libros S.L.",
    "street": "Calle del Pez 7",
    "postal_code": "28004",
    "city": "Madrid",
}


def invoicing(store: Store, issue_on: str = "paid", **values: Any) -> InvoiceSettings:
    """The store says who it is, and invoices."""
    Store.objects.filter(pk=store.pk).update(**SELLER)
    store.refresh_from_db()
    TaxSettings.objects.update_or_create(store=store, defaults={"vat_number": "ESB12345674"})
    return InvoiceSettings.objects.create(store=store, issue_on=issue_on, **values)


@pytest.fixture
def shop(store: Store) -> Shop:
    invoicing(store)
    return build_shop(store)


@pytest.fixture
def buyer(api: APIClient, shop: Shop) -> Buyer:
    return Buyer(api)


def ordered(buyer: Buyer, *lines: tuple[str, int], **changes: Any) -> Order:
    """A confirmed order, to be paid on account."""
    buyer.fill(*(lines or (("MUG", 2), ("BOOK", 1))), **changes)
    answer = buyer.checkout()
    assert answer.status_code == 201, answer.json()
    return Order.objects.get(number=answer.json()["order"]["number"])


def paid(buyer: Buyer, *lines: tuple[str, int], **changes: Any) -> Order:
    """An order that is paid, and whose events are delivered."""
    order = ordered(buyer, *lines, **changes)
    capture(payment=order.payments.get())
    outbox.drain()
    order.refresh_from_db()
    return order
