"""The back office opens, and its own content policy lets its pages work."""

import pytest

from tests.factories.accounts import PASSWORD

pytestmark = pytest.mark.browser


def test_merchant_signs_in_and_out(page, merchant):
    page.goto("/admin/")
    page.get_by_label("E-mail").fill(merchant.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    assert page.locator("#user-tools, #nav-sidebar, main, #main").first.is_visible()
    assert "login" not in page.url
