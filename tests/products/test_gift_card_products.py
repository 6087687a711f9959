"""A product that is a gift card: nothing to ship, nothing to tax at the sale."""

from __future__ import annotations

import pytest

from apps.products.models import Product, Variant
from apps.products.services.product import VOUCHER_TAX_CLASS, update_product
from apps.products.services.variants import create_variant, update_variant
from tests.factories.products import ProductFactory

pytestmark = pytest.mark.django_db


def test_product_that_becomes_a_gift_card_is_neither_shipped_nor_taxed():
    product = ProductFactory(variants=2, tax_class="standard")
    update_product(product=product, fields={"is_gift_card": True})
    product.refresh_from_db()
    assert product.tax_class == VOUCHER_TAX_CLASS
    assert set(product.variants.values_list("requires_shipping", flat=True)) == {False}


def test_variant_of_a_gift_card_is_never_shipped():
    product = ProductFactory(variants=0, is_gift_card=True)
    variant = create_variant(product=product, fields={"sku": "CARD", "requires_shipping": True})
    update_variant(variant=variant, fields={"requires_shipping": True})
    assert Variant.objects.get(sku="CARD").requires_shipping is False


def test_tax_class_of_a_gift_card_cannot_be_changed():
    product = ProductFactory(variants=0)
    update_product(product=product, fields={"is_gift_card": True, "tax_class": "standard"})
    assert Product.objects.get().tax_class == VOUCHER_TAX_CLASS
    update_product(product=product, fields={"is_gift_card": False, "tax_class": "reduced"})
    assert Product.objects.get().tax_class == "reduced"
