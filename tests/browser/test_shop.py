"""The shop in a phone's browser with JavaScript switched off, and by keyboard alone."""

from __future__ import annotations

import re

import pytest
from django.db.models import F
from playwright.sync_api import expect

from apps.orders.models import Order
from apps.payments.models import SavedMethod
from apps.payments.services import look_again, settle
from apps.storefront.services.listing import rebuild
from tests.factories.accounts import PASSWORD
from tests.flows.conftest import build_shop, paypal, simulator
from tests.shop.conftest import visitor
from tests.shop.test_checkout import pay, ready
from tests.shop.test_paying import confirm

__all__ = ["paypal", "ready", "simulator", "visitor"]
pytestmark = pytest.mark.browser


@pytest.fixture
def goods(store):
    built = build_shop(store)
    rebuild(product_ids=[built.mug.product_id, built.book.product_id])
    return built


@pytest.fixture
def phone(browser, live_server):
    """A narrow window without scripts; no page of it may be wider than it."""
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": 390, "height": 844},
        java_script_enabled=False,
        locale="en-GB",
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def fits(phone) -> bool:
    """Whether the page can't be scrolled sideways."""
    return phone.evaluate("document.documentElement.scrollWidth") <= 390


def fill_cart(page, *, narrow: bool = True) -> None:
    page.goto("/")
    page.get_by_label("Search products").fill("mug")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Mug").click()
    assert not narrow or fits(page)
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Put into the cart").click()
    assert not narrow or fits(page)


def fill_address(page) -> None:
    for label, value in {
        "E-mail": "ana@example.com",
        "First name": "Ana",
        "Last name": "García",
        "Street and number": "Calle Mayor 1",
        "Postal code": "28013",
        "Town": "Madrid",
    }.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Province").select_option("M")
    page.get_by_role("button", name="Go on to delivery").click()


def test_shopper_without_scripts_orders_and_pays(phone, goods, simulator):
    fill_cart(phone)
    phone.get_by_role("link", name="To the checkout").click()
    phone.get_by_role("button", name="Go on to delivery").click()
    assert phone.get_by_role("alert").get_by_role("link").count() == 6
    assert fits(phone)
    fill_address(phone)
    phone.get_by_label("Post").check()
    phone.get_by_role("button", name="Go on to payment").click()
    assert fits(phone)
    phone.get_by_label("Test card that asks for 3-D Secure").check()
    phone.get_by_role("button", name="Order with obligation to pay").click()
    phone.get_by_role("link", name="Go on and confirm the payment").click()
    phone.get_by_role("button", name="Authorise").click()
    phone.wait_for_url(re.compile(r"/orders/WEB-"))
    assert phone.get_by_role("heading", level=1).inner_text() == "Thank you for your order"
    assert fits(phone)
    order = Order.objects.get()
    assert (order.payment_status, order.total) == ("paid", 2895)


def test_shopper_without_scripts_pays_at_paypal_and_the_rest_by_a_link(phone, goods, paypal):
    fill_cart(phone)
    phone.get_by_role("link", name="To the checkout").click()
    fill_address(phone)
    phone.get_by_label("Post").check()
    phone.get_by_role("button", name="Go on to payment").click()
    phone.get_by_label("PayPal").check()
    phone.get_by_role("button", name="Order with obligation to pay").click()
    phone.get_by_role("link", name="Go on and confirm the payment").click()
    phone.get_by_role("button", name="Pay", exact=True).click()
    phone.wait_for_url(re.compile(r"/orders/WEB-"))
    assert phone.get_by_role("heading", level=1).inner_text() == "Thank you for your order"
    Order.objects.update(total=F("total") + 500, shipping=F("shipping") + 500)
    link = settle(order=Order.objects.get()).pay_link
    phone.goto(f"/pay/{link.token}/")
    assert phone.get_by_role("heading", level=1).inner_text() == "Pay €5.00"
    assert fits(phone)
    phone.get_by_label("PayPal").check()
    phone.get_by_role("button", name="Pay", exact=True).click()
    phone.get_by_role("link", name="Go on and confirm the payment").click()
    phone.get_by_role("button", name="Pay", exact=True).click()
    phone.wait_for_url(re.compile(r"/pay/"))
    assert phone.get_by_role("heading", level=1).inner_text() == "Order WEB-1 is paid"
    assert Order.objects.get().payment_status == "paid"


