"""Varnish and nginx with our configurations, in front of a real server: what they keep, how soon
they forget it, and that nothing of one caller is ever given to another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.core.providers import provider
from apps.pricing.services.prices import set_price
from tests.contract.shop import BASE, Furnished, furnish, values_for
from tests.flows.conftest import ADDRESS, Buyer
from tests.permissions.operations import operations
from tests.torture.edges import SECRET, Edge, nginx, varnish
from tests.torture.serving import Server, serving, until

pytestmark = pytest.mark.race

LIST = f"{BASE}/products/"
FORGOTTEN_WITHIN = 2.0


@pytest.fixture
def shop(store: Any) -> Furnished:
    return furnish(store)


@pytest.fixture
def server(shop: Furnished, environment: dict[str, str]) -> Iterator[Server]:
    with serving(environment) as found:
        yield found


def seen_after(edge: Edge, shop: Furnished, drain: Callable[[], int], amount: int) -> float:
    """Seconds from a new price to the list that shows it; 20 at most."""
    set_price(variant=shop.shop.book, currency="EUR", amount=amount)
    started = time.monotonic()
    drain()
    price = f'"{amount / 100:.2f}"'.encode()
    assert until(lambda: price in edge.ask(LIST).body, 20)
    return time.monotonic() - started


def private_answers(edge: Edge, shop: Furnished, *, staff: bool) -> dict[str, list[Any]]:
    """What went wrong, walking every GET of the API (or all but the staff's) as Ana and as the
    merchant, then as nobody."""
    wrong: dict[str, list[Any]] = {}
    marks = (shop.ana.user.email, shop.ana.order["token"], shop.ana.address_id)
    for operation in operations():
        if operation.method != "GET" or (operation.path.startswith("/admin/") and not staff):
            continue
        url = operation.url(**values_for(operation.path, shop.hits))
        for client in (shop.ana.client, shop.merchant):
            answer = edge.ask(url, Authorization=client._credentials["HTTP_AUTHORIZATION"])
            if answer.hit:
                wrong.setdefault(operation.key, []).append("a hit with credentials")
        nobody = [edge.ask(url) for _ in range(2)]
        is_public = "public" in (nobody[0].headers["Cache-Control"] or "")
        if any(mark.encode() in answer.body for answer in nobody for mark in marks):
            wrong.setdefault(operation.key, []).append("told of Ana")
        if nobody[1].hit and not is_public:
            wrong.setdefault(operation.key, []).append("kept, and not public")
    guest = Buyer(APIClient())
    guest.fill(("BOOK", 1), email="guest@example.com", shipping_address=ADDRESS)
    order = guest.checkout().json()["order"]
    cart = guest.fill(("BOOK", 1))
    for path in (
        f"{BASE}/orders/{order['number']}/?token={order['token']}",
        f"{BASE}/carts/{cart['id']}/",
    ):
        answers = [edge.ask(path) for _ in range(2)]
        if any(answer.hit or answer.status != 200 for answer in answers):
            wrong[path] = [(answer.status, answer.hit) for answer in answers]
    for path in ("/admin/login/", "/", "/cart/", "/health/live/"):
        if edge.ask(path).headers["X-Cache"] == edge.ask(path).headers["X-Cache"] == "hit":
            wrong[path] = ["kept"]
    return wrong


def test_nothing_private_is_kept_in_front_and_new_prices_are_seen(
    shop, server, drain, settings, tmp_path
):
    """One shop and one server for both: they take longer to build than to ask."""
    with varnish(server, tmp_path) as edge:
        settings.EDGE_CACHES = ["apps.core.edge.varnish.Varnish"]
        settings.VARNISH_URLS, settings.VARNISH_SECRET = [f"http://127.0.0.1:{edge.port}/"], SECRET
        provider.cache_clear()
        drain()
        _varnish_knows_what_to_keep(edge)
        assert seen_after(edge, shop, drain, 7_701) < FORGOTTEN_WITHIN
        assert edge.ask(LIST).hit
        assert private_answers(edge, shop, staff=True) == {}
    settings.EDGE_CACHES = []
    with nginx(server, tmp_path) as edge:
        answers = [edge.ask(LIST) for _ in range(3)]
        assert any(answer.hit for answer in answers[1:])
        assert "Surrogate-Key" not in answers[0].headers
        assert not edge.ask(LIST, Cookie="sessionid=x").hit
        assert seen_after(edge, shop, drain, 7_702) < FORGOTTEN_WITHIN
        assert private_answers(edge, shop, staff=False) == {}


def _varnish_knows_what_to_keep(edge: Edge) -> None:
    first, second = edge.ask(LIST), edge.ask(LIST, Accept_Language="en-GB,en;q=0.8")
    assert (first.hit, second.hit, first.body == second.body) == (False, True, True)
    assert edge.ask(LIST, If_None_Match=first.headers["ETag"]).status == 304
    for name in ("Surrogate-Key", "xkey", "Cache-Tag", "X-Varnish"):
        assert name not in second.headers
    for other in ({"X_Store": "main"}, {"Accept_Language": "es"}, {"Host": "other.example"}):
        assert not edge.ask(LIST, **other).hit
    assert edge.ask(LIST, Cookie="_ga=1").hit
    assert not edge.ask(LIST, Cookie="a=b; sessionid=x").hit
    for secret in ("wrong", ""):
        purge = {"X_Purge_Secret": secret, "X_Purge_Keys": "products"}
        assert edge.ask("/", "PURGE", **purge).status == 403
    assert edge.ask(LIST).hit
