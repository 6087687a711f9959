from datetime import timedelta

import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from apps.inventory.services.stock import receive
from apps.pricing.services.prices import set_price
from apps.products.services.options import choose_options
from apps.storefront.services.listing import rebuild
from tests.factories.products import (
    AttributeFactory,
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    ProductImageFactory,
    ProductTypeFactory,
    VariantFactory,
)

EUR_10 = {"amount": "10.00", "currency": "EUR"}
EUR_12_50 = {"amount": "12.50", "currency": "EUR"}
EUR_14 = {"amount": "14.00", "currency": "EUR"}
EUR_15 = {"amount": "15.00", "currency": "EUR"}
EUR_40_A_KILOGRAM = {"price": {"amount": "40.00", "currency": "EUR"}, "per": "kg"}


def _shirt(store, location):
    root = CategoryFactory(slug="clothes", name="Clothes")
    shirts = CategoryFactory(slug="shirts", name="Shirts", parent=root)
    kind = ProductTypeFactory(code="shirt")
    kind.attributes.add(AttributeFactory(code="fabric", name="Fabric"))
    product = ProductFactory(
        slug="shirt",
        name="Shirt",
        brand=BrandFactory(name="Acme"),
        description="<p>Soft &amp; warm.</p>",
        stores=[store],
        variants=0,
        categories=[shirts],
        product_type=kind,
        attributes={"fabric": "wool"},
    )
    image = ProductImageFactory(product=product, alt="A shirt")
    ProductImageFactory(product=product, status="pending", renditions=[], file="")
    small = VariantFactory(
        product=product, sku="SH-S", name="Small", weight=200, gtin="4006381333931"
    )
    large = VariantFactory(product=product, sku="SH-L", name="Large", image=image, position=1)
    large.unit, large.unit_quantity = "g", 250
    large.min_quantity, large.max_quantity, large.quantity_step = 2, 10, 4
    large.save()
    VariantFactory(product=product, sku="SH-XL", position=2, is_active=False)
    choose_options(variant=small, options={"Size": "S", "Colour": "Red"})
    choose_options(variant=large, options={"Size": "L", "Colour": "Red"})
    set_price(variant=small, currency="EUR", amount=1250)
    with time_machine.travel(timezone.now() - timedelta(days=20), tick=False):
        set_price(variant=large, currency="EUR", amount=1400)
    set_price(variant=large, currency="EUR", amount=1000, compare_at=1500)
    receive(variant=small, location=location, quantity=3)
    rebuild(product_ids=[product.pk])
    return product


def _thumbnail():
    url = default_storage.url("products/test-320.webp")
    return {"url": url, "alt": "A shirt", "width": 320, "height": 240}


SITE = "http://localhost:8000"
SHIRT_SEO = {
    "title": "Shirt",
    "description": "Soft & warm.",
    "canonical_path": "/products/shirt/",
    "open_graph": {
        "og:type": "product",
        "og:site_name": "Main",
        "og:title": "Shirt",
        "og:description": "Soft & warm.",
        "og:url": f"{SITE}/products/shirt/",
        "og:image": f"{SITE}/media/products/test-640.webp",
        "product:price:amount": "10.00",
        "product:price:currency": "EUR",
        "product:availability": "in stock",
    },
    "json_ld": {
        "@context": "https://schema.org/",
        "@type": "Product",
        "name": "Shirt",
        "description": "Soft & warm.",
        "url": f"{SITE}/products/shirt/",
        "image": [f"{SITE}/media/products/test-640.webp"],
        "brand": {"@type": "Brand", "name": "Acme"},
        "offers": {
            "@type": "AggregateOffer",
            "lowPrice": "10.00",
            "highPrice": "12.50",
            "priceCurrency": "EUR",
            "offerCount": 2,
            "offers": [
                {
                    "@type": "Offer",
                    "sku": "SH-S",
                    "url": f"{SITE}/products/shirt/?variant=SH-S",
                    "price": "12.50",
                    "priceCurrency": "EUR",
                    "availability": "https://schema.org/InStock",
                    "itemCondition": "https://schema.org/NewCondition",
                    "gtin": "4006381333931",
                },
                {
                    "@type": "Offer",
                    "sku": "SH-L",
                    "url": f"{SITE}/products/shirt/?variant=SH-L",
                    "price": "10.00",
                    "priceCurrency": "EUR",
                    "availability": "https://schema.org/OutOfStock",
                    "itemCondition": "https://schema.org/NewCondition",
                },
            ],
        },
    },
}

ITEM = {
    "slug": "shirt",
    "name": "Shirt",
    "brand": "Acme",
    "price": EUR_10,
    "compare_at_price": EUR_15,
    "reference_price": EUR_14,
    "unit_price": EUR_40_A_KILOGRAM,
    "currency": "EUR",
    "in_stock": True,
    "rating": {"average": None, "count": 0},
    "variant_count": 2,
}


def test_list_item_has_the_contracts_shape(api, store, location):
    _shirt(store, location)
    assert api.get("/api/v1/products/").json() == {
        "next": None,
        "previous": None,
        "results": [{**ITEM, "thumbnail": _thumbnail()}],
    }


