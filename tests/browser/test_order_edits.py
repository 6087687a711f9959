"""A merchant changes an order in a real browser, on a desk and on a phone."""

from __future__ import annotations

import re

import pytest

from apps.orders.models import Order
from tests.browser.test_backoffice import PHONE, _fits, buyer, desk, order, shop

__all__ = ["buyer", "desk", "order", "shop"]

pytestmark = pytest.mark.browser


def test_an_order_is_changed_and_looked_at_before(desk, order, invariants):
    desk.goto(f"/admin/orders/order/{order.pk}/change/")
    desk.get_by_role("link", name="Change lines and shipping").click()
    desk.get_by_label("Mug (MUG)").fill("1")
    desk.get_by_label("Items to add").fill("BOOK 2")
    desk.set_viewport_size(PHONE)
    assert _fits(desk)
    desk.get_by_role("button", name="Change lines and shipping").click()
    desk.get_by_text("The draft is saved").wait_for()
    desk.set_viewport_size({"width": 1280, "height": 900})
    desk.get_by_role("link", name="Confirm the changes").click()
    assert desk.get_by_text(re.compile("Total: .* instead of")).is_visible()
    desk.get_by_role("button", name="Confirm the changes").click()
    desk.get_by_text("The order is changed.").wait_for()

    assert Order.objects.get(pk=order.pk).total == 1200 + 6000 + 495
