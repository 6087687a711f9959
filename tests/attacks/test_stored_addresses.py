"""T39: an address that is a script is no link, wherever it came from."""

from __future__ import annotations

import pytest

from apps.fulfillment.models import Fulfillment
from tests.attacks.pages import browser

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.mark.parametrize("address", ["javascript:alert(1)//http://x", "data:text/html,x"])
def test_tracking_that_is_a_script_is_only_a_number(furnished, address):
    """A form refuses it; a carrier's answer, or another program, might not."""
    Fulfillment.objects.update(tracking_number="PQ123", tracking_url=address)
    page = browser(furnished.ana.user).get(f"/orders/{furnished.ana.order['number']}/")
    assert page.status_code == 200
    assert "PQ123" in page.content.decode()
    assert address.split(":")[0] + ":" not in page.content.decode()