def test_product_page_has_the_contracts_shape(api, store, location):
    _shirt(store, location)
    large = default_storage.url("products/test-640.webp")
    assert api.get("/api/v1/products/shirt/").json() == {
        **ITEM,
        "thumbnail": _thumbnail(),
        "description": "<p>Soft &amp; warm.</p>",
        "images": [
            {
                "url": large,
                "alt": "A shirt",
                "width": 640,
                "height": 480,
                "renditions": [
                    {"url": _thumbnail()["url"], "width": 320, "height": 240},
                    {"url": large, "width": 640, "height": 480},
                ],
            }
        ],
        "options": [
            {"name": "Size", "values": ["S", "L"]},
            {"name": "Colour", "values": ["Red"]},
        ],
        "variants": [
            {
                "sku": "SH-S",
                "name": "Small",
                "gtin": "4006381333931",
                "options": {"Size": "S", "Colour": "Red"},
                "price": EUR_12_50,
                "compare_at_price": None,
                "reference_price": None,
                "unit_price": None,
                "in_stock": True,
                "available_quantity": 3,
                "min_quantity": 1,
                "max_quantity": None,
                "quantity_step": 1,
                "weight": 200,
                "image": None,
            },
            {
                "sku": "SH-L",
                "name": "Large",
                "gtin": None,
                "options": {"Size": "L", "Colour": "Red"},
                "price": EUR_10,
                "compare_at_price": EUR_15,
                "reference_price": EUR_14,
                "unit_price": EUR_40_A_KILOGRAM,
                "in_stock": False,
                "available_quantity": 0,
                "min_quantity": 2,
                "max_quantity": 10,
                "quantity_step": 4,
                "weight": 500,
                "image": _thumbnail(),
            },
        ],
        "attributes": [{"code": "fabric", "name": "Fabric", "value": "wool", "unit": ""}],
        "categories": [{"slug": "shirts", "name": "Shirts"}],
        "seo": SHIRT_SEO,
        "related": [],
    }


def test_related_are_others_of_the_category_without_the_product_itself(api, sell):
    category, other = CategoryFactory(), CategoryFactory()
    sell(100, slug="one", categories=[category])
    sell(100, slug="two", categories=[category])
    sell(100, slug="three", categories=[category])
    sell(100, slug="elsewhere", categories=[other])
    page = api.get("/api/v1/products/one/").json()
    assert [item["slug"] for item in page["related"]] == ["three", "two"]
    assert page["related"][0] == api.get("/api/v1/products/").json()["results"][1]


def test_untracked_variant_is_always_available(api, sell):
    sell(100, slug="ebook", variants__track_inventory=False)
    page = api.get("/api/v1/products/ebook/").json()
    (variant,) = page["variants"]
    assert (page["in_stock"], variant["in_stock"], variant["available_quantity"]) == (
        True,
        True,
        None,
    )


def test_variant_without_a_price_is_left_out(api, sell, store):
    product = sell(100, slug="shirt")
    VariantFactory(product=product, sku="UNPRICED")
    rebuild(product_ids=[product.pk])
    page = api.get("/api/v1/products/shirt/").json()
    assert [variant["sku"] for variant in page["variants"]] == [product.variants.first().sku]
    assert page["variant_count"] == 1


def test_prices_are_of_the_wanted_currency_with_its_decimals(api, store, sell):
    store.currencies = ["JPY", "KWD"]
    store.save()
    product = sell(1250, slug="shirt")
    variant = product.variants.get()
    set_price(variant=variant, currency="JPY", amount=1500)
    set_price(variant=variant, currency="KWD", amount=4200)
    rebuild(product_ids=[product.pk])

    def price(currency):
        (item,) = api.get("/api/v1/products/", {"currency": currency}).json()["results"]
        return item["price"], item["currency"]

    assert price("EUR") == ({"amount": "12.50", "currency": "EUR"}, "EUR")
    assert price("JPY") == ({"amount": "1500", "currency": "JPY"}, "JPY")
    assert price("KWD") == ({"amount": "4.200", "currency": "KWD"}, "KWD")


def test_categories_are_a_tree_without_what_is_hidden(api, store):
    root = CategoryFactory(slug="root", name="Root")
    child = CategoryFactory(slug="child", name="Child", parent=root)
    CategoryFactory(slug="leaf", name="Leaf", parent=child)
    hidden = CategoryFactory(slug="hidden", name="Hidden", is_active=False)
    CategoryFactory(slug="below", name="Below", parent=hidden)
    leaf = {"slug": "leaf", "name": "Leaf", "children": []}
    tree = {"slug": "child", "name": "Child", "children": [leaf]}
    assert api.get("/api/v1/categories/").json() == {
        "next": None,
        "previous": None,
        "results": [{"slug": "root", "name": "Root", "children": [tree]}],
    }
    assert api.get("/api/v1/categories/child/").json() == {
        "slug": "child",
        "name": "Child",
        "children": [leaf],
        "description": "",
        "seo": {"title": "Child", "description": ""},
        "ancestors": [{"slug": "root", "name": "Root"}],
    }
    assert api.get("/api/v1/categories/below/").status_code == 404
    assert api.get("/api/v1/categories/nothing/").status_code == 404
