"""Sitemaps and robots.txt of a store, read as a search engine reads them."""

from datetime import UTC, datetime
from itertools import chain
from xml.etree import ElementTree

import pytest
import time_machine
from django.utils import timezone

from apps.pricing.services.prices import set_price
from apps.products.models import Category, Collection, Product
from apps.storefront.selectors import sitemaps
from apps.storefront.services.listing import rebuild
from tests.factories.products import CategoryFactory, CollectionFactory, ProductFactory
from tests.factories.stores import StoreFactory

SITE = "http://localhost:8000"
NS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"
MOMENT = datetime(2030, 6, 1, 12, 30, tzinfo=UTC)


def _body(response):
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def _parsed(text):
    return ElementTree.fromstring(text)  # noqa: S314 (our own)


def _read(api, path, **query):
    return _parsed(_body(api.get(path, query)))


def _locations(root):
    return [element.text for element in root.iter(f"{NS}loc")]


def test_index_names_the_sections_that_have_pages(api, sell):
    sell(100, slug="mug")
    root = _read(api, "/sitemap.xml")
    assert root.tag == f"{NS}sitemapindex"
    assert _locations(root) == ["http://testserver/sitemap-products.xml"]
    CategoryFactory()
    CollectionFactory()
    assert _locations(_read(api, "/sitemap.xml", store="main")) == [
        "http://testserver/sitemap-products.xml?store=main",
        "http://testserver/sitemap-categories.xml?store=main",
        "http://testserver/sitemap-collections.xml?store=main",
    ]


def test_page_tells_address_and_last_change(api, sell):
    sell(100, slug="mug")
    sell(100, slug="cup")
    Product.objects.update(updated_at=MOMENT)
    root = _read(api, "/sitemap-products.xml")
    assert root.tag == f"{NS}urlset"
    assert [{child.tag.removeprefix(NS): child.text for child in url} for url in root] == [
        {"loc": f"{SITE}/products/cup/", "lastmod": "2030-06-01T12:30:00+00:00"},
        {"loc": f"{SITE}/products/mug/", "lastmod": "2030-06-01T12:30:00+00:00"},
    ]


def test_what_is_hidden_is_not_told(api, sell, store):
    hidden = CategoryFactory(slug="hidden")
    CategoryFactory(slug="below", parent=hidden)
    CategoryFactory(slug="shown")
    Category.objects.filter(slug="hidden").update(is_active=False)
    CollectionFactory(slug="shown")
    Collection.objects.filter(pk=CollectionFactory(slug="hidden").pk).update(is_active=False)
    sell(100, slug="shown")
    draft = sell(100, slug="draft", status="draft")
    ProductFactory(slug="unpriced", stores=[store])
    ended = sell(100, slug="ended")
    ended.publications.update(ends_at=timezone.now())
    rebuild(product_ids=[draft.pk, ended.pk])
    found = {name: _locations(_read(api, f"/sitemap-{name}.xml")) for name in sitemaps.SECTIONS}
    assert found == {name: [f"{SITE}/{name}/shown/"] for name in found}


def test_each_language_is_a_page_that_names_the_others(api, sell, store, settings):
    settings.PRODUCT_URL = "https://{domain}/{language}/{slug}?a&b"
    store.domain = "shop.example.com"
    store.save()
    sell(100, slug="mug")
    english, spanish = (f"https://shop.example.com/{code}/mug?a&b" for code in ("en", "es"))
    root = _read(api, "/sitemap-products.xml")
    links = [{link.get("hreflang"): link.get("href") for link in url.iter(LINK)} for url in root]
    assert _locations(root) == [english, spanish]
    assert links == [{"en": english, "es": spanish, "x-default": english}] * 2


def test_stores_do_not_mix(api, sell, store):
    other = StoreFactory(code="other", domain="other.example.com", default_currency="USD")
    third = StoreFactory(code="third", currencies=["USD"])
    sell(100, slug="main-only")
    both = sell(100, slug="both", stores=[store, other, third])
    set_price(variant=both.variants.get(), currency="USD", amount=200)
    rebuild(product_ids=[both.pk])
    dollars = ProductFactory(slug="dollars", stores=[other, third])
    set_price(variant=dollars.variants.get(), currency="USD", amount=200)
    rebuild(product_ids=[dollars.pk])

    def slugs(**headers):
        root = _parsed(_body(api.get("/sitemap-products.xml", **headers)))
        return [url.split("/")[-2] for url in _locations(root)]

    assert slugs() == ["both", "main-only"]
    assert slugs(HTTP_HOST="other.example.com") == ["both", "dollars"]
    # There the page of what is priced in another currency only isn't found without asking for it.
    assert slugs(data={"store": "third"}) == ["both"]


@pytest.mark.parametrize(("size", "starts"), [(2, ["", "p1", "p3"]), (5, [""]), (4, ["", "p3"])])
def test_files_hold_every_page_once(sell, store, size, starts):
    for number in range(5):
        sell(100, slug=f"p{number}")
    asked = {"section": "products", "store": store, "at": timezone.now(), "size": size}
    assert list(sitemaps.sitemap_pages(**asked)) == starts
    files = ["".join(sitemaps.sitemap(**asked, after=after)) for after in starts]
    found = [_locations(_parsed(text)) for text in files]
    assert max(map(len, found)) <= size
    assert list(chain(*found)) == [f"{SITE}/products/p{n}/" for n in range(5)]


@pytest.mark.parametrize("number", [5, 50])
def test_statements_do_not_grow_with_the_products(api, store, number, django_assert_num_queries):
    made = [ProductFactory(stores=[store]) for _ in range(number)]
    for product in made:
        set_price(variant=product.variants.get(), currency="EUR", amount=100)
    rebuild(product_ids=[product.pk for product in made])
    with django_assert_num_queries(2):
        assert len(_read(api, "/sitemap-products.xml")) == number
    with django_assert_num_queries(6):
        _read(api, "/sitemap.xml")


def test_robots_name_the_sitemap(api, store):
    answer = api.get("/robots.txt", HTTP_ACCEPT="text/html")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert _body(answer).decode() == (
        "User-agent: *\nDisallow:\n\nSitemap: http://testserver/sitemap.xml\n"
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sitemap-orders.xml", 404),
        ("/sitemap.xml?store=nowhere", 404),
        ("/sitemap-products.xml?after=%00", 400),
        ("/sitemap.xml?page=2", 400),
    ],
)
def test_wrong_question_is_refused(api, store, path, status):
    assert api.get(path).status_code == status


def test_answer_may_be_kept(api, store):
    with time_machine.travel(MOMENT, tick=False):
        answer = api.get("/sitemap.xml", HTTP_ACCEPT="application/xml")
    assert answer["Content-Type"] == "application/xml; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert "X-Store" in answer["Vary"]
