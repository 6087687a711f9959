"""Caches in front of the shop: told what is outdated, over HTTP, in the providers' own words."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.checks import run_checks
from django.db import transaction

from apps.core.edge import purging
from apps.core.edge.purging import PurgeFailed, purge_due
from apps.core.models import OutboxMessage, OutdatedKeys
from apps.core.outdated import outdate
from apps.core.providers import provider

FASTLY = "apps.core.edge.fastly.Fastly"
CLOUDFLARE = "apps.core.edge.cloudflare.Cloudflare"
VARNISH = "apps.core.edge.varnish.Varnish"


class Simulator(BaseHTTPRequestHandler):
    """Fastly's and Cloudflare's purge calls, and our Varnish's, with their limits."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/service/shop/purge":
            keys = self.headers["Surrogate-Key"].split()
            known = self.headers["Fastly-Key"] == "fastly-token"
            status = 401 if not known else 400 if len(keys) > 256 else 200
            answer = {key: f"1-{number}" for number, key in enumerate(keys)}
        elif self.path == "/client/v4/zones/zone/purge_cache":
            keys = json.loads(body)["tags"]
            known = self.headers["Authorization"] == "Bearer cloudflare-token"
            status = 403 if not known else 400 if len(keys) > 100 else 200
            answer = {"success": status == 200, "errors": [], "result": {"id": "zone"}}
        else:
            status, keys, answer = 404, [], {}
        self._answer(status, keys, answer)

    def do_PURGE(self):
        known = self.headers["X-Purge-Secret"] == "varnish-secret"
        self._answer(200 if known else 403, self.headers["X-Purge-Keys"].split(), {})

    def _answer(self, status, keys, answer):
        status = self.server.status or status
        if status == 200:
            self.server.purged.append((self.path, keys))
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        return


@pytest.fixture
def simulator(settings, monkeypatch):
    monkeypatch.setattr(purging, "_UNTIL_READ", 0.0)
    running = ThreadingHTTPServer(("127.0.0.1", 0), Simulator)
    running.purged, running.status = [], 0
    threading.Thread(target=running.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{running.server_port}"
    settings.FASTLY_API_BASE = address
    settings.FASTLY_SERVICE_ID, settings.FASTLY_TOKEN = "shop", "fastly-token"
    settings.CLOUDFLARE_API_BASE = f"{address}/client/v4"
    settings.CLOUDFLARE_ZONE_ID, settings.CLOUDFLARE_TOKEN = "zone", "cloudflare-token"
    settings.VARNISH_URLS, settings.VARNISH_SECRET = (
        [f"{address}/a", f"{address}/b"],
        "varnish-secret",
    )
    provider.cache_clear()
    yield running
    running.shutdown()
    running.server_close()
    provider.cache_clear()


def change(*keys: str) -> None:
    with transaction.atomic():
        outdate(*keys)


def test_a_change_is_told_to_every_cache_after_its_commit(db, simulator, settings, drain):
    settings.EDGE_CACHES = [FASTLY, CLOUDFLARE, VARNISH]
    change("product-mug", "products")
    change("products")
    assert simulator.purged == []
    drain()
    keys = ["product-mug", "products"]
    assert sorted(simulator.purged) == sorted(
        (path, keys)
        for path in ("/service/shop/purge", "/client/v4/zones/zone/purge_cache", "/a", "/b")
    )
    assert not OutdatedKeys.objects.filter(purged=False).exists()


def test_many_keys_are_as_few_calls_as_each_provider_takes(db, simulator, settings):
    settings.EDGE_CACHES = [FASTLY, CLOUDFLARE, VARNISH]
    settings.VARNISH_URLS = settings.VARNISH_URLS[:1]
    names = sorted(f"product-{number}" for number in range(260))
    change(*names)
    assert purge_due() == 260
    sizes = {}
    for path, keys in simulator.purged:
        sizes.setdefault(path.rsplit("/", 1)[-1], []).append(len(keys))
    assert sizes == {"purge": [256, 4], "purge_cache": [100, 100, 60], "a": [25] * 10 + [10]}
    assert purge_due() == 0


def test_a_cache_that_fails_is_told_again_until_it_is(db, simulator, settings):
    settings.EDGE_CACHES = [FASTLY]
    change("products")
    simulator.status = 503
    with pytest.raises(PurgeFailed):
        purge_due()
    simulator.status = 0
    settings.FASTLY_TOKEN = "wrong"
    with pytest.raises(PurgeFailed):
        purge_due()
    settings.FASTLY_TOKEN = "fastly-token"
    assert purge_due() == 1
    assert simulator.purged == [("/service/shop/purge", ["products"])]


def test_what_rolls_back_is_told_to_nobody(db, simulator, settings, drain):
    settings.EDGE_CACHES = [FASTLY]
    with transaction.atomic():
        outdate("products")
        transaction.set_rollback(True)
    drain()
    assert simulator.purged == []


def test_a_shop_without_caches_in_front_publishes_nothing(db, settings):
    assert settings.EDGE_CACHES == []
    change("products")
    assert not OutboxMessage.objects.filter(name="public.changed").exists()
    assert purge_due() == 0


def test_cloudflare_reads_the_keys_in_a_header_of_its_own(simulator, settings, api, store):
    assert "Cache-Tag" not in api.get("/api/v1/products/")
    settings.EDGE_CACHES = [CLOUDFLARE]
    first = api.get("/api/v1/products/")
    assert first["Cache-Tag"] == "products,store-main"
    again = api.get("/api/v1/products/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again["Cache-Tag"]) == (304, "products,store-main")


@pytest.mark.parametrize(
    ("caches", "found"),
    [
        ([VARNISH], ["commerce.E007"] * 2),
        (["apps.core.edge.base.edge_caches", "no.such"], ["commerce.E006"] * 2),
    ],
)
def test_wrong_settings_are_refused_at_the_start(settings, caches, found):
    settings.EDGE_CACHES = caches
    assert [error.id for error in run_checks() if error.id in found] == found