def test_shopper_without_scripts_saves_a_card_and_pays_by_it(phone, goods, simulator, shopper):
    phone.goto("/account/sign-in/")
    phone.get_by_label("E-mail").fill(shopper.email)
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    for card in ("Test card that pays", "Visa •••• 4242, valid until 12/34"):
        fill_cart(phone)
        phone.get_by_role("link", name="To the checkout").click()
        fill_address(phone)
        phone.get_by_label("Post").check()
        phone.get_by_role("button", name="Go on to payment").click()
        phone.get_by_label(card).check()
        if card.startswith("Test"):
            phone.get_by_label("Save this card for next time").check()
        assert fits(phone)
        phone.get_by_role("button", name="Order with obligation to pay").click()
        phone.wait_for_url(re.compile(r"/orders/WEB-"))
        heading = phone.get_by_role("heading", level=1)
        assert heading.inner_text() == "Thank you for your order"
    assert Order.objects.filter(payment_status="paid").count() == 2
    phone.goto("/account/")
    phone.get_by_role("link", name="My saved cards").click()
    assert fits(phone)
    phone.get_by_role("button", name="Remove").click()
    expect(phone.get_by_text("Visa •••• 4242 is removed.")).to_be_visible()
    assert not SavedMethod.objects.exists()


def pay_by_card(page, number: str) -> None:
    for label, value in {
        "Card number": number,
        "Expiry date": "12/34",
        "Security code": "123",
    }.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Pay €28.95").click()


def test_card_is_asked_for_by_the_gateways_script(page, goods, simulator):
    """The script is the simulator's stand-in; the policy, the intent and the way back are real."""
    fill_cart(page, narrow=False)
    page.get_by_role("link", name="To the checkout").click()
    fill_address(page)
    page.get_by_label("Post").check()
    page.get_by_role("button", name="Go on to payment").click()
    page.get_by_label("Card, Apple Pay, Google Pay and more").check()
    page.get_by_role("button", name="Order with obligation to pay").click()
    page.wait_for_url("**/pay/?token=*")
    pay_by_card(page, "4000 0000 0000 0002")
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    pay_by_card(page, "4000 0000 0000 3220")
    page.get_by_role("button", name="Fail").click()
    page.wait_for_url(re.compile(r"/orders/WEB-"))
    page.get_by_label("Card, Apple Pay, Google Pay and more").check()
    page.get_by_role("button", name="Pay").click()
    pay_by_card(page, "4000 0000 0000 3220")
    page.get_by_role("button", name="Authorise").click()
    page.wait_for_url(re.compile(r"/orders/WEB-"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your order")
    order = Order.objects.get()
    assert (order.payment_status, order.total, order.payments.count()) == ("paid", 2895, 1)


def test_page_that_waits_shows_what_was_decided(page, ready, simulator):
    address = pay(ready, "stripe:")["Location"].replace("pay/", "")
    page.goto(f"{address}&checking=1")
    expect(page.locator("#wait")).to_contain_text("Your payment is being confirmed.")
    confirm(simulator)
    look_again(order=Order.objects.get())
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your order")


def test_shop_is_reached_by_keyboard(page, goods):
    page.goto("/products/mug/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert "Put into the cart" in reached
    page.get_by_role("button", name="Put into the cart").press("Enter")
    page.wait_for_url("**/cart/")
    page.goto("/")
    # Cookies are asked about first, until somebody has answered; and not again.
    asking = _reached_by_tab(page, 4)
    assert asking == ["Skip to the content", "Accept all", "Refuse all", "Choose"]
    page.get_by_role("button", name="Refuse all").press("Enter")
    page.wait_for_load_state()
    page.goto("/")
    names = _reached_by_tab(page, 7)
    assert names[:3] == ["Skip to the content", "Main", ""]
    assert names[3:5] == ["Search", "Sign in"]
    assert names[5].endswith("Wishlist")
    assert names[6].startswith("Cart")


def _reached_by_tab(page, times):
    """The texts of what the key leads to."""
    names = []
    for _ in range(times):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent.trim()").split("\n")[0])
    return names


def test_language_and_currency_are_chosen_by_keyboard(page, goods):
    page.goto("/")
    page.locator(".choice summary").press("Enter")
    page.get_by_role("button", name="Español").press("Enter")
    page.wait_for_load_state()
    assert page.locator("html").get_attribute("lang") == "es"
