"""Currencies of no, two and three decimals, from the shelf to the refund at Stripe."""

from __future__ import annotations

import pytest

from apps.orders.models import Order
from apps.pricing.services import set_price
from apps.shipping.models import ShippingMethod, ShippingRate
from apps.stores.models import Store
from tests.factories.promotions import PromotionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

VISA = "pm_card_visa"


def _fill(buyer, shop, currency, mug, post):
    """Two mugs at 10 % less, and the post."""
    Store.objects.filter(pk=shop.store.pk).update(currencies=[currency])
    set_price(variant=shop.mug, currency=currency, amount=mug)
    ShippingRate.objects.create(
        method=ShippingMethod.objects.get(), currency=currency, price=post, free_above=None
    )
    PromotionFactory()
    return buyer.fill(("MUG", 2), currency=currency)


# Prices hold 21 %: of two mugs less a tenth, and of the post, each rounded by itself.
@pytest.mark.parametrize(
    ("currency", "mug", "post", "shown"),
    [
        # 2160 and 495 hold 375 and 86.
        ("JPY", 1200, 495, ("2400", "240", "495", "461", "2655")),
        # 21600 and 2500 hold 3749 and 434.
        ("KRW", 12_000, 2500, ("24000", "2400", "2500", "4183", "24100")),
        # 8982.00 and 990.00 hold 1558.86 and 171.82.
        ("HUF", 499_000, 99_000, ("9980.00", "998.00", "990.00", "1730.68", "9972.00")),
        # 2.250 and 0.500 hold 0.390 and 0.087.
        ("KWD", 1250, 500, ("2.500", "0.250", "0.500", "0.477", "2.750")),
        # 6.300 and 0.400 hold 1.093 and 0.069.
        ("BHD", 3500, 400, ("7.000", "0.700", "0.400", "1.162", "6.700")),
    ],
)
def test_the_whole_journey(buyer, shop, simulator, as_merchant, currency, mug, post, shown):
    cart = _fill(buyer, shop, currency, mug, post)
    names = ("subtotal", "discount", "shipping", "tax", "total")
    assert tuple(cart["totals"][name]["amount"] for name in names) == shown

    placed = buyer.checkout("stripe", method=VISA, expected_total=cart["totals"]["total"])
    assert placed.status_code == 201, placed.json()
    assert placed.json()["order"]["totals"]["total"] == cart["totals"]["total"]
    total = int(shown[-1].replace(".", ""))
    assert simulator.state()["captured"] == {currency.lower(): total}

    [payment] = placed.json()["order"]["payments"]
    url = f"/api/v1/admin/payments/{payment['id']}/refund/"
    part = {"amount": cart["totals"]["shipping"], "reason": "late"}
    assert as_merchant.post(url, part).status_code == 201
    rest = as_merchant.post(url, {"reason": "broken"})
    assert rest.json()["refunded"] == cart["totals"]["total"]
    assert simulator.state()["refunded"] == {currency.lower(): total}
    assert Order.objects.get().payment_status == "refunded"


def test_what_stripe_cannot_take_is_told_and_can_be_paid_otherwise(buyer, shop, simulator):
    """Of three decimals the last is 0 (https://docs.stripe.com/currencies#three-decimal)."""
    cart = _fill(buyer, shop, "KWD", 1240, 500)
    assert cart["totals"]["total"] == {"amount": "2.732", "currency": "KWD"}
    refused = buyer.checkout("stripe", method=VISA)
    assert (refused.status_code, refused.json()["decline_code"]) == (402, "amount_step")
    assert simulator.state()["captured"] == {}
    assert buyer.checkout("manual").json()["order"]["totals"]["total"] == cart["totals"]["total"]
