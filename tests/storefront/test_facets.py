import pytest

from apps.products.services.attributes import index_attributes, save_attribute
from apps.storefront.services.listing import rebuild
from tests.factories.products import AttributeFactory, BrandFactory, CategoryFactory


@pytest.fixture
def catalogue(sell):
    """Three products under one root, of two brands, with a colour and a length."""
    AttributeFactory(code="colour", name="Colour")
    AttributeFactory(code="length", name="Length", kind="number")
    AttributeFactory(code="secret", name="Secret", is_filterable=False)
    root = CategoryFactory(slug="root", name="Root")
    one = CategoryFactory(slug="one", name="One", parent=root)
    two = CategoryFactory(slug="two", name="Two", parent=root)
    acme = BrandFactory(slug="acme", name="Acme")
    other = BrandFactory(slug="other", name="Other")
    for amount, stock, brand, categories, attributes in (
        (999, 1, acme, [one], {"colour": "Red", "length": 1.5}),
        (1000, 0, acme, [one, two], {"colour": "Blue", "length": 3, "secret": "x"}),
        (2500, 1, other, [two], {"colour": "Red"}),
    ):
        product = sell(
            amount, stock=stock, brand=brand, categories=categories, attributes=attributes
        )
        index_attributes(product=product)
        rebuild(product_ids=[product.pk])


def _eur(amount):
    return {"amount": amount, "currency": "EUR"}


def test_facets_count_what_each_filter_would_leave(api, catalogue):
    assert api.get("/api/v1/products/facets/").json() == {
        "count": 3,
        "exact": True,
        "availability": [{"in_stock": True, "count": 2}, {"in_stock": False, "count": 1}],
        "categories": [
            {"slug": "root", "name": "Root", "count": 3},
            {"slug": "one", "name": "One", "count": 2},
            {"slug": "two", "name": "Two", "count": 2},
        ],
        "brands": [
            {"slug": "acme", "name": "Acme", "count": 2},
            {"slug": "other", "name": "Other", "count": 1},
        ],
        "attributes": [
            {
                "code": "colour",
                "name": "Colour",
                "values": [{"value": "Red", "count": 2}, {"value": "Blue", "count": 1}],
            },
            {"code": "length", "name": "Length", "min": 1.5, "max": 3.0, "count": 2},
        ],
        "prices": [
            {"min": _eur("5.00"), "max": _eur("9.99"), "count": 1},
            {"min": _eur("10.00"), "max": _eur("19.99"), "count": 1},
            {"min": _eur("20.00"), "max": _eur("49.99"), "count": 1},
        ],
        "ratings": [],
    }


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"category": "one"},
        {"brand": "acme"},
        {"in_stock": "true"},
        {"attr_colour": "Red"},
        {"search": "product"},
        {"price_min": "10.00"},
        {"brand": "nobody"},
    ],
    ids=str,
)
def test_every_count_is_that_of_the_list(api, catalogue, query):
    facets = api.get("/api/v1/products/facets/", query).json()

    def count(**further):
        found = api.get("/api/v1/products/", {**query, **further, "count": "true"})
        return found.json()["count"]

    assert facets["count"] == count()
    for category in facets["categories"]:
        if "category" not in query:
            assert category["count"] == count(category=category["slug"])
    for brand in facets["brands"]:
        assert brand["count"] == count(brand=brand["slug"])
    for attribute in facets["attributes"]:
        for value in attribute.get("values", ()):
            further = {f"attr_{attribute['code']}": value["value"]}
            assert value["count"] == count(**further) or "attr_colour" in query
    for stock in facets["availability"]:
        if "in_stock" not in query:
            assert stock["count"] == count(in_stock=str(stock["in_stock"]).lower())
    assert facets["exact"] is True
    for band in facets["prices"]:
        bounds = {"price_min": band["min"]["amount"], "price_max": band["max"]["amount"]}
        assert band["count"] == count(**bounds)


@pytest.mark.parametrize("n", [10, 100])
def test_facets_take_three_statements(api, catalogue, sell, n, django_assert_num_queries):
    for _ in range(n):
        sell(100, brand=BrandFactory(), categories=[CategoryFactory()])
    # The store, the tree (kept for seconds in production), the listings.
    with django_assert_num_queries(3):
        api.get("/api/v1/products/facets/", {"brand": "acme", "category": "root"})
    # … and the words of the search.
    with django_assert_num_queries(6):
        api.get("/api/v1/products/facets/", {"attr_colour": "Red", "search": "product"})


def test_facets_survive_odd_names(api, sell):
    AttributeFactory(code="note", name="No\x1fte")
    product = sell(100, brand=BrandFactory(slug="odd", name="A\x1eB"), attributes={"note": "a\tb"})
    index_attributes(product=product)
    rebuild(product_ids=[product.pk])
    found = api.get("/api/v1/products/facets/").json()
    assert found["brands"] == [{"slug": "odd", "name": "A B", "count": 1}]
    assert found["attributes"] == [
        {"code": "note", "name": "No te", "values": [{"value": "a b", "count": 1}]}
    ]


def test_facets_follow_a_renamed_attribute(api, sell, drain):
    attribute = AttributeFactory(code="colour", name="Colour")
    product = sell(100, attributes={"colour": "Red"})
    index_attributes(product=product)
    rebuild(product_ids=[product.pk])
    attribute.name = "Color"
    save_attribute(attribute=attribute)
    drain()
    (facet,) = api.get("/api/v1/products/facets/").json()["attributes"]
    assert facet["name"] == "Color"
    attribute.is_filterable = False
    save_attribute(attribute=attribute)
    drain()
    assert api.get("/api/v1/products/facets/").json()["attributes"] == []


def test_facets_of_an_empty_shop(api, store):
    assert api.get("/api/v1/products/facets/").json() == {
        "count": 0,
        "exact": True,
        "availability": [],
        "categories": [],
        "brands": [],
        "attributes": [],
        "prices": [],
        "ratings": [],
    }


def test_facets_of_more_products_than_are_counted_are_estimates(api, sell, monkeypatch):
    shelf, brand = CategoryFactory(slug="shelf"), BrandFactory(slug="half")
    for number in range(120):
        sell(100, name="Lamp", categories=[shelf], brand=brand if number % 2 else None)
    monkeypatch.setattr("apps.storefront.selectors.facets.MOST_COUNTED", 60)
    for query in ({}, {"category": "shelf"}):
        found = api.get("/api/v1/products/facets/", query).json()
        assert found["exact"] is False
        assert 80 < found["count"] < 160
        assert 30 < found["brands"][0]["count"] < 90
        assert found["availability"] == [{"in_stock": False, "count": found["count"]}]
    found = api.get("/api/v1/products/facets/", {"search": "lamp"}).json()
    assert (found["count"], found["exact"]) == (60, False)
    told = api.get("/api/v1/products/", {"category": "shelf", "count": "true"}).json()
    assert (told["count"], told["count_exact"]) == (60, False)
