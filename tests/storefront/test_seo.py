"""What search engines and social networks read of a product page."""

import pytest
from django.core.checks import run_checks

from apps.products.models import Variant
from apps.products.selectors import gtin_of
from apps.storefront.services.listing import rebuild
from tests.factories.products import VariantFactory


def _seo(api, slug):
    return api.get(f"/api/v1/products/{slug}/").json()["seo"]


@pytest.mark.parametrize(
    ("barcode", "gtin"),
    [
        ("4006381333931", "4006381333931"),
        ("036000291452", "036000291452"),
        ("96385074", "96385074"),
        ("10012345678902", "10012345678902"),
        ("978-3-16-148410-0", "9783161484100"),
        ("4006381333932", None),
        ("2012345678909", None),
        ("0212345678908", None),
        ("9912345678909", None),
        ("20123451", None),
        ("0000000000000", None),
        ("400638133393", None),
        ("SHELF 12", None),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", None),
        ("", None),
    ],
)
def test_only_a_valid_barcode_is_a_gtin(barcode, gtin):
    assert gtin_of(Variant(gtin=barcode)) == gtin


def test_product_of_one_variant_is_one_offer(api, sell):
    sell(1250, slug="mug", name="Mug", variants__sku="MUG 1/2", variants__gtin="96385074")
    seo = _seo(api, "mug")
    assert seo["description"] == "Mug"
    assert "og:image" not in seo["open_graph"]
    assert seo["json_ld"] == {
        "@context": "https://schema.org/",
        "@type": "Product",
        "name": "Mug",
        "description": "Mug",
        "url": "http://localhost:8000/products/mug/",
        "sku": "MUG 1/2",
        "gtin": "96385074",
        "offers": {
            "@type": "Offer",
            "sku": "MUG 1/2",
            "url": "http://localhost:8000/products/mug/?variant=MUG%201%2F2",
            "price": "12.50",
            "priceCurrency": "EUR",
            "availability": "https://schema.org/OutOfStock",
            "itemCondition": "https://schema.org/NewCondition",
            "gtin": "96385074",
        },
    }


def test_texts_of_the_merchant_come_first(api, sell):
    texts = {"seo_title": "Buy a mug", "seo_description": "The best mug."}
    sell(100, slug="mug", name="Mug", description="<p>" + "long " * 100 + "</p>", **texts)
    seo = _seo(api, "mug")
    assert (seo["title"], seo["description"]) == ("Buy a mug", "The best mug.")
    assert seo["open_graph"]["og:title"] == "Buy a mug"
    assert seo["json_ld"]["name"] == "Mug"
    assert seo["json_ld"]["description"] == ("long " * 100).strip()


def test_lowest_price_is_lowest_as_a_number(api, sell):
    product = sell(900, slug="mug")
    dear = VariantFactory(product=product)
    dear.prices.create(currency="EUR", amount=10_000)
    rebuild(product_ids=[product.pk])
    offers = _seo(api, "mug")["json_ld"]["offers"]
    assert (offers["lowPrice"], offers["highPrice"]) == ("9.00", "100.00")


def test_addresses_are_those_of_the_storefront(api, sell, store, settings):
    settings.PRODUCT_URL = "https://{domain}/{language}/p/{slug}?s={store}"
    store.domain, store.languages = "shop.example.com", ["es", "en"]
    store.save()
    sell(100, slug="mug")
    seo = api.get("/api/v1/products/mug/").json()["seo"]
    assert seo["canonical_path"] == "/es/p/mug?s=main"
    assert seo["open_graph"]["og:url"] == "https://shop.example.com/es/p/mug?s=main"


@pytest.mark.parametrize("pattern", ["/p/{id}/", "/p/", "/p/{slug", "/p/{}/{slug}", "/p/{slug.x}"])
def test_address_that_cannot_be_filled_in_stops_the_start(settings, pattern):
    settings.CATEGORY_URL = pattern
    assert [found.id for found in run_checks()] == ["commerce.E005"]
