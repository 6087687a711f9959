"""From rows to the till."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from apps.pricing.services import Item, Situation, quote_items, shipping_offers
from tests.factories.pricing import PriceFactory
from tests.factories.products import ProductFactory, VariantFactory
from tests.factories.shipping import ShippingMethodFactory, ShippingRateFactory, ZoneFactory
from tests.factories.taxes import TaxClassFactory, TaxRateFactory


@pytest.fixture
def spain(db):
    TaxRateFactory()
    TaxRateFactory(tax_class=TaxClassFactory(code="books"), name="IVA 4 %", percent=Decimal(4))
    TaxRateFactory(region="GC", name="IGIC 7 %", percent=Decimal(7))


@pytest.fixture
def standard(store):
    method = ShippingMethodFactory(store=store, code="standard", name="Standard")
    ShippingRateFactory(method=method, price=495, free_above=5000)
    return method


def _item(amount, quantity=1, *, tax_class="standard", **kwargs):
    product = ProductFactory(variants=0, tax_class=tax_class)
    variant = VariantFactory(product=product, **kwargs)
    if amount is not None:
        PriceFactory(variant=variant, amount=amount)
    return Item(variant.sku, variant, quantity)


def situation(store, **address):
    return Situation(store, "EUR", timezone.now(), address)


def test_a_basket_is_priced_taxed_and_shipped(store, spain, standard):
    items = [_item(999, 3), _item(1040, tax_class="books")]
    found = quote_items(
        situation=situation(store, country="ES", region="M"),
        items=items,
        shipping_method="standard",
    )
    quote = found.quote
    assert (quote.subtotal, quote.shipping, quote.total) == (4037, 495, 4532)
    # 29.97 and 4.95 hold 21 %, 10.40 holds 4 %.
    assert [(t.name, t.base, t.amount) for t in quote.taxes] == [
        ("IVA 21 %", 2477 + 409, 520 + 86),
        ("IVA 4 %", 1000, 40),
    ]
    assert (found.unpriced, found.shipping_unavailable) == ((), False)


def test_a_region_has_its_own_tax(store, spain):
    item = _item(1070)
    found = quote_items(situation=situation(store, country="ES", region="GC"), items=[item])
    assert [(t.name, t.amount) for t in found.quote.taxes] == [("IGIC 7 %", 70)]


def test_before_there_is_an_address_the_place_of_the_store_counts(store, spain):
    assert quote_items(situation=situation(store), items=[_item(1210)]).quote.tax == 210


def test_where_nothing_is_taxed_nothing_is_added(store, spain):
    found = quote_items(situation=situation(store, country="US", region="CA"), items=[_item(1210)])
    assert (found.quote.tax, found.quote.total) == (0, 1210)


def test_items_without_a_price_are_named_and_left_out(store, spain):
    priced, unpriced = _item(1000), _item(None)
    found = quote_items(situation=situation(store), items=[priced, unpriced])
    assert found.unpriced == (unpriced.key,)
    assert [line.key for line in found.quote.lines] == [priced.key]


def test_a_method_that_does_not_serve_the_address_is_told(store, spain, standard):
    here = situation(store, country="FR")
    found = quote_items(situation=here, items=[_item(1000)], shipping_method="standard")
    assert (found.shipping_unavailable, found.quote.shipping_choice) == (True, None)


def test_a_parcel_too_heavy_for_the_table_is_told(store, spain, standard):
    standard.rates.update(max_weight=1000)
    here = situation(store, country="ES")
    heavy = _item(1000, weight=1000)
    found = quote_items(situation=here, items=[heavy], shipping_method="standard")
    assert (found.shipping_unavailable, found.quote.total) == (True, 1000)
    assert shipping_offers(situation=here, quotation=found) == []


def test_a_basket_that_is_not_shipped_needs_no_method(store, spain, standard):
    here = situation(store, country="FR")
    item = _item(1000, requires_shipping=False)
    found = quote_items(situation=here, items=[item], shipping_method="standard")
    assert found.shipping_unavailable is False
    assert shipping_offers(situation=here, quotation=found) == []


def test_offers_have_the_price_for_this_basket(store, spain, standard):
    express = ShippingMethodFactory(store=store, code="express", position=1)
    ShippingRateFactory(method=express, price=995)
    dollars = ShippingMethodFactory(store=store, code="dollars")
    ShippingRateFactory(method=dollars, currency="USD")
    here = situation(store, country="ES")
    for amount, price in ((4999, 495), (5000, 0)):
        found = quote_items(situation=here, items=[_item(amount)])
        offers = shipping_offers(situation=here, quotation=found)
        assert [(o.code, o.price) for o in offers] == [("standard", price), ("express", 995)]
    assert shipping_offers(situation=situation(store), quotation=found) == []


def test_a_basket_costs_the_same_for_any_number(store, spain, standard, django_assert_num_queries):
    items = [_item(100) for _ in range(8)]
    here = situation(store, country="ES")
    # Promotions, prices, tax settings and rates, methods with their rates and surcharges.
    with django_assert_num_queries(7):
        quote_items(situation=here, items=items, shipping_method="standard")


def test_methods_everywhere_else_serve_an_unknown_country(store, spain):
    world = ShippingMethodFactory(store=store, code="world", zone=ZoneFactory(places=["*"]))
    ShippingRateFactory(method=world, price=1500)
    here = situation(store, country="JP")
    found = quote_items(situation=here, items=[_item(100)], shipping_method="world")
    assert found.quote.shipping == 1500
