"""After the sale, in a real browser: from a draft by the phone to the provider's books.

`PICTURES` names a folder for screenshots of each step.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apps.checkout.models import Cart
from apps.core import outbox
from apps.customers.services.addresses import add_address
from apps.orders.models import Order
from apps.payments import services as payments
from apps.payments.models import ReconciliationDifference
from apps.payments.services.comparing import compare_payments
from tests.browser.test_backoffice import desk
from tests.flows.conftest import ADDRESS, simulator
from tests.flows.test_merchants_day import shop
from tests.flows.test_stripe import VISA
from tests.fulfillment.conftest import PRIORITY, _running, shipstation
from tests.payments.test_comparing import _refund_there

__all__ = ["_running", "desk", "shipstation", "shop", "simulator"]

pytestmark = pytest.mark.browser


class Day:
    """Clicks what staff click, and takes a picture of what they see then."""

    def __init__(self, page) -> None:
        self.page = page
        self.pictures = 0

    def open(self, obj) -> None:
        outbox.drain()
        meta = obj._meta
        self.page.goto(f"/admin/{meta.app_label}/{meta.model_name}/{obj.pk}/change/")

    def act(self, label: str, done: str, **fields: str) -> None:
        """Open a form by its button, fill it in by its labels, send it."""
        self.page.get_by_role("link", name=label, exact=True).first.click()
        for name, value in fields.items():
            field = self.page.locator(f"[name='{name}']")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        self.picture()
        self.press(label, done)

    def press(self, label: str, done: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).first.click()
        self.page.get_by_text(done).first.wait_for()
        self.picture()

    def picture(self) -> None:
        self.pictures += 1
        if folder := os.environ.get("PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{self.pictures:02}.png", full_page=True)


def test_from_a_draft_to_the_books(desk, shop, shopper, simulator, shipstation, invariants):
    day = Day(desk)
    add_address(customer=shopper.customer, data={**ADDRESS, "is_default_shipping": True})

    # By the phone: five mugs and a book.
    day.open(shopper.customer)
    day.act("New order", "The draft is made", items="MUG 5\nBOOK 1", store=shop.store.code)
    day.open(Cart.objects.get())
    desk.get_by_role("link", name="Address, shipping and note", exact=True).click()
    desk.locator("[name=shipping_method]").select_option("post")
    day.press("Address, shipping and note", "Done.")
    day.act("Place the order", "The order is placed.")
    order = Order.objects.get()
    assert (order.status, order.total) == ("confirmed", 6000 + 2000 + 495)

    # Paid by transfer: it is invoiced. A mug less: it goes back.
    day.open(order)
    day.press("Capture", "captured")
    day.open(order)
    desk.get_by_role("link", name="Change lines and shipping").click()
    desk.get_by_label("Mug (MUG)").fill("4")
    day.press("Change lines and shipping", "The draft is saved")
    day.act("Confirm the changes", "The order is changed.")
    outbox.drain()
    order.refresh_from_db()
    assert (order.total, order.refunded_amount) == (7295, 1200)
    assert list(order.invoices.order_by("pk").values_list("kind", "total")) == [
        ("invoice", 8495),
        ("credit_note", 8495),
        ("invoice", 7295),
    ]

    # Two shipments: the first leaves with a label, the other waits.
    day.open(order)
    day.press("Plan shipments", "The shipments are planned.")
    shipment, rest = order.fulfillments.order_by("pk")
    day.open(shipment)
    day.act("Buy labels", "The labels are bought.", service=PRIORITY)
    day.act("Ship", "The parcel is on its way.")
    day.press("Mark delivered", "Noted.")
    order.refresh_from_db()
    rest.refresh_from_db()
    assert (order.fulfillment_status, rest.status) == ("partially_fulfilled", "planned")

    # A mug comes back, a book is sent instead; the customer pays the rest by a link.
    day.open(order)
    mug = str(order.lines.get(sku="MUG").public_id)
    day.act(
        "Take back", "The return is there.", **{mug: "1", "reason": "does_not_fit"}, exchange="BOOK"
    )
    request = order.returns.get()
    day.open(request)
    day.press("Approve", "The return is approved.")
    day.act("Receive", "The return is received.", location=str(shop.near.pk))
    day.act("Inspect", "The return is inspected.")
    day.act("Refund", "The refund is on its way.", refund_to="original")
    request.refresh_from_db()
    replacement = request.replacement_order
    assert replacement is not None
    assert (replacement.total, replacement.status) == (2000, "pending")

    # The customer pays it by card; the provider knows of more than we do: a to-do.
    link = replacement.pay_links.get()
    payments.pay_by_link(link=link, gateway_code="stripe", method=VISA)
    outbox.drain()
    replacement.refresh_from_db()
    assert replacement.payment_status == "paid"
    _refund_there(replacement.payments.get(gateway="stripe"), 300)
    compare_payments()
    desk.goto("/admin/payments/reconciliationdifference/")
    day.picture()
    difference = ReconciliationDifference.objects.get()
    day.open(difference)
    day.act("Book what the provider says", "It is booked.")
    day.open(replacement)
    day.picture()
