"""The product page: which variant, and what search engines read."""

from __future__ import annotations

import pytest

from apps.inventory.services import receive
from apps.pricing.services import set_price
from apps.products.services.options import choose_options
from apps.storefront.services.listing import rebuild
from tests.factories.products import ProductFactory, VariantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shirt(store, location):
    """Red in S, M and L, blue in S alone; red M is sold out."""
    product = ProductFactory(slug="shirt", name="Shirt", stores=[store], variants=0)
    for sku, colour, size, stock in (
        ("RS", "Red", "S", 1),
        ("RM", "Red", "M", 0),
        ("RL", "Red", "L", 1),
        ("BS", "Blue", "S", 1),
    ):
        variant = VariantFactory(product=product, sku=sku)
        choose_options(variant=variant, options={"Colour": colour, "Size": size})
        set_price(variant=variant, currency="EUR", amount=1000 if colour == "Red" else 1200)
        if stock:
            receive(variant=variant, location=location, quantity=stock)
    rebuild(product_ids=[product.pk])
    return product


def values(page) -> dict[str, list[tuple[str, str, str]]]:
    return {
        group["name"]: [(v.label, v.sku, v.mark) for v in group["values"]]
        for group in page.context["options"]
    }


def test_each_value_leads_to_its_variant(visitor, shirt):
    page = visitor.get("/products/shirt/?variant=RS")
    assert values(page) == {
        "Colour": [("Red", "RS", ""), ("Blue", "BS", "")],
        "Size": [("S", "RS", ""), ("M", "RM", "sold_out"), ("L", "RL", "")],
    }
    assert b'<input type="hidden" name="sku" value="RS">' in page.content
    page = visitor.get("/products/shirt/?variant=BS")
    assert values(page)["Size"][1:] == [("M", "RM", "other"), ("L", "RL", "other")]
    assert "€12.00" in page.content.decode()


def test_sold_out_variant_is_shown_and_not_sold(visitor, shirt):
    page = visitor.get("/products/shirt/?variant=RM")
    assert page.context["arrival"]["availability"] == "none"
    assert b"disabled" in page.content
    # Without a choice the first one in stock is shown, with an unknown one too.
    for query in ("", "?variant=nothing"):
        assert visitor.get(f"/products/shirt/{query}").context["chosen"]["sku"] == "RS"


def test_variants_without_options_are_told_apart_by_name(visitor, store, location):
    product = ProductFactory(slug="pen", name="Pen", stores=[store], variants=0)
    for name in ("Fine", "Broad"):
        variant = VariantFactory(product=product, sku=name.upper(), name=name)
        set_price(variant=variant, currency="EUR", amount=100)
        receive(variant=variant, location=location, quantity=1)
    rebuild(product_ids=[product.pk])
    page = visitor.get("/products/pen/?variant=BROAD")
    assert values(page) == {"Variant": [("Fine", "FINE", ""), ("Broad", "BROAD", "")]}


def test_days_of_arrival_are_those_to_the_carts_address(visitor, goods, django_assert_num_queries):
    # The stores and the category tree cost two of them, and are kept for seconds elsewhere.
    with django_assert_num_queries(9):
        page = visitor.get("/products/mug/")
    assert page.context["arrival"]["delivery"]["name"] == "Post"
    assert "Arrives" in page.content.decode()
    visitor.post("/cart/lines/", {"sku": "MUG", "quantity": 1})
    visitor.post("/checkout/", {"country": "FR", "email": "ana@example.com", **ABROAD})
    arrival = visitor.get("/products/mug/").context["arrival"]
    assert (arrival["country"], arrival["delivery"]) == ("FR", None)


ABROAD = {
    "first_name": "Ana",
    "last_name": "Martin",
    "line1": "Rue de Rivoli 1",
    "postal_code": "75001",
    "city": "Paris",
}
