"""Public answers given again without Django: never longer than they are true."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction
from django.utils import timezone

from apps.core import outdated
from apps.core.api.public import KEEPABLE, Keepable
from apps.core.cache import ShortCache
from apps.core.outdated import log, outdate
from apps.core.ready.application import ReadyBytes
from apps.core.ready.making import Making
from apps.core.ready.shelf import Shelf
from apps.inventory.services.stock import adjust, receive
from apps.pricing.services.prices import set_price
from apps.products.services.categories import create_category, move_category, update_category
from apps.products.services.collections import save_collection
from apps.products.services.product import delete_product, update_product
from apps.storefront.models import SearchRedirect, SearchSynonym
from apps.storefront.services.listing import reprice_all
from apps.storefront.services.rules import delete_rule, save_redirect, save_synonym
from tests.factories.edge import Wsgi
from tests.factories.products import CategoryFactory, CollectionFactory
from tests.torture.serving import black_hole, free_port

LIST, PAGE = "/api/v1/products/", "/api/v1/products/mug/"


@pytest.fixture
def follow(monkeypatch):
    """A log that this process reads anew at each request."""
    monkeypatch.setattr(outdated, "TRUST", 0.0)
    log.reset()
    yield
    log.reset()


@pytest.fixture
def edge(db, follow, settings):
    settings.READY_BYTES_MB = 8
    settings.CORS_ALLOWED_ORIGINS = ["https://front.example.com"]
    return Wsgi(ReadyBytes, WSGIHandler())


@pytest.fixture
def mug(sell):
    return sell(1000, stock=5, slug="mug", name="Mug")


def test_the_second_caller_is_given_the_same_bytes_without_django(
    edge, mug, django_assert_num_queries
):
    first = edge.get(LIST)
    with django_assert_num_queries(1):  # the log
        second = edge.get(LIST, cookie="sessionid=x", authorization="Bearer nonsense")
    assert (first.status, second.status, edge.asked) == (200, 200, 1)
    assert first.body == second.body
    own = {"X-Request-Id"}
    assert {n: v for n, v in first.headers.items() if n not in own} == {
        n: v for n, v in second.headers.items() if n not in own
    }
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert second.headers["X-Content-Type-Options"] == "nosniff"
    assert second.headers["Surrogate-Key"] == "products store-main"
    assert edge.get(LIST, x_request_id="my-own-request").headers["X-Request-Id"] == "my-own-request"


def test_who_has_it_already_is_told_so(edge, mug):
    etag = edge.get(LIST, if_none_match='"other"').headers["ETag"]
    again = edge.get(LIST, if_none_match=f'W/"x", {etag}')
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)
    head = edge.get(LIST, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    assert edge.asked == 1


@pytest.mark.parametrize(
    "other",
    [
        {"x_store": "main"},
        {"accept_language": "es"},
        {"host": "other.example.com"},
        {"origin": "https://front.example.com"},
    ],
)
def test_what_an_answer_depends_on_is_kept_apart(edge, mug, other):
    edge.get(LIST)
    edge.get(LIST, **other)
    edge.get(LIST, **other)
    assert edge.asked == 2


def test_origins_that_may_read_are_told_so_and_others_share_an_answer(edge, mug):
    allowed = "Access-Control-Allow-Origin"
    for _ in range(2):
        assert edge.get(LIST, origin="https://front.example.com").headers[allowed] == (
            "https://front.example.com"
        )
    for origin in ("https://a.example.com", "https://b.example.com"):
        assert allowed not in edge.get(LIST, origin=origin).headers
    assert edge.asked == 2


def test_refusals_redirects_and_private_answers_are_never_kept(edge, mug, settings):
    update_product(product=mug, fields={"slug": "cup"})
    for path, status in (
        (f"{LIST}?no=such", 400),
        ("/api/v1/products/none/", 404),
        ("/api/v1/me/", 401),
        ("/api/v1/no/such/", 404),
        ("/health/live/", 200),
    ):
        for _ in range(2):
            assert edge.get(path).status == status
    assert edge.asked == 10
    assert edge.get(LIST, x_store="nowhere").status == 404
    assert edge.get(LIST, accept="text/html").status == 406
    settings.ALLOWED_HOSTS = ["shop.example.com"]
    assert [edge.get(LIST, host="evil.example.com").status for _ in range(2)] == [400, 400]


def change(edge: Wsgi, path: str, work: Callable[[], object], drain: Callable[[], int]) -> bool:
    """Whether the answer is made anew after some work."""
    edge.get(path)
    asked = edge.asked
    edge.get(path)
    assert edge.asked == asked, "it was kept"
    work()
    drain()
    edge.get(path)
    return edge.asked == asked + 1


def test_a_price_is_seen_at_once_in_list_page_and_suggestions(edge, mug, drain):
    variant = mug.variants.get()
    for number, path in enumerate((LIST, PAGE, "/api/v1/products/facets/", f"{LIST}?search=mug")):
        work = partial(set_price, variant=variant, currency="EUR", amount=1100 + number)
        assert change(edge, path, work, drain)
    assert b"11.03" in edge.get(LIST).body


def test_stock_makes_lists_anew_only_when_a_list_shows_it(edge, mug, location, drain):
    variant = mug.variants.get()

    def sell(delta: int) -> Callable[[], object]:
        return lambda: adjust(variant=variant, location=location, delta=delta)

    assert not change(edge, LIST, sell(-1), drain)
    assert change(edge, PAGE, sell(-1), drain)
    assert change(edge, LIST, sell(-3), drain), "sold out"


def test_a_delivery_of_another_product_leaves_a_page_alone(edge, mug, sell, location, drain):
    other = sell(500, stock=5, slug="cup").variants.get()
    assert not change(
        edge, PAGE, lambda: receive(variant=other, location=location, quantity=1), drain
    )


def test_every_other_change_is_seen_at_once(edge, mug, sell, store, drain):
    category, target = CategoryFactory(slug="c"), CategoryFactory(slug="d")
    collection = CollectionFactory(slug="k")
    synonym, redirect = SearchSynonym(store=store), SearchRedirect(store=store)
    doomed = sell(700, slug="doomed")
    rename = {"name": "New"}
    changes: list[tuple[str, Callable[[], object]]] = [
        ("categories/", lambda: create_category(fields={"name": "Third", "slug": "third"})),
        ("categories/c/", lambda: update_category(category=category, fields={"name": "N"})),
        ("categories/", lambda: move_category(category=category, parent=target)),
        ("products/?category=d", lambda: move_category(category=category, parent=None)),
        ("products/", lambda: update_product(product=mug, fields={"name": "Pot"})),
        ("products/", lambda: update_product(product=mug, fields={"categories": [category]})),
        ("collections/k/", lambda: save_collection(collection=collection, fields=rename)),
        ("collections/", lambda: save_collection(collection=collection, fields=rename)),
        (
            "products/?collection=k",
            lambda: save_collection(collection=collection, fields={"products": [mug]}),
        ),
        (
            "products/?search=x",
            lambda: save_synonym(synonym=synonym, changes={"words": "x, pot"}),
        ),
        ("products/?search=x", lambda: delete_rule(rule=synonym)),
        (
            "products/?search=x",
            lambda: save_redirect(redirect=redirect, changes={"query": "x", "target": "/x/"}),
        ),
        ("products/suggest/?q=new", category.delete),
        ("products/", lambda: delete_product(product=doomed)),
        ("products/", reprice_all),
        ("products/", store.save),
    ]
    unseen = [path for path, work in changes if not change(edge, f"/api/v1/{path}", work, drain)]
    assert unseen == []


def test_nothing_is_kept_beyond_the_next_change_of_a_price(edge, mug, drain):
    now = timezone.now()
    mug.listings.update(stale_at=now + timedelta(seconds=0.3))
    edge.get(LIST)
    edge.get(LIST)
    assert edge.asked == 1
    assert edge.get(LIST).headers["Cache-Control"].startswith("public, max-age=0")
    while timezone.now() <= now + timedelta(seconds=0.3):
        time.sleep(0.02)
    edge.get(LIST)
    assert edge.asked == 2


def test_what_changes_while_an_answer_is_made_is_not_kept_as_if_it_were_new(db, follow, settings):
    def django(environ, start_response):
        # The rows were read; then somebody changes them.
        with transaction.atomic():
            outdate("products")
        return kept_by_all(environ, start_response)

    edge = Wsgi(ReadyBytes, django)
    edge.get(LIST)
    edge.get(LIST)
    assert edge.asked == 2


def kept_by_all(environ, start_response, body=b"{}"):
    environ[KEEPABLE] = Keepable(("products",), None, "products")
    start_response("200 OK", [("ETag", '"1"')])

    class Closing(list):
        def close(self) -> None: ...

    return Closing([body])


@pytest.fixture
def quiet_log(monkeypatch):
    log.reset()
    monkeypatch.setattr(log, "follow", lambda: log.state)
    yield
    log.reset()


@pytest.mark.parametrize(("making", "times"), [(Making, 1), (None, 16)])
def test_sixteen_who_ask_at_once_are_given_one_answer(quiet_log, monkeypatch, making, times):
    """And without taking turns each makes its own: the test can tell."""

    def django(environ, start_response):
        time.sleep(0.2)
        return kept_by_all(environ, start_response)

    edge = Wsgi(ReadyBytes, django)
    if making is None:
        monkeypatch.setattr(edge.application._making, "_running", Forgetful())
    barrier = threading.Barrier(16)

    def one(_number: int) -> int:
        barrier.wait()
        return edge.get(LIST).status

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(16))) == {200}
    assert edge.asked == times


class Forgetful(dict):
    """Knows of nobody who is making anything."""

    def get(self, key, default=None):
        return default

    def __delitem__(self, key):
        self.pop(key, None)


def test_who_asks_while_an_old_answer_is_made_anew_is_given_the_old_one(quiet_log, monkeypatch):
    begun, go = threading.Event(), threading.Event()
    bodies = iter([b"old", b"new"])

    def django(environ, start_response):
        body = next(bodies)
        if body == b"new":
            begun.set()
            assert go.wait(5)
        return kept_by_all(environ, start_response, body)

    edge = Wsgi(ReadyBytes, django)
    edge.get(LIST)
    (kept,) = [value for value, _size in edge.application._shelf._kept.values()]
    kept.fresh_until = 0.0
    with ThreadPoolExecutor(1) as pool:
        maker = pool.submit(edge.get, LIST)
        assert begun.wait(5)
        assert edge.get(LIST).body == b"old"
        go.set()
        assert maker.result().body == b"new"
    assert edge.get(LIST).body == b"new"


def test_processes_share_what_one_made(db, follow, settings):
    settings.READY_BYTES_SHARED = True
    here, there = (Wsgi(ReadyBytes, kept_by_all) for _ in range(2))
    here.get(LIST)
    assert there.get(LIST).body == b"{}"
    assert (here.asked, there.asked) == (1, 0)
    with transaction.atomic():
        outdate("products")
    there.get(LIST)
    assert there.asked == 1


LOGGER, NOBODY = "apps.core.ready.making", "no cache, nothing shared"


def test_a_cache_that_is_gone_or_silent_is_asked_once_and_then_left_alone(
    quiet_log, settings, caplog
):
    with black_hole() as silent:
        for port in (silent, free_port()):
            redis = settings.CACHES["default"] | {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": f"redis://127.0.0.1:{port}/0",
                "OPTIONS": {
                    "SOCKET_CONNECT_TIMEOUT": 0.25,
                    "SOCKET_TIMEOUT": 0.25,
                    "IGNORE_EXCEPTIONS": True,
                },
            }
            settings.CACHES = {"default": redis}
            settings.READY_BYTES_SHARED = True
            edge = Wsgi(ReadyBytes, kept_by_all)
            caplog.clear()
            told = [edge.get(f"{LIST}?limit={number}") for number in range(20)]
            assert {answer.status for answer in told} == {200}
            assert edge.asked == 20
            assert [r.getMessage() for r in caplog.records if r.name == LOGGER] == [NOBODY]


def test_a_shelf_gives_up_what_was_asked_for_least(db):
    shelf: Shelf[str] = Shelf(room=10)
    for key in "abc":
        shelf.put(key, key, size=3)
    shelf.get("a")
    shelf.put("d", "d", size=4)
    shelf.put("e", "e", size=11)
    assert [shelf.get(key) for key in "abcde"] == ["a", None, "c", "d", None]


def test_a_short_cache_is_read_again_once_its_key_is_outdated(db, follow):
    loads = iter(range(9))
    short = ShortCache(lambda: next(loads), key="stores", seconds=60, enabled=lambda: True)
    assert (short.get(), short.get()) == (0, 0)
    for key, value in (("products", 0), ("stores", 1)):
        with transaction.atomic():
            outdate(key)
        log.follow()
        assert (short.get(), short.get()) == (value, value)


@pytest.mark.race
def test_a_change_that_commits_after_a_later_one_is_seen_as_well(follow):
    """Its number is smaller than one that has been read already."""
    begun, go = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                outdate("slow")
                begun.set()
                assert go.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        committed = pool.submit(slow)
        assert begun.wait(10)
        with transaction.atomic():
            outdate("quick")
        assert (len(log.follow().of(["quick"])), len(log.state.of(["slow"]))) == (1, 0)
        go.set()
        committed.result()
    assert len(log.follow().of(["slow"])) == 1


def test_rows_are_remembered_long_enough_and_then_forgotten(db, follow, monkeypatch):
    with transaction.atomic():
        outdate("a")
    seen = log.follow()
    assert len(seen.of(["a"])) == 1
    monkeypatch.setattr(outdated, "MEMORY", -1.0)
    log.follow()
    assert log.state.of(["a"]) == frozenset()
    monkeypatch.setattr(outdated, "MEMORY", 180.0)
    # What is forgotten isn't taken for new.
    assert log.follow().of(["a"]) == frozenset()
    with transaction.atomic():
        outdate("a")
    assert len(log.follow().of(["a"])) == 1
