from datetime import timedelta

import pytest
from django.utils import timezone

from apps.pricing.services.prices import set_price
from apps.products.models import Publication
from apps.products.services.attributes import index_attributes
from apps.products.services.collections import set_products
from apps.storefront.models import Listing
from apps.storefront.services.listing import rebuild
from tests.factories.products import (
    AttributeFactory,
    BrandFactory,
    CategoryFactory,
    CollectionFactory,
    ProductFactory,
    PublicationFactory,
)
from tests.factories.stores import StoreFactory


def _page_through(api, **query):
    """Every slug, forwards; and the pages met on the way back."""
    url, forwards, last = "/api/v1/products/", [], None
    response = api.get(url, query).json()
    while True:
        forwards.append([item["slug"] for item in response["results"]])
        last = response
        if response["next"] is None:
            break
        response = api.get(response["next"]).json()
    backwards = [forwards[-1]]
    while last["previous"] is not None:
        last = api.get(last["previous"]).json()
        backwards.insert(0, [item["slug"] for item in last["results"]])
    return forwards, backwards


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("price", ["a", "d", "e", "b", "c"]),
        ("-price", ["c", "b", "e", "d", "a"]),
        ("name", ["e", "a", "b", "c", "d"]),
        ("-created", ["e", "d", "c", "b", "a"]),
        ("-popularity", ["b", "d", "e", "c", "a"]),
    ],
)
def test_pages_keep_every_row_over_ties(api, sell, ordering, expected):
    for slug, name, price, popularity in (
        ("a", "Same", 100, 0),
        ("b", "Same", 200, 9),
        ("c", "Same", 300, 0),
        ("d", "Same", 100, 5),
        ("e", "First", 100, 5),
    ):
        product = sell(price, slug=slug, name=name)
        Listing.objects.filter(product=product).update(popularity=popularity)
    if ordering == "-popularity":
        expected = ["b", "e", "d", "c", "a"]
    for limit in (1, 2, 3, 5):
        forwards, backwards = _page_through(api, ordering=ordering, limit=limit)
        assert [slug for page in forwards for slug in page] == expected
        assert backwards == forwards


def test_relevance_puts_names_first(api, sell):
    sell(100, slug="text", name="Beach towel", brand=BrandFactory(name="Red Sea"))
    sell(100, slug="second", name="Towel, red")
    sell(100, slug="first", name="Red towel")
    forwards, backwards = _page_through(api, search="red towel", limit=1)
    assert forwards == [["first"], ["second"], ["text"]]
    assert backwards == forwards


def test_search_needs_every_word_and_knows_no_case_or_accent(sell, slugs):
    product = sell(100, slug="cafe", name="Café Molido", variants__sku="KAF-500")
    sell(100, slug="tea", name="Té")
    assert slugs(search="CAFE molido") == ["cafe"]
    assert slugs(search="café") == ["cafe"]
    assert slugs(search="kaf-500") == ["cafe"]
    assert slugs(search="cafe tea") == []
    assert slugs(search="%") == slugs(search="_") == []
    assert product.variants.get().sku == "KAF-500"


def test_category_means_its_whole_subtree(sell, slugs):
    root = CategoryFactory(slug="root")
    child = CategoryFactory(slug="child", parent=root)
    leaf = CategoryFactory(slug="leaf", parent=child)
    sibling = CategoryFactory(slug="sibling", parent=root)
    sell(100, slug="in-leaf", categories=[leaf, child])
    sell(100, slug="in-sibling", categories=[sibling])
    sell(100, slug="nowhere")
    assert slugs(category="root") == ["in-sibling", "in-leaf"]
    assert slugs(category="child") == ["in-leaf"]
    assert slugs(category="sibling") == ["in-sibling"]
    assert slugs(category="unknown") == []


def test_category_that_is_hidden_has_no_products(sell, slugs):
    hidden = CategoryFactory(slug="hidden", is_active=False)
    sell(100, slug="one", categories=[CategoryFactory(slug="below", parent=hidden)])
    assert slugs(category="hidden") == slugs(category="below") == []


def test_collection_filter(sell, slugs):
    one, two = sell(100, slug="one"), sell(100, slug="two")
    set_products(collection=CollectionFactory(slug="chosen"), products=[one])
    set_products(collection=CollectionFactory(slug="off", is_active=False), products=[two])
    assert slugs(collection="chosen") == ["one"]
    assert slugs(collection="off") == slugs(collection="unknown") == []


def test_brand_filter_takes_several(sell, slugs):
    for name in ("acme", "globex", "initech"):
        sell(100, slug=name, brand=BrandFactory(slug=name))
    assert slugs(brand="acme") == ["acme"]
    assert slugs(brand="acme,initech") == ["initech", "acme"]
    assert slugs(brand="unknown") == []


