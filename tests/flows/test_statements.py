"""How many statements a checkout costs: each call's count stands here, so that none creeps in.

As in production, once a process knows what it remembers for seconds: stores, accounts, methods.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.flows.conftest import ADDRESS, Shop

pytestmark = pytest.mark.usefixtures("invariants")
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
# MariaDB doesn't return what it updates: a number of a sequence takes one statement more.
MORE = 1 if connection.vendor == "mysql" else 0
WISHES = {"email": "ana@example.com", "shipping_address": ADDRESS, "shipping_method": "post"}
LINES = [{"sku": "MUG", "quantity": 2}, {"sku": "BOOK", "quantity": 1}]
PAYMENT = {"gateway": "manual"}
Counted = Callable[[str, str, dict], int]


@pytest.fixture
def counted(api: APIClient, shop: Shop) -> Counted:
    """Send a call and count its statements; its answer is `counted.answer` then."""

    def send(method: str, path: str, body: dict | None = None) -> int:
        with _statements() as told:
            response = getattr(api, method)(f"/api/v1{path}", body or {}, format="json")
        assert response.status_code in (200, 201), response.content
        send.answer = response.json()  # type: ignore[attr-defined]
        return len(told)

    return send


@contextmanager
def _statements() -> Iterator[list[str]]:
    told: list[str] = []
    with CaptureQueriesContext(connection) as seen:
        yield told
    told += [query["sql"] for query in seen if not query["sql"].startswith(CONTROL)]


def test_checkout_in_one_call_takes_at_most_45_statements(counted, settings):
    wish = {**WISHES, "lines": LINES, "payment": PAYMENT}
    counted("post", "/checkout/", wish)
    settings.SHORT_CACHES = True
    assert counted("post", "/checkout/", wish) == 43 + MORE


def test_each_call_of_a_checkout_has_its_count(counted, settings):
    for remembered in (False, True):
        settings.SHORT_CACHES = remembered
        made = counted("post", "/carts/", {"lines": LINES})
        cart = f"/carts/{counted.answer['id']}/"
        asked = counted("patch", cart, WISHES)
        shown = counted("get", cart)
        offered = counted("get", f"{cart}shipping-methods/")
        placed = counted("post", f"{cart}checkout/", {"payment": PAYMENT})
    assert (made, asked, shown, offered, placed) == (12, 12, 9, 9, 41 + MORE)


def test_a_third_line_costs_no_statement(counted):
    counted("post", "/carts/", {"lines": LINES[:1]})
    one = counted("post", "/carts/", {"lines": LINES[:1]})
    assert counted("post", "/carts/", {"lines": LINES}) == one
