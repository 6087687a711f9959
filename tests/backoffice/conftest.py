"""Staff in the back office, and an order that waits for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import models
from django.test import Client

from apps.accounts.models import User
from apps.orders.models import Order
from apps.payments.models import Payment
from tests.flows.conftest import Buyer, Shop, buyer, shop, simulator

__all__ = ["buyer", "shop", "simulator"]


class Staff(Client):
    """A browser in which somebody is signed in, and what a person does with it."""

    def do(self, obj: models.Model, action: str, **data: Any) -> Any:
        """POST an action's form (or its button) as its page would; a fresh page each time."""
        return self.post(address(obj, action), {"once": str(uuid4()), **data})

    def list_action(self, rows: list[models.Model], action: str) -> Any:
        opts = rows[0]._meta
        data = {"action": action, "_selected_action": [row.pk for row in rows]}
        return self.post(f"/admin/{opts.app_label}/{opts.model_name}/", data, follow=True)

    def page(self, obj: models.Model) -> str:
        response = self.get(address(obj, "change"))
        assert response.status_code == 200
        return response.content.decode()


def address(obj: models.Model, action: str = "change") -> str:
    page = f"/admin/{obj._meta.app_label}/{obj._meta.model_name}/{obj.pk}"
    return f"{page}/change/" if action == "change" else f"{page}/do/{action}/"


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.wsgi_request._messages]


def _signed_in(user: User) -> Staff:
    client = Staff()
    client.force_login(user)
    return client


@pytest.fixture
def staff(merchant: User) -> Staff:
    return _signed_in(merchant)


@pytest.fixture
def viewer(readonly_staff: User) -> Staff:
    return _signed_in(readonly_staff)


@pytest.fixture
def order(buyer: Buyer, shop: Shop) -> Order:
    """Confirmed, authorized and not captured: 2 mugs and 1 book, 44.00 + 4.95."""
    buyer.fill(("MUG", 2), ("BOOK", 1), note="Ring twice")
    answer = buyer.checkout().json()
    return Order.objects.get(number=answer["order"]["number"])


@pytest.fixture
def payment(order: Order) -> Payment:
    return order.payments.get()


@pytest.fixture
def paid(staff: Staff, payment: Payment) -> Payment:
    staff.do(payment, "capture")
    payment.refresh_from_db()
    return payment


@pytest.fixture
def many_orders(order: Order) -> Callable[[int], None]:
    """Fills up to `n` orders with lines and payments, as rows and without their journeys."""

    def fill(n: int) -> None:
        lines = list(order.lines.all())
        for i in range(Order.objects.count(), n):
            copy = Order.objects.get(pk=order.pk)
            copy.pk, copy.number, copy.source = None, f"X-{i}", None
            copy.public_id, copy.token = uuid4(), f"token-{i}"
            copy._state.adding = True
            copy.save()
            for line in lines:
                line.pk, line.public_id, line.order = None, uuid4(), copy
                line._state.adding = True
                line.save()
            Payment.objects.create(
                order=copy,
                gateway="manual",
                provider_id=f"m-{i}",
                currency="EUR",
                amount=copy.total,
                authorized_amount=copy.total,
                status=Payment.Status.AUTHORIZED,
            )

    return fill
