"""After a deploy: what is asked most is asked once, over HTTP."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.management import CommandError, call_command

from tests.factories.products import CategoryFactory
from tests.factories.stores import StoreFactory


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(
            (self.headers["X-Store"], self.headers["Accept-Language"], self.path)
        )
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        return


@pytest.fixture
def server():
    running = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    running.asked, running.status = [], 200
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def test_every_store_is_asked_for_its_lists_and_most_popular_pages(server, sell, store, capsys):
    store.currencies = ["USD"]
    store.save()
    outlet = StoreFactory(code="outlet", languages=["es"])
    category = CategoryFactory(slug="c")
    sell(1000, slug="cup", categories=[category], stores=[store, outlet])
    mug = sell(1000, slug="mug", categories=[category], stores=[store, outlet])
    mug.listings.update(popularity=9)
    url = f"http://127.0.0.1:{server.server_port}/"
    call_command("warm_cache", url=url, products=1)
    lists = ["products/", "products/facets/", "products/?category=c"]
    own = ["categories/", "collections/", "categories/c/", *lists, "products/mug/"]
    dollars = [f"{path}{'&' if '?' in path else '?'}currency=USD" for path in lists]
    assert sorted(server.asked) == sorted(
        [("main", "en", f"/api/v1/{path}") for path in [*own, *dollars]]
        + [("outlet", "es", f"/api/v1/{path}") for path in own]
    )
    assert capsys.readouterr().out == f"{len(server.asked)} answers are ready\n"
    server.status = 503
    with pytest.raises(CommandError, match="weren't 200"):
        call_command("warm_cache", url=url, products=0)


def test_a_shop_that_does_not_answer_is_said_so(server, store):
    url = f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    with pytest.raises(CommandError, match="doesn't answer"):
        call_command("warm_cache", url=url)
