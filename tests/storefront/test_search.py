"""What a search finds, and in what order."""

import pytest

from apps.storefront.models import Listing, Posting, SearchSynonym, Term
from apps.storefront.services.indexing import count_terms
from apps.storefront.services.listing import rebuild
from tests.factories.products import (
    AttributeFactory,
    BrandFactory,
    CategoryFactory,
    ProductTypeFactory,
    TagFactory,
)
from tests.factories.stores import StoreFactory


def test_place_of_the_word_decides_first(sell, slugs):
    colour = AttributeFactory(code="use")
    kind = ProductTypeFactory()
    kind.attributes.add(colour)
    sell(100, slug="none", name="Pan")
    sell(100, slug="text", name="Cup", description="<p>Goes with any <b>kettle</b>.</p>")
    sell(100, slug="attribute", name="Lid", product_type=kind, attributes={"use": "Kettle"})
    sell(100, slug="sku", name="Spout", variants__sku="KETTLE-1")
    sell(100, slug="name", name="Steel kettle")
    sell(100, slug="start", name="Kettle of steel")
    sell(100, slug="exact", name="Base", variants__sku="KETTLE")
    found = ["exact", "start", "name", "sku", "attribute", "text"]
    assert slugs(search="kettle") == found
    assert slugs(search="kettles") == found


def test_popularity_and_then_stock_decide_between_equals(sell, slugs):
    sell(100, slug="there", name="Blue kettle", stock=1)
    sell(100, slug="gone", name="Red kettle")
    sold = sell(100, slug="sold", name="Old kettle")
    assert slugs(search="kettle") == ["there", "sold", "gone"]
    Listing.objects.filter(product=sold).update(popularity=3)
    rebuild(product_ids=[sold.pk])
    assert slugs(search="kettle") == ["sold", "there", "gone"]


@pytest.mark.parametrize("search", ["kett", "kettel", "ketle", "kettlee", "jettle", "KÉTTLÉS"])
def test_word_begun_or_misspelt_is_found(sell, slugs, search):
    sell(100, slug="kettle", name="Kettle")
    sell(100, slug="metal", name="Metal pan")
    assert slugs(search=search) == ["kettle"]
    assert slugs(search=f"{search} metal") == []


def test_known_word_means_itself(sell, slugs):
    sell(100, slug="card", name="Card")
    sell(100, slug="cart", name="Cart")
    sell(100, slug="cardigan", name="Cardigan")
    assert slugs(search="card") == ["card"]
    assert slugs(search="car") == ["cardigan", "cart", "card"]
    assert slugs(search="carx") == ["cart", "card"]


def test_numbers_are_never_guessed(sell, slugs):
    sell(100, slug="one", name="Filter", variants__sku="AB-1234")
    assert slugs(search="ab-1234") == slugs(search="AB1234") == slugs(search="1234") == ["one"]
    assert slugs(search="ab12") == ["one"]
    assert slugs(search="ab-1235") == slugs(search="1235") == []


def test_hyphen_may_be_left_out_or_typed(sell, slugs):
    sell(100, slug="shirt", name="T-shirt")
    for search in ("t-shirt", "tshirt", "shirt", "T-SHIRTS", "t-shrt"):
        assert slugs(search=search) == ["shirt"], search


def test_labels_are_found(sell, slugs):
    sell(
        100,
        slug="one",
        name="Mug",
        brand=BrandFactory(name="Acme"),
        tags=[TagFactory(name="Gift")],
        categories=[CategoryFactory(name="Kitchen things")],
    )
    for search in ("acme", "gifts", "kitchen", "mug acme gift thing"):
        assert slugs(search=search) == ["one"], search


@pytest.mark.parametrize(
    ("language", "name", "search"),
    [
        ("en", "Strawberries in boxes", "strawberry box"),
        ("en", "Cookie", "the cookies"),
        ("es-ES", "Camiones rojos de juguete", "camión rojo"),
        ("es", "Luz", "luces"),
        ("de", "Kinderbücher", "kinderbuch"),
        ("fr", "Chapeaux", "chapeau"),
        ("it", "Scarpe rosse", "scarpa rossa"),
        ("pt", "Calções", "calção"),
        ("xx", "Plain", "plain"),
    ],
)
def test_endings_of_the_stores_language_are_one(sell, slugs, store, language, name, search):
    store.languages = [language]
    store.save()
    sell(100, slug="one", name=name)
    assert slugs(search=search) == ["one"]


def test_words_that_say_nothing_are_not_asked_for(sell, slugs):
    sell(100, slug="one", name="Kettle for tea")
    sell(100, slug="two", name="The The")
    assert slugs(search="a kettle with tea") == ["one"]
    assert slugs(search="the") == ["two"]


def test_search_without_a_word_lists_nothing_or_all(sell, slugs):
    sell(100, slug="one")
    assert slugs(search="!?") == []
    assert slugs(search="  ") == ["one"]


