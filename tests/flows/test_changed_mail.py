"""The mail that tells a customer that staff changed the order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.notifications.models import Notification
from apps.orders import services
from apps.orders.models import Order
from apps.orders.services import LineChange, OrderChanges
from apps.payments import services as payments
from tests.flows.conftest import ADDRESS, Buyer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

Drain = Callable[[], int]


@pytest.fixture
def order(buyer: Buyer, drain: Drain) -> Order:
    """Paid: two mugs and a book, 44.00 and 4.95 for the post."""
    buyer.fill(("MUG", 2), ("BOOK", 1))
    buyer.checkout()
    order = Order.objects.get()
    payments.capture_order(order=order)
    drain()
    order.refresh_from_db()
    return order


def line(order: Order, sku: str, **changes: int) -> LineChange:
    return LineChange(line=str(order.lines.get(sku=sku).public_id), **changes)


def mails(kind: str = "orders/changed") -> list[Notification]:
    return list(Notification.objects.filter(kind=kind).order_by("pk"))


def test_what_costs_more_comes_with_its_link_in_one_mail(order: Order, drain: Drain) -> None:
    changes = OrderChanges([line(order, "MUG", quantity=3), line(order, "BOOK", unit_price=2100)])
    services.edit_order(order=order, changes=changes, reason="As agreed by phone")
    drain()
    drain()

    [mail] = mails()
    assert mails("orders/pay_link") == []
    link = order.pay_links.get()
    for text in (mail.body_text, mail.body_html):
        assert "As agreed by phone" in text
        assert "3 × Mug, instead of 2" in text
        assert "1 × Book, €21.00 each instead of €20.00" in text
        assert "(before: €48.95)" in text
        assert "€13.00 are left to pay." in text
        assert link.token in text
    assert "New total: €61.95" in mail.body_text
    assert mail.subject == f"Main: your order {order.number} was changed"


def test_what_costs_less_tells_what_goes_back(order: Order, drain: Drain) -> None:
    services.cancel_lines(
        order=order, quantities={str(order.lines.get(sku="BOOK").public_id): 1}, reason="Sold out"
    )
    drain()
    [mail] = mails()
    assert "1 × Book is taken out" in mail.body_text
    assert "We give €20.00 back in the way you paid." in mail.body_text
    assert "left to pay" not in mail.body_text


def test_what_is_new_is_named(order: Order, drain: Drain) -> None:
    services.cancel_lines(order=order, quantities={str(order.lines.get(sku="BOOK").public_id): 1})
    added = OrderChanges([LineChange(sku="BOOK", quantity=2)])
    services.edit_order(order=order, changes=added)
    drain()
    assert "2 × Book is new, €20.00 each" in mails()[-1].body_text


def test_another_address_is_shown(order: Order, drain: Drain) -> None:
    changes = OrderChanges(shipping_address={**ADDRESS, "line1": "Calle Menor 2"})
    services.edit_order(order=order, changes=changes)
    drain()
    [mail] = mails()
    assert "Calle Menor 2" in mail.body_text
    assert "Billing address" not in mail.body_text
    assert "(before:" not in mail.body_text


def test_nothing_to_see_is_no_mail(order: Order, drain: Drain) -> None:
    services.edit_order(
        order=order,
        changes=OrderChanges([line(order, "MUG", quantity=2)], shipping_address=ADDRESS),
    )
    drain()
    assert (order.edits.count(), mails()) == (1, [])
