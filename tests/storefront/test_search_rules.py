"""Synonyms and redirects: what merchants say about searches."""

import pytest

from apps.storefront.models import SearchRedirect, SearchSynonym
from tests.factories.storefront import SearchRedirectFactory, SearchSynonymFactory
from tests.factories.stores import StoreFactory

SYNONYMS, REDIRECTS = "/api/v1/admin/search-synonyms/", "/api/v1/admin/search-redirects/"


def test_synonyms_find_each_other_in_their_store(sell, slugs, store):
    SearchSynonymFactory(store=store, words="Sofá,  couches , settee")
    SearchSynonymFactory(store=StoreFactory(code="other"), words="sofa, bench")
    sell(100, slug="sofa", name="Sofa")
    sell(100, slug="couch", name="Red couch")
    sell(100, slug="bench", name="Bench")
    for search in ("sofa", "couch", "settees"):
        assert slugs(search=search) == ["sofa", "couch"], search
    assert slugs(search="red settee") == ["couch"]
    assert slugs(search="bench") == ["bench"]


def test_redirect_is_told_with_the_results(api, sell, store):
    SearchRedirectFactory(store=store, query="returns", target="/pages/returns/")
    sell(100, slug="one", name="Returns label")
    found = api.get("/api/v1/products/", {"search": " RETÚRNS "}).json()
    assert found["redirect"] == "/pages/returns/"
    assert [item["slug"] for item in found["results"]] == ["one"]
    for query in ({"search": "returns label"}, {}, {"search": ""}):
        assert "redirect" not in api.get("/api/v1/products/", query).json()
    StoreFactory(code="other")
    there = api.get("/api/v1/products/?search=returns", headers={"X-Store": "other"}).json()
    assert "redirect" not in there


def test_merchant_keeps_synonyms(as_merchant, store):
    data = {"store": store.code, "words": "sofa, couch"}
    made = as_merchant.post(SYNONYMS, data, format="json")
    assert made.status_code == 201
    url = f"{SYNONYMS}{made.json()['id']}/"
    changed = as_merchant.patch(url, {"words": "sofa, settee"}, format="json")
    assert (changed.status_code, changed.json()["words"]) == (200, "sofa, settee")
    listed = as_merchant.get(SYNONYMS, {"store": store.code}).json()["results"]
    assert [row["words"] for row in listed] == ["sofa, settee"]
    assert as_merchant.delete(url).status_code == 204
    assert not SearchSynonym.objects.exists()


def test_merchant_keeps_redirects(as_merchant, store):
    data = {"store": store.code, "query": "Café  Returns", "target": "/pages/returns/"}
    made = as_merchant.post(REDIRECTS, data, format="json")
    assert (made.status_code, made.json()["query"]) == (201, "cafe returns")
    again = as_merchant.post(REDIRECTS, {**data, "query": "cafe RETURNS"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "redirect_exists")
    url = f"{REDIRECTS}{made.json()['id']}/"
    assert as_merchant.patch(url, {"target": "/x/"}, format="json").json()["target"] == "/x/"
    assert as_merchant.delete(url).status_code == 204
    assert not SearchRedirect.objects.exists()


@pytest.mark.parametrize("words", ["sofa", "sofa, SOFA", "sofa,", "sofa, arm chair", "sofa, !"])
def test_synonyms_are_several_single_words(as_merchant, store, words):
    response = as_merchant.post(SYNONYMS, {"store": store.code, "words": words}, format="json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_synonym")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "pages/", "/\\evil.example/"]
)
def test_redirect_stays_in_the_shop(as_merchant, store, target):
    data = {"store": store.code, "query": "x", "target": target}
    response = as_merchant.post(REDIRECTS, data, format="json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_redirect")
