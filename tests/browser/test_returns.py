"""A return and a withdrawal on a phone without scripts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from apps.returns.models import ReturnRequest, Withdrawal
from tests.browser.test_shop import goods
from tests.flows.conftest import Buyer
from tests.returns.conftest import buy, pay_and_send

__all__ = ["goods"]
pytestmark = pytest.mark.browser


@pytest.fixture
def phone(browser, live_server):
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, java_script_enabled=False
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def picture(page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_items_go_back_and_a_contract_ends_without_scripts(phone, goods):
    order = pay_and_send(buy(Buyer(APIClient()), ("MUG", 2), ("BOOK", 1)))
    phone.goto(f"/orders/{order.number}/?token={order.token}")
    picture(phone, "order")
    phone.get_by_role("link", name="Return items").click()
    phone.get_by_label("Pieces").first.select_option("1")
    phone.get_by_label("Reason").first.select_option("does_not_fit")
    phone.get_by_role("button", name="What would I get back?").click()
    assert phone.get_by_role("status").get_by_text("€12.00").count() == 2
    picture(phone, "ask")
    phone.get_by_role("button", name="Send the request").click()
    assert phone.get_by_role("heading", name="Return WEB-R1").is_visible()
    picture(phone, "return")
    assert ReturnRequest.objects.get().lines.get().quantity == 1

    phone.goto(f"/orders/{order.number}/?token={order.token}")
    phone.get_by_role("main").get_by_role("link", name="Withdraw from contract here").click()
    phone.get_by_role("button", name="Go on").click()
    picture(phone, "confirm")
    phone.get_by_role("button", name="Confirm withdrawal").click()
    assert phone.get_by_role("heading", name="We have your statement").is_visible()
    assert Withdrawal.objects.get().request.lines.count() == 2