def test_price_filters_include_their_bounds(sell, slugs):
    for amount in (999, 1000, 1500, 1501):
        sell(amount, slug=f"p{amount}")
    assert slugs(price_min="10", ordering="price") == ["p1000", "p1500", "p1501"]
    assert slugs(price_max="10.00", ordering="price") == ["p999", "p1000"]
    assert slugs(price_min="10.00", price_max="15.00", ordering="price") == ["p1000", "p1500"]


def test_stock_and_rating_filters(sell, slugs):
    sell(100, slug="here", stock=1)
    sell(100, slug="gone")
    assert slugs(in_stock="true") == ["here"]
    assert slugs(in_stock="false") == ["gone"]
    assert slugs(rating_min="0") == ["gone", "here"]
    # Nobody has rated them: tests/storefront/test_ratings.py has products with stars.
    assert slugs(rating_min="0.1") == []


def test_attribute_filters(sell, slugs):
    AttributeFactory(code="colour")
    AttributeFactory(code="length", kind="number")
    AttributeFactory(code="vegan", kind="boolean")
    for slug, values in (
        ("red", {"colour": "Red", "length": 10, "vegan": True}),
        ("blue", {"colour": "Blue", "length": 12.5, "vegan": False}),
        ("plain", {"length": 20}),
    ):
        index_attributes(product=sell(100, slug=slug, attributes=values))
    assert slugs(attr_colour="Red") == ["red"]
    assert slugs(attr_colour="Red,Blue") == ["blue", "red"]
    assert slugs(attr_vegan="true") == ["red"]
    assert slugs(attr_length="10..12.5") == ["blue", "red"]
    assert slugs(attr_length="12..") == ["plain", "blue"]
    assert slugs(attr_length="..12") == ["red"]
    assert slugs(attr_length="20") == ["plain"]
    assert slugs(attr_length="10..15", attr_colour="Blue") == ["blue"]


def test_filters_combine(sell, slugs):
    category, brand = CategoryFactory(slug="c"), BrandFactory(slug="b")
    sell(100, slug="both", categories=[category], brand=brand, stock=1)
    sell(100, slug="category-only", categories=[category], stock=1)
    sell(100, slug="brand-only", brand=brand, stock=1)
    assert slugs(category="c", brand="b", in_stock="true", price_max="1.00") == ["both"]


def test_what_is_not_for_sale_is_invisible(api, sell, slugs, store):
    now = timezone.now()
    other = StoreFactory(code="other")
    sell(100, slug="draft", status="draft")
    sell(100, slug="archived", status="archived")
    sell(100, slug="elsewhere", stores=[other])
    sell(100, slug="unpublished", stores=[])
    windows = {
        "not-yet": (now + timedelta(hours=1), None),
        "over": (None, now - timedelta(hours=1)),
        "now": (now - timedelta(hours=1), now + timedelta(hours=1)),
    }
    for slug, (starts_at, ends_at) in windows.items():
        product = sell(100, slug=slug, stores=[])
        PublicationFactory(product=product, store=store, starts_at=starts_at, ends_at=ends_at)
        rebuild(product_ids=[product.pk])
    rebuild(product_ids=[ProductFactory(slug="unpriced", stores=[store]).pk])

    assert slugs() == ["now"]
    for slug in ("draft", "archived", "elsewhere", "unpublished", "not-yet", "over", "unpriced"):
        assert api.get(f"/api/v1/products/{slug}/").status_code == 404
    assert api.get("/api/v1/products/now/").status_code == 200
    there = api.get("/api/v1/products/", headers={"X-Store": "other"}).json()
    assert [item["slug"] for item in there["results"]] == ["elsewhere"]


def test_publication_opens_and_closes_by_the_clock(sell, slugs, store, time_machine):
    product = sell(100, slug="launch", stores=[])
    opens = timezone.now() + timedelta(hours=1)
    Publication.objects.create(
        product=product, store=store, starts_at=opens, ends_at=opens + timedelta(hours=1)
    )
    rebuild(product_ids=[product.pk])
    assert slugs() == []
    time_machine.move_to(opens + timedelta(seconds=1))
    assert slugs() == ["launch"]
    time_machine.move_to(opens + timedelta(hours=1))
    assert slugs() == []


def test_count_is_given_when_it_is_asked_for(api, sell):
    for _ in range(3):
        sell(100)
    page = api.get("/api/v1/products/", {"limit": 2, "count": "true"}).json()
    assert (page["count"], len(page["results"])) == (3, 2)
    assert "count" not in api.get("/api/v1/products/", {"limit": 2}).json()


