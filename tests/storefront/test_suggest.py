"""What a shopper who is typing is shown, and one who found nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.storefront.services.indexing import count_terms
from apps.storefront.services.listing import rebuild
from tests.factories.products import CategoryFactory, PublicationFactory


@pytest.fixture
def suggest(api):
    def suggested(q):
        response = api.get("/api/v1/products/suggest/", {"q": q})
        assert response.status_code == 200
        body = response.json()
        return (
            body["terms"],
            [label["slug"] for label in body["categories"]],
            [item["slug"] for item in body["products"]],
        )

    return suggested


def test_words_categories_and_products_are_suggested(sell, suggest):
    kettles = CategoryFactory(slug="kettles", name="Kettles")
    CategoryFactory(slug="tea", name="Tea & kettles", parent=kettles)
    sell(100, slug="red", name="Red Kettle")
    sell(100, slug="blue", name="Ketchup, red")
    sell(100, slug="bell", name="Kettle bell")
    count_terms()
    assert suggest("ket") == (["kettle", "ketchup"], ["kettles", "tea"], ["bell", "blue", "red"])
    assert suggest("Red KETT") == (["red kettle"], [], ["red"])
    assert suggest("tea ket") == ([], ["tea"], [])
    assert suggest("k") == ([], ["kettles", "tea"], [])
    assert suggest("") == suggest("  ") == ([], [], [])


def test_at_most_ten_are_suggested(sell, suggest):
    for number, end in enumerate(("a", "b", "c", "d", "e", "f")):
        CategoryFactory(slug=f"c{number}", name=f"Kettle {end}")
        sell(100, name=f"Kettle{end}le")
    assert [len(found) for found in suggest("kettle")] == [3, 2, 5]


def test_suggestions_are_public_and_cached(api, sell, django_assert_num_queries):
    sell(100, name="Kettle")
    # The store and the category tree (kept for seconds in production), words, meaning, products.
    with django_assert_num_queries(6):
        response = api.get("/api/v1/products/suggest/?q=kettle")
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=60"
    again = api.get(
        "/api/v1/products/suggest/?q=kettle", headers={"If-None-Match": response["ETag"]}
    )
    assert again.status_code == 304
    assert api.get("/api/v1/products/suggest/", {"q": "x" * 201}).status_code == 400
    assert api.get("/api/v1/products/suggest/", {"q": "\x00"}).status_code in (200, 400)


def test_words_of_what_is_not_shown_yet_are_not_told(api, sell, suggest, store):
    product = sell(100, name="Secretive", stores=[])
    PublicationFactory(product=product, store=store, starts_at=timezone.now() + timedelta(days=1))
    rebuild(product_ids=[product.pk])
    assert suggest("secr") == ([], [], [])
    found = api.get("/api/v1/products/", {"search": "secretivo"}).json()
    assert (found["results"], found["did_you_mean"]) == ([], None)


@pytest.mark.parametrize(
    ("search", "meant"),
    [
        # Two slips, of which one is forgiven silently.
        ("keetel", "kettle"),
        ("red keetel", "red kettle"),
        # Known, but never said together.
        ("red pan", "red"),
        ("kettle xyzzyx", "kettle"),
        ("xyzzyx", None),
        ("12345", None),
        ("!!", None),
    ],
)
def test_search_that_found_nothing_tells_the_nearest(api, sell, search, meant):
    sell(100, name="Red kettle")
    sell(100, name="Pan")
    found = api.get("/api/v1/products/", {"search": search}).json()
    assert (found["results"], found["did_you_mean"]) == ([], meant)


def test_search_that_found_something_tells_nothing(api, sell):
    sell(100, name="Kettle")
    assert "did_you_mean" not in api.get("/api/v1/products/", {"search": "kettel"}).json()
    assert "did_you_mean" not in api.get("/api/v1/products/", {"brand": "none"}).json()
    # Its filters left nothing of what the search alone finds.
    filtered = api.get("/api/v1/products/", {"search": "kettle", "in_stock": "true"}).json()
    assert (filtered["results"], filtered["did_you_mean"]) == ([], None)


def test_search_for_nothing_takes_few_statements(api, sell, django_assert_max_num_queries):
    for number in range(30):
        sell(100, name=f"Kettle{chr(97 + number % 20)}aa")
    with django_assert_max_num_queries(20):
        api.get("/api/v1/products/", {"search": "a1 bb cc dd eexe ff gg hhhh ii"})
