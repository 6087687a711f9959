"""What search engines and social networks read in the head of a page."""

from __future__ import annotations

import json
import re

import pytest

from tests.factories.products import CategoryFactory

pytestmark = pytest.mark.django_db
SITE = "http://localhost:8000"


def data_of(page) -> dict[str, dict]:
    """The structured data of a page, by type."""
    found = re.findall(
        r'<script type="application/ld\+json">(.*?)</script>', page.content.decode(), re.S
    )
    return {data["@type"]: data for data in map(json.loads, found)}


def test_product_page_has_what_engines_read(visitor, sell):
    kitchen = CategoryFactory(name="Pots & pans", slug="kitchen")
    sell(1000, stock=1, slug="pot", name="Pot </script> <b>", categories=[kitchen])
    page = visitor.get("/products/pot/?variant=X")
    text, data = page.content.decode(), data_of(page)
    assert '<link rel="canonical" href="http://testserver/products/pot/">' in text
    assert '<meta property="og:type" content="product">' in text
    assert '<meta property="product:price:amount" content="10.00">' in text
    assert data["Product"]["name"] == "Pot </script> <b>"
    assert [(i["name"], i["item"]) for i in data["BreadcrumbList"]["itemListElement"]] == [
        ("Home", f"{SITE}/"),
        ("Pots & pans", f"{SITE}/categories/kitchen/"),
        ("Pot </script> <b>", f"{SITE}/products/pot/"),
    ]


def test_home_says_how_it_is_searched(visitor, goods):
    action = data_of(visitor.get("/"))["WebSite"]["potentialAction"]
    assert action["target"]["urlTemplate"] == f"{SITE}/search/?search={{search_term_string}}"


def test_only_whole_lists_are_for_engines(visitor, goods):
    CategoryFactory(name="Kitchen", slug="kitchen", description="<p>All for <b>cooks</b></p>")
    whole = visitor.get("/categories/kitchen/").content.decode()
    assert '<meta name="description" content="All for cooks">' in whole
    assert '<link rel="canonical" href="http://testserver/categories/kitchen/">' in whole
    assert "noindex" not in whole
    for path in ("/categories/kitchen/?in_stock=true", "/search/?search=x", "/cart/"):
        assert "noindex" in visitor.get(path).content.decode()


def test_languages_are_named_where_addresses_say_them(visitor, goods, store, settings):
    CategoryFactory(name="Kitchen", slug="kitchen")
    assert "hreflang" not in visitor.get("/categories/kitchen/").content.decode()
    store.languages = ["es", "en"]
    store.save()
    settings.CATEGORY_URL = "https://shop.example.com/{language}/c/{slug}"
    text = visitor.get("/categories/kitchen/").content.decode()
    links = re.findall(r'hreflang="(.*?)" href="https://shop.example.com/(.*?)/', text)
    assert links == [("es", "es"), ("en", "en"), ("x-default", "es")]
