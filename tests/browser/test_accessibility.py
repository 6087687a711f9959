"""Every page of the shop: WCAG 2.1 A and AA by axe-core, and no scrolling sideways on a phone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from apps.inventory.services import receive
from apps.pricing.services import set_price
from apps.products.models import Product
from apps.products.services.images import add_image
from apps.products.services.options import choose_options
from apps.reviews.services import approve_review, vote_helpful
from apps.storefront.services.listing import rebuild
from commerce.demo.pictures import draw
from tests.browser.test_shop import fill_address, fill_cart, goods
from tests.factories.products import CategoryFactory, VariantFactory
from tests.factories.reviews import ReviewFactory
from tests.flows.conftest import simulator

__all__ = ["goods", "simulator"]
pytestmark = pytest.mark.browser
AXE = "axe-core@4.14.1"
FOLDER = Path(__file__).resolve().parents[2] / "build" / "axe"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
RUN = f"""axe.run(document, {{runOnly: {RULES}, resultTypes: ["violations"]}}).then(found =>
    found.violations.map(v => v.id + ": " + v.nodes.map(n => n.html).slice(0, 3).join(" | ")))"""


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, from npm; without npm the test is skipped, but not in the gate."""
    file = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        if shutil.which("npm") is None and not os.environ.get("CI"):
            pytest.skip("npm isn't installed.")
        FOLDER.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--silent", "--no-save", "--no-audit", "--no-fund"]
        subprocess.run([*npm, "--prefix", str(FOLDER), AXE], check=True)
    return file.read_text()


class Auditor:
    """Looks at pages in both widths, and in both directions of reading."""

    def __init__(self, page, axe: str) -> None:
        self.page, self.axe = page, axe
        self.problems: list[str] = []

    def go(self, path: str) -> None:
        self.page.goto(path)
        self.look(path)

    def look(self, name: str) -> None:
        page = self.page
        for width, height in ((1280, 900), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(self.axe)
            self.problems += [f"{name} at {width}: {found}" for found in page.evaluate(RUN)]
        for direction in ("ltr", "rtl"):
            page.evaluate(f"document.documentElement.dir = '{direction}'")
            found = page.evaluate("document.documentElement.scrollWidth")
            if found > 390:
                self.problems.append(f"{name} in {direction}: {found} px wide")
        page.evaluate("document.documentElement.dir = 'ltr'")


@pytest.fixture
def auditor(page, axe):
    found = Auditor(page, axe)
    yield found
    assert found.problems == []


@pytest.fixture
def furnished(goods):
    """The mug comes in colours, one of them sold out, with a picture, in a category."""
    product = goods.mug.product
    kitchen = CategoryFactory(name="Kitchen", slug="kitchen", description="<p>For cooks</p>")
    Product.objects.filter(pk=product.pk).update(description="<p>Of <b>clay</b></p>")
    product.categories.add(kitchen)
    goods.book.product.categories.add(kitchen)
    add_image(product=product, upload=draw("mug"), alt="A mug")
    add_image(product=product, upload=draw("mug", 1), alt="The mug from above")
    for sku, colour, stock in (("MUG", "Red", 0), ("MUG-B", "Blue", 3), ("MUG-G", "Green", 0)):
        variant = goods.mug if sku == "MUG" else VariantFactory(product=product, sku=sku)
        choose_options(variant=variant, options={"Colour": colour})
        set_price(variant=variant, currency="EUR", amount=1200, compare_at=1500)
        if stock:
            receive(variant=variant, location=goods.near, quantity=stock)
    review = approve_review(review=ReviewFactory(product=product, store=goods.store))
    vote_helpful(review=review)
    rebuild(product_ids=[product.pk, goods.book.product_id])


def test_catalogue(auditor, furnished):
    for path in (
        "/",
        "/categories/kitchen/",
        "/search/?search=mug",
        "/search/?search=nothing",
        "/products/mug/",
        "/products/mug/?variant=MUG-G",
        "/products/mug/reviews/?order=helpful",
        "/nothing/",
        "/cart/",
    ):
        auditor.go(path)
    auditor.page.goto("/categories/kitchen/")
    auditor.page.locator(".filters summary").click()
    auditor.look("the filters")
    auditor.page.set_content(render_to_string("shop/broken.html"))
    auditor.look("a crash")


def test_account_and_checkout(auditor, goods, simulator):
    page = auditor.page
    auditor.go("/account/sign-in/")
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").last.click()
    auditor.look("a wrong password")
    auditor.go("/account/register/")
    for label, value in {
        "First name": "Ana",
        "Last name": "García",
        "E-mail": "ana@example.com",
        "Password": "a long and quiet river",
    }.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Make an account").click()
    auditor.go("/account/")
    fill_cart(page, narrow=False)
    mug = Product.objects.filter(slug="mug")
    mug.update(is_gift_card=True)
    page.reload()
    page.get_by_text("Send it to somebody").click()
    auditor.look("the cart")
    mug.update(is_gift_card=False)
    page.get_by_role("link", name="To the checkout").click()
    auditor.look("the address")
    page.get_by_role("button", name="Go on to delivery").click()
    auditor.look("a wrong address")
    fill_address(page)
    auditor.look("the delivery")
    page.get_by_label("Post").check()
    page.get_by_role("button", name="Go on to payment").click()
    auditor.look("the payment")
    page.get_by_label("Card, Apple Pay, Google Pay and more").check()
    page.get_by_role("button", name="Order with obligation to pay").click()
    page.get_by_label("Card number").wait_for()
    auditor.look("the card")
    page.get_by_role("link", name="Choose another way to pay").click()
    auditor.look("an unpaid order")
    auditor.go("/account/cards/")
    page.go_back()
    page.get_by_label("Test card that pays").check()
    page.get_by_label("Save this card for next time").check()
    page.get_by_role("button", name="Pay").click()
    auditor.look("the order")
    auditor.go("/account/cards/")
    auditor.go("/account/")
