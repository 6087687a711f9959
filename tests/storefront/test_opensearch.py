"""The search by OpenSearch, against a simulator that reads its documented API strictly."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer

import pytest
from django.core.cache import cache
from django.core.management import call_command

from apps.core import remote
from apps.products.services.product import set_status
from apps.storefront.models import SearchSynonym
from tests.storefront.opensearch import World, handler


@pytest.fixture
def server(settings):
    """A running server, which the settings name."""
    cache.clear()
    remote._local.clear()
    world = World()
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler(world))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    settings.SEARCH_BACKEND = "apps.storefront.services.opensearch.OpenSearch"
    settings.OPENSEARCH_URL = f"http://127.0.0.1:{running.server_port}"
    settings.OPENSEARCH_PATIENCE = 5.0
    settings.HTTP_ALLOW_PRIVATE_ADDRESSES = False
    yield world
    running.shutdown()
    running.server_close()
    remote._local.clear()


@pytest.fixture
def shelf(server, sell, store):
    sell(100, name="Kettle", slug="kettle", stock=1)
    sell(100, name="Red lamp", slug="lamp", description="<p>Goes with a kettle</p>")
    sell(100, name="Tee lamps in red", slug="tee")
    call_command("rebuild_search", verbosity=0)
    return server


def test_places_prefixes_misspellings_and_endings_are_the_servers(shelf, slugs):
    assert slugs(search="kettle") == ["kettle", "lamp"]
    assert slugs(search="kettel") == ["kettle"]
    assert slugs(search="ket") == ["kettle"]
    # A name with the whole phrase comes first.
    assert slugs(search="red lamps") == ["lamp", "tee"]
    assert slugs(search="kettle nothing") == []
    assert len(shelf.searches) >= 5


def test_skus_and_synonyms_are_found(shelf, slugs, store, sell, drain):
    product = sell(100, name="Sofa", slug="sofa")
    drain()
    variant = product.variants.get()
    assert slugs(search=variant.sku) == ["sofa"]
    assert slugs(search="couch") == []
    SearchSynonym.objects.create(store=store, words="sofa, couch")
    assert slugs(search="couch") == ["sofa"]


def test_pages_filters_and_other_orders_are_the_databases(shelf, api, slugs):
    assert slugs(search="kettle", in_stock="true") == ["kettle"]
    assert slugs(search="kettle", ordering="name") == ["kettle", "lamp"]
    first = api.get("/api/v1/products/", {"search": "kettle", "limit": 1}).json()
    then = api.get(first["next"]).json()
    assert [row["slug"] for page in (first, then) for row in page["results"]] == ["kettle", "lamp"]
    assert api.get(then["previous"]).json()["results"] == first["results"]
    assert api.get("/api/v1/products/facets/", {"search": "kettle"}).json()["count"] == 2


def test_documents_follow_the_listings_after_the_commit(shelf, sell, slugs, drain):
    made = sell(100, name="Clock", slug="clock")
    assert slugs(search="clock") == []
    drain()
    assert slugs(search="clock") == ["clock"]
    set_status(products=[made], status="archived")
    drain()
    assert "Clock" not in [row["name"] for row in _rows(shelf)]


def _rows(world):
    return [row for index in world.indexes.values() for _version, row in index.rows.values()]


def test_rebuilding_switches_the_alias_and_leaves_one_index(shelf):
    before = dict(shelf.aliases)
    call_command("rebuild_search", verbosity=0)
    assert list(shelf.aliases) == list(before) == ["commerce-en"]
    assert shelf.aliases != before
    assert list(shelf.indexes) == list(shelf.aliases.values())
    assert len(_rows(shelf)) == 3


def test_database_answers_while_the_server_fails_or_is_late(shelf, slugs, settings):
    shelf.slow, settings.OPENSEARCH_PATIENCE = 0.3, 0.05
    assert slugs(search="kettle") == ["kettle", "lamp"]
    shelf.slow, settings.OPENSEARCH_PATIENCE = 0.0, 5.0
    asked = len(shelf.searches)
    shelf.down = True
    for _ in range(6):
        assert slugs(search="kettle") == ["kettle", "lamp"]
    shelf.down = False
    # The breaker has opened: nobody asks for a while.
    assert slugs(search="kettle") == ["kettle", "lamp"]
    # … but for the one that was late, and may have been answered by now.
    assert len(shelf.searches) - asked <= 1


def test_database_answers_when_there_is_no_index(server, sell, slugs):
    sell(100, name="Kettle", slug="kettle")
    assert slugs(search="kettel") == ["kettle"]
    assert server.searches == []


def test_document_that_the_server_misses_is_sent_again(server, sell, drain):
    sell(100, name="Kettle", slug="kettle")
    drain()
    assert _rows(server) == []
    call_command("rebuild_search", verbosity=0)
    assert [row["name"] for row in _rows(server)] == ["Kettle"]
