"""What there is to buy, as pages."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.products.models import Brand, Collection, Product
from apps.products.services.attributes import index_attributes
from apps.products.services.categories import update_category
from apps.products.services.product import update_product
from apps.shop.pages.errors import server_error
from apps.storefront.models import SearchRedirect
from apps.storefront.services.listing import rebuild
from tests.factories.products import AttributeFactory, CategoryFactory, ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def furnished(goods):
    """The mug stands in a category and a collection, and has a brand."""
    mug = goods.mug.product
    mug.brand = Brand.objects.create(name="Acme", slug="acme")
    mug.save()
    kitchen = CategoryFactory(name="Kitchen", slug="kitchen")
    mug.categories.add(kitchen)
    Collection.objects.create(name="Gifts", slug="gifts").products.add(mug)
    rebuild(product_ids=[mug.pk])
    return goods


def test_home_shows_products_and_collections(visitor, furnished, django_assert_num_queries):
    with django_assert_num_queries(5):
        response = visitor.get("/")
    assert response.status_code == 200
    text = response.content.decode()
    assert 'href="/products/mug/"' in text
    assert 'href="/collections/gifts/"' in text
    assert "€12.00" in text


# The stores and the category tree, which cost a query each here, are kept for seconds elsewhere.
@pytest.mark.parametrize(
    ("path", "shown", "queries"),
    [
        ("/search/", ["Mug", "Book"], 5),
        ("/search/?search=mug", ["Mug"], 10),
        ("/categories/kitchen/", ["Mug"], 9),
        ("/collections/gifts/", ["Mug"], 6),
        ("/search/?brand=acme", ["Mug"], 5),
        ("/search/?price_min=15", ["Book"], 5),
    ],
)
def test_list_shows_what_was_asked_for(
    visitor, furnished, django_assert_num_queries, path, shown, queries
):
    with django_assert_num_queries(queries):
        response = visitor.get(path)
    assert response.status_code == 200
    assert sorted(p["name"] for p in response.context["products"]) == sorted(shown)


def test_a_search_that_found_nothing_says_what_would(visitor, furnished):
    Product.objects.filter(slug="mug").update(name="Kettle")
    rebuild(product_ids=list(Product.objects.values_list("pk", flat=True)))
    page = visitor.get("/search/?search=keetel")
    assert page.context["products"] == []
    assert '<a href="/search/?search=kettle">kettle</a>' in page.content.decode()
    assert "Did you mean" not in visitor.get("/search/?search=kettle").content.decode()


def test_list_goes_on_and_back(visitor, furnished):
    first = visitor.get("/search/?limit=1&ordering=price")
    assert [p["slug"] for p in first.context["products"]] == ["mug"]
    assert b'rel="prev"' not in first.content
    second = visitor.get("/search/" + first.context["next"])
    assert [p["slug"] for p in second.context["products"]] == ["book"]
    back = visitor.get("/search/" + second.context["previous"])
    assert [p["slug"] for p in back.context["products"]] == ["mug"]


def test_facet_is_added_and_taken_off(visitor, furnished):
    groups = visitor.get("/search/?ordering=price").context["groups"]
    brand = next(g for g in groups if g["name"] == "Brand")["choices"][0]
    assert (brand.label, brand.count, brand.chosen) == ("Acme", 1, False)
    assert brand.query == "?ordering=price&brand=acme"
    groups = visitor.get("/search/" + brand.query).context["groups"]
    brand = next(g for g in groups if g["name"] == "Brand")["choices"][0]
    assert (brand.query, brand.chosen) == ("?ordering=price", True)


def test_numbers_are_asked_for_in_two_fields(visitor, sell):
    AttributeFactory(code="volume", name="Volume", kind="number")
    for slug, litres in (("cup", 0.25), ("jug", 1.5)):
        product = sell(500, slug=slug, attributes={"volume": litres})
        index_attributes(product=product)
        rebuild(product_ids=[product.pk])
    page = visitor.get("/search/")
    (volume,) = page.context["ranges"]["ranges"]
    assert (volume.name, volume.low, volume.high, volume.chosen) == (
        "Volume",
        "0.25",
        "1.5",
        ("", ""),
    )
    sent = visitor.get("/search/?ordering=price&price_min=&from_volume=1&to_volume=")
    assert (sent.status_code, sent["Location"]) == (302, "?ordering=price&attr_volume=1..")
    page = visitor.get("/search/" + sent["Location"])
    assert [p["slug"] for p in page.context["products"]] == ["jug"]
    assert page.context["ranges"]["ranges"][0].chosen == ("1", "")
    assert page.context["ranges"]["kept"] == [("ordering", "price")]


def test_search_leads_where_the_merchant_says(visitor, furnished, store):
    SearchRedirect.objects.create(store=store, query="returns", target="/categories/kitchen/")
    response = visitor.get("/search/?search=Returns")
    assert (response.status_code, response["Location"]) == (302, "/categories/kitchen/")


def test_former_slug_leads_to_the_present_page(visitor, furnished):
    category = furnished.mug.product.categories.get()
    update_category(category=category, fields={"slug": "cooking"})
    response = visitor.get("/categories/kitchen/?ordering=price")
    assert (response.status_code, response["Location"]) == (
        301,
        "/categories/cooking/?ordering=price",
    )
    update_product(product=furnished.mug.product, fields={"slug": "cup"})
    rebuild(product_ids=[furnished.mug.product_id])
    assert visitor.get("/products/mug/")["Location"] == "/products/cup/"


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/", 3),
        ("/search/", 2),
        ("/search/?search=mug", 2),
        ("/categories/kitchen/", 3),
        ("/collections/gifts/", 3),
        ("/products/mug/", 4),
    ],
)
def test_statements_of_a_page_once_short_caches_are_warm(
    visitor, furnished, settings, django_assert_num_queries, path, queries
):
    visitor.get(path)
    settings.SHORT_CACHES = True
    with django_assert_num_queries(queries):
        visitor.get(path)


def test_wrong_query_is_told_on_a_page(visitor, furnished):
    response = visitor.get("/search/?price_min=cheap")
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


def test_product_shows_price_and_reference(visitor, sell, django_assert_num_queries):
    sell(1000, stock=3, compare_at=1500, slug="lamp", name="Lamp", description="<p>Bright</p>")
    with django_assert_num_queries(6):
        response = visitor.get("/products/lamp/")
    text = response.content.decode()
    assert response.status_code == 200
    assert "€10.00" in text
    assert "<s>€15.00</s>" in text
    assert "<p>Bright</p>" in text


@pytest.mark.parametrize(
    "path", ["/products/nothing/", "/categories/nothing/", "/collections/nothing/", "/nothing/"]
)
def test_unknown_is_a_page_that_says_so(visitor, store, path):
    response = visitor.get(path)
    assert response.status_code == 404
    assert b"<h1>There is no such thing here.</h1>" in response.content


def test_program_gets_a_problem_document_at_an_unknown_address(store):
    assert Client().get("/nothing/").json()["code"] == "not_found"
    response = Client().get("/api/v1/nothing/", headers={"accept": "text/html"})
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("text/html,*/*;q=0.8", "text/html"), ("*/*", "application/problem+json")],
)
def test_crash_is_a_page_for_people_and_a_document_for_programs(rf, accept, kind):
    response = server_error(rf.get("/", headers={"accept": accept}))
    assert (response.status_code, response["Content-Type"].split(";")[0]) == (500, kind)


def test_draft_is_not_shown(visitor, store):
    ProductFactory(slug="secret", status="draft", stores=[store])
    assert visitor.get("/products/secret/").status_code == 404


def test_language_is_chosen_and_kept(visitor, furnished):
    response = visitor.post("/language/", {"language": "es", "next": "/search/"})
    assert (response.status_code, response["Location"]) == (302, "/search/")
    response = visitor.get("/search/")
    assert b'<html lang="es" dir="ltr">' in response.content
    assert "12,00" in response.content.decode()


def test_currency_is_chosen_and_kept(visitor, furnished, store):
    store.currencies = ["USD"]
    store.save()
    response = visitor.post("/currency/", {"currency": "USD", "next": "https://evil.example/"})
    assert (response.status_code, response["Location"]) == (302, "/")
    cookie = response.cookies["currency"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert visitor.get("/").context["currency"] == "USD"


def test_currency_that_is_not_sold_in_is_refused(visitor, furnished):
    response = visitor.post("/currency/", {"currency": "XXX"}, follow=True)
    assert [str(m) for m in response.context["messages"]] == [
        "This store doesn't sell in that currency."
    ]


def test_forms_need_their_token(store):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/currency/", {"currency": "EUR"}).status_code == 403


def test_policy_is_strict_and_pages_obey(visitor, furnished):
    for path in ("/", "/search/", "/products/mug/"):
        response = visitor.get(path)
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert response["Cache-Control"] == "private, no-cache"
        text = response.content.decode()
        # Data, which no policy has to allow.
        assert text.count("<script") == text.count('<script type="application/ld+json">')
        assert " style=" not in text