def test_each_store_has_its_own_words(api, sell, slugs):
    other = StoreFactory(code="other")
    sell(100, slug="there", name="Kettle", stores=[other])
    assert slugs(search="kettle") == []
    found = api.get("/api/v1/products/?search=kettle", headers={"X-Store": "other"}).json()
    assert [item["slug"] for item in found["results"]] == ["there"]


def test_what_a_product_no_longer_says_finds_nothing(sell, slugs):
    product = sell(100, slug="one", name="Kettle", description="Whistles")
    product.name, product.description = "Pot", ""
    product.save()
    rebuild(product_ids=[product.pk])
    assert slugs(search="kettle") == slugs(search="whistle") == []
    assert slugs(search="pot") == ["one"]
    product.status = "archived"
    product.save()
    rebuild(product_ids=[product.pk])
    assert not Posting.objects.exists()


def test_pages_of_a_search_keep_every_row(api, sell):
    names = ["Kettle", "Blue kettle", "Kettles of tea", "Tea kettle", "Kettel", "Kettlebell", "Tea"]
    for number, name in enumerate(names * 3):
        sell(100, slug=f"p{number}", name=name, stock=number % 2)
    for search in ("kettle", "ket", "tea kettle", "kettle of te"):
        whole = api.get("/api/v1/products/", {"search": search, "limit": 100}).json()
        expected = [item["slug"] for item in whole["results"]]
        url, seen = "/api/v1/products/", []
        page = api.get(url, {"search": search, "limit": 4}).json()
        while True:
            seen.append([item["slug"] for item in page["results"]])
            if page["next"] is None:
                break
            page = api.get(page["next"]).json()
        assert [slug for one in seen for slug in one] == expected
        assert len(set(expected)) == len(expected) > 4
        back = []
        while page["previous"] is not None:
            page = api.get(page["previous"]).json()
            back.insert(0, [item["slug"] for item in page["results"]])
        assert back == seen[:-1]


def test_search_goes_with_filters_facets_and_other_orders(api, sell, slugs):
    sell(300, slug="dear", name="Kettle", stock=1)
    sell(100, slug="cheap", name="Kettle")
    sell(50, slug="pan", name="Pan")
    assert slugs(search="kettle", ordering="price") == ["cheap", "dear"]
    assert slugs(search="kettle", in_stock="true") == ["dear"]
    found = api.get("/api/v1/products/", {"search": "ket", "count": "true"}).json()
    assert found["count"] == 2
    assert api.get("/api/v1/products/facets/", {"search": "kettle"}).json()["count"] == 2


def test_frequent_words_are_guessed_first(sell):
    for name in ("Kettle", "Kettle", "Pan"):
        sell(100, name=name)
    count_terms()
    counted = dict(Term.objects.filter(text__in=["kettle", "pan"]).values_list("text", "frequency"))
    assert counted == {"kettle": 2, "pan": 1}


def test_several_words_are_ranked_along_the_rarest(api, sell, slugs, monkeypatch):
    for number in range(4):
        sell(100, name=f"Red lamp {number}", slug=f"red-{number}")
    sell(100, name="Blue lamp", slug="blue", description="<p>Not red</p>")
    sell(100, name="Lamp", slug="lamp")
    count_terms()
    monkeypatch.setattr("apps.storefront.selectors.search.database.MOST_RANKED", 3)
    # The rarest is "red": its best three, of which there are more.
    assert slugs(search="lamp red") == ["red-3", "red-2", "red-1"]
    first = api.get("/api/v1/products/", {"search": "red lamp", "limit": 2}).json()
    then = api.get(first["next"]).json()
    assert [row["slug"] for row in then["results"]] == ["red-1"]
    assert then["next"] is None
    # Other orders and counts know them all.
    assert len(slugs(search="lamp red", ordering="price")) == 5
    assert api.get("/api/v1/products/facets/", {"search": "lamp red"}).json()["count"] == 5


def test_frequent_word_that_is_begun_stands_alone(sell, slugs, monkeypatch):
    for number in range(4):
        sell(100, name="Lamp", slug=f"lamp-{number}")
    sell(100, name="Lame", slug="lame")
    count_terms()
    assert len(slugs(search="lam")) == 5
    monkeypatch.setattr("apps.storefront.selectors.search.meanings.MOST_SAID", 3)
    assert slugs(search="lam") == ["lamp-3", "lamp-2", "lamp-1", "lamp-0"]


def test_synonyms_of_frequent_words_are_ranked_together(sell, slugs, store, monkeypatch):
    SearchSynonym.objects.create(store=store, words="sofa, couch")
    sell(100, name="A couch", slug="second")
    sell(100, name="Sofa", slug="first")
    sell(100, name="Sofa and couch", slug="both")
    count_terms()
    monkeypatch.setattr("apps.storefront.selectors.search.database.MOST_RANKED", 2)
    assert slugs(search="couch") == ["both", "first", "second"]
