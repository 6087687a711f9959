"""A promotion is made in a real browser: chosen, tried, saved."""

from __future__ import annotations

import pytest

from apps.promotions.models import Promotion
from tests.browser.test_backoffice import desk
from tests.factories.products import CategoryFactory
from tests.flows.conftest import shop

__all__ = ["desk", "shop"]

pytestmark = pytest.mark.browser


def test_a_promotion_is_made_tried_and_saved(desk, shop):
    shop.mug.product.categories.add(CategoryFactory(slug="mugs", name="Mugs"))
    desk.goto("/admin/promotions/promotion/add/")
    desk.get_by_label("Name", exact=False).first.fill("Three for two")
    desk.locator("#id_code").fill("three")
    assert desk.locator("#id_percentage__percent").is_visible()
    assert not desk.locator("#id_buy_x_get_y__buy").is_visible()
    desk.locator("#id_effect_type").select_option("buy_x_get_y")
    assert not desk.locator("#id_percentage__percent").is_visible()
    desk.locator("#id_buy_x_get_y__buy").fill("2")
    desk.locator("#id_buy_x_get_y__get").fill("1")
    # The search of a select that asks the server.
    box = desk.locator("#id_items__category + .select2")
    box.click()
    box.locator("input").press_sequentially("mu")
    desk.locator(".select2-results__option", has_text="Mugs (mugs)").click()
    desk.locator("#id_basket-lines").fill("MUG 3")
    desk.get_by_role("button", name="Preview").click()
    desk.get_by_text("The shopper saves €12.00.").wait_for()
    assert not Promotion.objects.exists()
    assert desk.locator("#id_buy_x_get_y__buy").input_value() == "2"
    desk.get_by_role("button", name="Save", exact=True).click()
    desk.wait_for_url("**/admin/promotions/promotion/")
    promotion = Promotion.objects.get()
    assert promotion.conditions == {"items": {"category": ["mugs"]}}
    assert promotion.effect == {"type": "buy_x_get_y", "buy": 2, "get": 1, "percent": "100"}
