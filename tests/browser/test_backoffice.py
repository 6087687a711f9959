"""A merchant's day in a real browser: no error in the console, nothing blocked, nothing cut off."""

from __future__ import annotations

import re

import pytest

from apps.orders.models import Order
from apps.payments.models import Refund
from tests.factories.accounts import PASSWORD
from tests.flows.conftest import Buyer, buyer, shop

__all__ = ["buyer", "shop"]

pytestmark = pytest.mark.browser

PAYLOAD = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>'
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def order(buyer: Buyer) -> Order:
    buyer.fill(("MUG", 2), ("BOOK", 1), note=PAYLOAD)
    return Order.objects.get(number=buyer.checkout().json()["order"]["number"])


@pytest.fixture
def desk(page, merchant):
    """The page of a signed-in merchant; whatever its console complains about fails the test."""
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: message.type in ("error", "warning") and complaints.append(message.text),
    )
    page.goto("/admin/login/")
    page.get_by_label("E-mail").fill(merchant.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    yield page
    assert complaints == []


def _fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_merchants_day(desk, order, invariants):
    desk.goto("/admin/")
    desk.get_by_role("link", name="1 To ship").click()
    desk.wait_for_url(re.compile("todo=to_ship"))
    desk.get_by_role("link", name=order.number).click()

    desk.get_by_role("link", name="Add note").click()
    desk.get_by_label("Note").fill("Wrap it nicely")
    desk.get_by_role("button", name="Add note").click()
    desk.get_by_text("The note is on the timeline.").wait_for()
    assert desk.get_by_text("Wrap it nicely").is_visible()

    desk.get_by_role("button", name="Capture").click()
    desk.get_by_text("The payment is captured.").wait_for()

    desk.get_by_role("link", name="Ship", exact=True).click()
    desk.get_by_label("Carrier").fill("Correos")
    desk.get_by_label("Tracking number").fill("PQ123")
    desk.get_by_role("button", name="Ship").click()
    desk.get_by_text("The parcel is on its way.").wait_for()

    desk.get_by_role("link", name="Refund", exact=True).last.click()
    desk.get_by_label("Amount").fill("12.00")
    desk.get_by_label("Reason").fill("One mug is chipped")
    desk.get_by_role("button", name="Refund").click()
    desk.get_by_text("The refund is on its way.").wait_for()
    desk.wait_for_url(re.compile(r"/orders/order/\d+/change/"))

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("shipped", "partially_refunded")
    assert order.fulfillments.get().tracking_number == "PQ123"
    assert Refund.objects.get().amount == 1200
    assert desk.evaluate("window.owned") is None


def test_pages_fit_a_phone(desk, order):
    desk.set_viewport_size(PHONE)
    base = f"/admin/orders/order/{order.pk}"
    payment = order.payments.get()
    for address in (
        *("/admin/", "/admin/orders/order/", f"{base}/change/", f"{base}/do/ship/"),
        *(f"{base}/do/cancel/", f"/admin/payments/payment/{payment.pk}/change/"),
        *(f"/admin/payments/payment/{payment.pk}/do/void/", "/admin/checkout/cart/"),
    ):
        desk.goto(address)
        desk.wait_for_load_state("networkidle")
        assert _fits(desk), address


def test_a_list_is_filtered_searched_and_acted_upon(desk, order):
    desk.goto("/admin/orders/order/")
    desk.locator("#searchbar").fill("mug")
    desk.keyboard.press("Enter")
    desk.wait_for_url(re.compile("q=mug"))
    desk.locator("tbody input.action-select").first.check()
    desk.locator("select[name=action]").select_option("process")
    desk.get_by_role("button", name="Run").click()
    desk.get_by_text("Mark as processing: 1").wait_for()
    order.refresh_from_db()
    assert order.status == "processing"


def test_the_chart_is_drawn_and_has_its_figures_in_words(desk, order):
    desk.goto("/admin/?days=30")
    canvas = desk.get_by_role("img", name=re.compile("Sales by day"))
    assert canvas.bounding_box()["height"] > 100
    desk.get_by_text("As a table").click()
    assert desk.get_by_role("cell", name="€48.95").first.is_visible()