@pytest.mark.parametrize("n", [10, 100])
@pytest.mark.parametrize(
    ("query", "statements"),
    [
        # The store is the first; in production it is kept for seconds.
        ({}, 2),
        ({"ordering": "price", "in_stock": "false"}, 2),
        ({"category": "c", "collection": "x", "brand": "b"}, 3),
        ({"search": "product", "category": "c"}, 6),
        # One more for words that the store doesn't know.
        ({"search": "produtc", "category": "c"}, 7),
    ],
)
def test_list_takes_few_statements(
    api, sell, n, query, statements, django_assert_num_queries, store
):
    category, brand = CategoryFactory(slug="c"), BrandFactory(slug="b")
    products = [
        ProductFactory(stores=[store], categories=[category], brand=brand) for _ in range(n)
    ]
    sell(100, categories=[category])
    for product in products:
        set_price(variant=product.variants.get(), currency="EUR", amount=100)
    set_products(collection=CollectionFactory(slug="x"), products=products)
    rebuild(product_ids=[product.pk for product in products])
    with django_assert_num_queries(statements):
        assert api.get("/api/v1/products/", {**query, "limit": 100}).status_code == 200


def test_product_page_takes_two_statements(api, sell, django_assert_num_queries):
    category = CategoryFactory()
    for number in range(10):
        sell(100, slug=f"p{number}", categories=[category])
    with django_assert_num_queries(2):
        assert len(api.get("/api/v1/products/p0/").json()["related"]) == 8


HOSTILE = ["\x00", "x" * 1_000_000, "'; DROP TABLE x; --", "é\udcff", "-1", "1e999999", "[]"]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "name",
    "search category collection brand price_min price_max in_stock rating_min attr_length"
    " ordering limit cursor count currency pk".split(),
)
def test_hostile_input_is_refused_or_finds_nothing(api, sell, name, value):
    sell(100)
    AttributeFactory(code="length", kind="number")
    value = value.encode("utf-8", "replace").decode()
    for path in ("products/", "products/facets/", "collections/", "categories/"):
        response = api.get(f"/api/v1/{path}", {name: value})
        assert response.status_code in (200, 400), (path, response.content[:200])
        if response.status_code == 400:
            assert response.json()["code"] in (
                "validation_error",
                "invalid_cursor",
                "unknown_currency",
            )


@pytest.mark.parametrize(
    "query",
    [
        {"ordering": "pk"},
        {"ordering": "price,name"},
        {"ordering": "-name"},
        {"limit": "0"},
        {"limit": "101"},
        {"price_min": "12.505"},
        {"price_min": "free"},
        {"in_stock": "yes"},
        {"rating_min": "6"},
        {"rating_min": "nan"},
        {"attr_unknown": "x"},
        {"currency": "XXX"},
        {"page": "2"},
        {"search": "x" * 201},
    ],
    ids=str,
)
def test_wrong_parameter_is_named(api, store, query):
    response = api.get("/api/v1/products/", query)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == list(query)


def test_cursor_that_was_tampered_with_is_refused(api, sell):
    for _ in range(3):
        sell(100)
    following = api.get("/api/v1/products/", {"limit": 1}).json()["next"]
    cursor = following.split("cursor=")[1].split("&")[0]
    for bad in (cursor[:-1], cursor[1:], "AAAA", f"x{cursor}"):
        response = api.get("/api/v1/products/", {"limit": 1, "cursor": bad})
        assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")


def test_cursor_of_another_ordering_is_refused(api, sell):
    for _ in range(3):
        sell(100)
    following = api.get("/api/v1/products/", {"limit": 1, "ordering": "price"}).json()["next"]
    response = api.get(following.replace("ordering=price", "ordering=name"))
    assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")


def test_answers_may_be_cached_and_asked_for_again(api, sell):
    sell(100, slug="one", categories=[CategoryFactory(slug="c")])
    for path, key in (
        ("products/", "products store-main"),
        ("products/facets/", "products store-main"),
        ("products/one/", "product-one products store-main"),
        ("categories/", "categories"),
        ("categories/c/", "category-c categories"),
        ("collections/", "collections"),
    ):
        first = api.get(f"/api/v1/{path}")
        assert first["Cache-Control"] == "public, max-age=30, stale-while-revalidate=60"
        assert first["Surrogate-Key"] == key
        assert {"X-Store", "Accept-Language"} <= set(first["Vary"].split(", "))
        assert "Set-Cookie" not in first
        again = api.get(f"/api/v1/{path}", headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]


def test_etag_changes_with_the_stock(api, sell, location):
    product = sell(100, slug="one")
    first = api.get("/api/v1/products/one/")["ETag"]
    Listing.objects.filter(product=product).update(detail='{"slug":"one"}')
    changed = api.get("/api/v1/products/one/", headers={"If-None-Match": first})
    assert changed.status_code == 200


def test_unknown_store_is_a_404(api, store):
    assert api.get("/api/v1/products/", headers={"X-Store": "nope"}).status_code == 404
