"""What may be ordered of an item: from so many pieces, up to so many, in steps."""

from __future__ import annotations

import pytest

from apps.products.models import Variant

pytestmark = pytest.mark.usefixtures("invariants")


@pytest.mark.parametrize(
    ("quantity", "problem", "allowed"),
    [(1, "below_minimum", 4), (5, "wrong_step", 4), (14, "above_maximum", 12)],
)
def test_a_quantity_that_is_not_sold_is_told_and_not_ordered(buyer, quantity, problem, allowed):
    Variant.objects.filter(sku="BOOK").update(min_quantity=4, max_quantity=12, quantity_step=4)
    [found] = buyer.fill(("BOOK", quantity))["problems"]
    assert (found["code"], found["allowed"]) == (problem, allowed)
    refused = buyer.checkout()
    assert (refused.status_code, refused.json()["code"]) == (400, "cart_incomplete")
    assert [error["code"] for error in refused.json()["errors"]] == [problem]
    assert buyer.fill(("BOOK", allowed))["problems"] == []
    assert buyer.checkout().status_code == 201
