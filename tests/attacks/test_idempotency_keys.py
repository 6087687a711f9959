"""T27: keyed requests over HTTP, as clients that retry, guess and reuse keys make them.

The records are tests/core/test_idempotency.py, clicks at once tests/torture/test_double_click.py,
processes that die with a key tests/torture/test_crashes.py.
"""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.core.models import IdempotencyRecord
from apps.orders.models import Order
from tests.contract.shop import BASE, values_for
from tests.flows.conftest import ADDRESS, Buyer
from tests.permissions.cast import bearer
from tests.permissions.matrix import STOREFRONT
from tests.permissions.operations import operations

pytestmark = pytest.mark.once

KEYED = [o for o in operations() if "Idempotency-Key" in o.parameters("header")]
BAD_KEYS = ("", "k" * 256, "a\x7fb", "a\tb", "\xe9" * 256)


def _at(url, body, client, key):
    return client.generic(
        "POST", url, json.dumps(body), content_type="application/json", HTTP_IDEMPOTENCY_KEY=key
    )


def test_every_keyed_operation_refuses_what_is_no_key(furnished):
    assert len(KEYED) > 20
    wrong = {}
    for operation in KEYED:
        client = furnished.ana.client if operation.key in STOREFRONT else furnished.merchant
        url = operation.url(**values_for(operation.path, furnished.hits))
        for key in BAD_KEYS:
            answer = client.generic(operation.method, url, HTTP_IDEMPOTENCY_KEY=key)
            if (answer.status_code, answer.json()["code"]) != (400, "invalid_idempotency_key"):
                wrong[f"{operation.key} {key[:5]!r}"] = answer.content
    assert wrong == {}
    assert not IdempotencyRecord.objects.exists()


@pytest.fixture
def url(furnished):
    return f"{BASE}/carts/{furnished.ana.cart_id}/checkout/"


PAY = {"payment": {"gateway": "manual"}}


@pytest.fixture
def ana(furnished):
    """Her cart lacks nothing but the order."""
    client, cart = furnished.ana.client, f"{BASE}/carts/{furnished.ana.cart_id}/"
    known = {"email": "ana@example.com", "shipping_address": ADDRESS, "shipping_method": "post"}
    assert client.patch(cart, known).status_code == 200
    return client


def test_second_answer_is_the_first_byte_for_byte(ana, url):
    before = Order.objects.count()
    first, again = (_at(url, PAY, ana, "k") for _n in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Order.objects.count() == before + 1
    # The same members in another order are another body.
    other = _at(url, {"payment": {"gateway": "manual", "method": ""}}, ana, "k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_key_opens_nobody_elses_answer(ana, url, furnished):
    placed = _at(url, PAY, ana, "k").json()["order"]["number"]
    for client in (furnished.bob.client, furnished.merchant, Buyer(type(ana)()).client):
        answer = _at(url, PAY, client, "k")
        assert (answer.status_code, "Idempotent-Replayed" in answer) == (404, False)
        assert placed not in answer.content.decode()


def test_key_of_another_address_is_another(ana, url):
    _at(url, PAY, ana, "k")
    elsewhere = _at(f"{BASE}/checkout/", PAY, ana, "k")
    assert (elsewhere.status_code, "Idempotent-Replayed" in elsewhere) == (400, False)


def test_refusal_is_not_pinned(ana, url):
    """Who corrects the request may keep the key."""
    wrong = _at(url, {"payment": {"gateway": "nobody"}}, ana, "k")
    assert wrong.status_code == 400
    right = _at(url, PAY, ana, "k")
    assert (right.status_code, "Idempotent-Replayed" in right) == (201, False)


def test_key_of_yesterday_finds_the_order_all_the_same(url, ana, furnished):
    """The key is forgotten after a day; that a cart is ordered once isn't."""
    first = _at(url, PAY, ana, "k").json()["order"]["number"]
    orders = Order.objects.count()
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        late = _at(url, PAY, bearer(furnished.ana.user), "k")
    assert (late.status_code, "Idempotent-Replayed" in late) == (201, False)
    assert (late.json()["order"]["number"], Order.objects.count()) == (first, orders)
