"""Taxes from the cart to the order: what is due, what prices contain, what the order keeps."""

from __future__ import annotations

from typing import Any

import pytest

from apps.orders.models import Order
from apps.shipping.models import ShippingMethod, ShippingRate, Zone
from apps.stores.models import Store
from apps.taxes.models import TaxClass, TaxRate, TaxSettings, VATCheck
from tests.flows.conftest import ADDRESS

pytestmark = pytest.mark.usefixtures("invariants")
BERLIN = {
    "first_name": "Berta",
    "last_name": "Klein",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postal_code": "10117",
    "country": "DE",
}


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def totals(cart: dict[str, Any]) -> tuple[str, ...]:
    names = ("subtotal", "shipping", "tax", "total")
    return tuple(cart["totals"][name]["amount"] for name in names)


@pytest.fixture
def abroad(shop):
    """The shop ships to Germany for 9.00 and knows its rates."""
    zone = Zone.objects.create(name="Germany", places=["DE", "CH"])
    method = ShippingMethod.objects.create(store=shop.store, zone=zone, code="far", name="Far")
    ShippingRate.objects.create(method=method, currency="EUR", price=900)
    for code, percent in (("standard", 19), ("reduced", 7)):
        TaxRate.objects.create(
            tax_class=TaxClass.objects.get(code=code),
            country="DE",
            name=f"MwSt {percent} %",
            percent=percent,
        )
    return shop


def fill(buyer, **changes):
    values = {"shipping_address": BERLIN, "shipping_method": "far", **changes}
    return buyer.fill(("MUG", 1), **values)


def test_below_the_threshold_a_sale_to_germany_is_taxed_in_spain(buyer, abroad):
    cart = fill(buyer)
    # 12.00 and 9.00 hold 21 %.
    assert totals(cart) == ("12.00", "9.00", "3.64", "21.00")
    buyer.checkout()
    order = Order.objects.get()
    assert (order.tax_scheme, order.tax_country, order.tax_note) == ("origin", "ES", "")


def test_in_the_one_stop_shop_it_is_taxed_in_germany_at_the_same_price(buyer, abroad):
    TaxSettings.objects.create(store=abroad.store, oss_from="2026-01-01")
    # 12.00 and 9.00 hold 19 %.
    assert totals(fill(buyer)) == ("12.00", "9.00", "3.36", "21.00")
    document = buyer.checkout().json()["order"]
    assert [row["name"] for row in document["taxes"]] == ["MwSt 19 %"]
    order = Order.objects.get()
    assert (order.tax_scheme, order.tax_country) == ("oss", "DE")


def test_or_at_the_same_price_without_tax(buyer, abroad):
    TaxSettings.objects.create(store=abroad.store, oss_from="2026-01-01", keeps_gross=False)
    # 12.00 / 1.21 x 1.19 = 11.80; 9.00 / 1.21 x 1.19 = 8.85.
    cart = fill(buyer)
    assert totals(cart) == ("11.80", "8.85", "3.29", "20.65")
    assert cart["problems"] == []
    assert buyer.checkout(expected_total=eur("20.65")).status_code == 201


def test_a_business_in_germany_accounts_for_the_tax_itself(buyer, abroad):
    number = "DE123456789"
    cart = fill(buyer, billing_address={**BERLIN, "company": "Klein GmbH", "vat_number": number})
    # Nobody has vouched for the number yet.
    assert totals(cart) == ("12.00", "9.00", "3.64", "21.00")
    VATCheck.objects.create(country="DE", number="123456789", verdict="valid")
    url = f"/api/v1/carts/{buyer.cart_id}/"
    # 12.00 / 1.21 = 9.92; 9.00 / 1.21 = 7.44.
    assert totals(buyer.client.get(url).json()) == ("9.92", "7.44", "0.00", "17.36")
    # What was seen was another total: it must be agreed to.
    assert buyer.checkout(expected_total=eur("21.00")).json()["code"] == "price_changed"
    document = buyer.checkout(expected_total=eur("17.36")).json()["order"]
    assert "article 138" in document["tax_note"]
    order = Order.objects.get()
    assert (order.tax_scheme, order.tax, order.total) == ("reverse_charge", 0, 1736)


def test_a_typed_number_is_asked_about_once_in_the_background(buyer, abroad, drain, settings):
    settings.VIES_URL = ""
    wrong = {**BERLIN, "vat_number": "DE123456789"}
    fill(buyer, billing_address=wrong)
    drain()
    # Its check digit is wrong: that is known without asking anybody.
    [check] = VATCheck.objects.all()
    assert (check.country, check.number, check.verdict) == ("DE", "123456789", "invalid")
    buyer.client.patch(f"/api/v1/carts/{buyer.cart_id}/", {"billing_address": wrong})
    drain()
    assert VATCheck.objects.count() == 1


def test_an_export_bears_no_tax(buyer, abroad):
    swiss = {**BERLIN, "city": "Bern", "postal_code": "3003", "country": "CH"}
    assert totals(fill(buyer, shipping_address=swiss)) == ("12.00", "9.00", "0.00", "21.00")
    TaxSettings.objects.create(store=abroad.store, keeps_gross=False)
    # The goods without the tax in them; the post to Switzerland costs what it costs.
    assert totals(fill(buyer, shipping_address=swiss)) == ("9.92", "9.00", "0.00", "18.92")


def test_shipping_is_taxed_as_the_goods_are(buyer, shop):
    Store.objects.update(shipping_tax_class="")
    cart = buyer.fill(("MUG", 1), ("BOOK", 1))
    # 4.95 in proportion to 12.00 at 21 % and 20.00 at 4 %: 1.86 and 3.09.
    assert totals(cart) == ("32.00", "4.95", "3.29", "36.95")


@pytest.mark.parametrize(
    # 12.00 holds 2.0826…, five of them 10.4132…, and 4.95 holds 0.8591.
    ("rounding", "tax"),
    [("unit", "11.26"), ("line", "11.27"), ("document", "11.27")],
)
def test_the_store_says_how_tax_is_rounded_and_the_order_keeps_it(buyer, shop, rounding, tax):
    Store.objects.update(tax_rounding=rounding)
    assert buyer.fill(("MUG", 5))["totals"]["tax"] == eur(tax)
    buyer.checkout()
    assert Order.objects.get().quote["trace"][-1]["facts"]["rounding"] == rounding


def test_madrid_stays_domestic(buyer, shop):
    assert buyer.fill(("BOOK", 1), shipping_address=ADDRESS)["totals"]["tax"] == eur("1.63")
