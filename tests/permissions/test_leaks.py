"""A stranger's object is a 404, and nothing in an answer names a row or another person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.checkout.models import Cart
from apps.customers.models import Address, Customer
from apps.orders.models import Order
from apps.payments.models import SavedMethod
from apps.reviews.models import Review
from apps.wishlists.models import Alert, Wishlist, WishlistItem
from tests.contract.shop import BASE, Furnished, Person, values_for
from tests.flows.conftest import ADDRESS, Buyer
from tests.permissions.cast import key_of
from tests.permissions.matrix import MERCHANTS, STOREFRONT
from tests.permissions.operations import Operation, operations

pytestmark = pytest.mark.once

SERVED = {"/docs/", "/schema/"}
# Operations on what belongs to one shopper.
OWNED = sorted(
    key
    for key in STOREFRONT
    if any(
        word in key
        for word in (
            "{cart_id}",
            "/orders/{number}",
            "/me/addresses/{id}",
            "/me/payment-methods/{id}",
            "/me/wishlists/{",
            "/me/alerts/{",
            "/me/reviews/{id}",
        )
    )
)


def by_key(key: str) -> Operation:
    return next(o for o in operations() if o.key == key)


def gets(table: dict[str, str]) -> Iterator[Operation]:
    return (
        o for o in operations() if o.key in table and o.method == "GET" and o.path not in SERVED
    )


def answers(client: APIClient, furnished: Furnished, table: dict[str, str]) -> dict[str, Any]:
    return {o.key: client.get(o.url(**values_for(o.path, furnished.hits))) for o in gets(table)}


def text(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    # Some answers are PDFs.
    return body.decode(errors="replace")


def marks(person: Person) -> list[str]:
    """What is in an answer only if it tells of this person."""
    return [
        person.user.email,
        f'"{person.user.first_name}"',
        f"note of {person.user.email.partition('@')[0]}",
        person.order["number"],
        person.order["token"],
        person.cart_id,
        person.address_id,
        str(person.customer.public_id),
        str(person.user.public_id),
    ]


def row_numbers(value: Any, path: str = "") -> Iterator[str]:
    """Where JSON holds what looks like a sequential primary key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            named = name in ("id", "pk") or name.endswith("_id")
            is_number = isinstance(inner, int) or (isinstance(inner, str) and inner.isdecimal())
            if name == "pk" or (named and is_number):
                yield f"{path}{name}={inner}"
            yield from row_numbers(inner, f"{path}{name}.")
    elif isinstance(value, list):
        for inner in value:
            yield from row_numbers(inner, f"{path}[].")


def bodies_of(key: str, person: Person) -> dict[str, Any]:
    """A body that would do something, if the object were one's own."""
    return {
        "PATCH /carts/{cart_id}/": {"note": "mine now"},
        "POST /carts/{cart_id}/discounts/": {"code": "SUMMER"},
        "POST /carts/{cart_id}/lines/": {"sku": "MUG", "quantity": 1},
        "PATCH /carts/{cart_id}/lines/{line_id}/": {"quantity": 3},
        "POST /carts/{cart_id}/checkout/": {"payment": {"gateway": "manual"}},
        "PATCH /me/addresses/{id}/": {"city": "Sevilla"},
        "PATCH /me/payment-methods/{id}/": {"is_default": True},
        "PATCH /me/reviews/{id}/": {"rating": 1},
        "PATCH /me/wishlists/{id}/": {"is_shared": True},
        "POST /me/wishlists/{wishlist_id}/items/": {"sku": "BOOK"},
        "PATCH /me/wishlists/{wishlist_id}/items/{item_id}/": {"note": "mine now"},
        "POST /orders/{number}/cancel/": {"reason": "mine now"},
    }.get(key, {})


def state() -> list[Any]:
    """What belongs to shoppers. Staff who claim a cart become a customer, with nothing."""
    shoppers = Customer.objects.filter(email__endswith="@shopper.example.com")
    lines = Cart.objects.values("lines__quantity", "lines__pk")
    wishes = (Wishlist.objects, WishlistItem.objects, Alert.objects)
    cards = SavedMethod.objects
    rows = (Cart.objects, Order.objects, Address.objects, Review.objects, cards, *wishes, shoppers)
    return [
        list(lines.order_by("lines__pk")),
        *(list(found.order_by("pk").values()) for found in rows),
    ]


@pytest.mark.parametrize("key", OWNED)
@pytest.mark.parametrize("who", ["bob", "anonymous", "staff", "key"])
def test_object_of_a_shopper_is_nobody_elses(furnished, key, who):
    """Read or written, by another shopper, a guest, the owner of the shop or a machine."""
    client = {
        "bob": lambda: furnished.bob.client,
        "anonymous": APIClient,
        "staff": lambda: furnished.merchant,
        "key": lambda: key_of(furnished.owner, "orders.view_order"),
    }[who]()
    operation, before = by_key(key), state()
    response = client.generic(
        operation.method,
        operation.url(**values_for(operation.path, furnished.hits)),
        json.dumps(bodies_of(key, furnished.ana)),
        content_type="application/json",
    )
    signed_in = STOREFRONT[key] == "signed-in"
    refused = {"anonymous": 401, "key": 403}.get(who, 404) if signed_in else 404
    assert response.status_code == refused, response.content
    assert [mark for mark in marks(furnished.ana) if mark in text(response)] == []
    assert state() == before


def test_own_objects_are_found(furnished):
    """The sweep above isn't right by mere absence."""
    found = answers(furnished.ana.client, furnished, dict.fromkeys(OWNED, ""))
    assert {key: response.status_code for key, response in found.items()} == {
        key: 200 for key in OWNED if key.startswith("GET")
    }
    assert furnished.ana.user.email in text(found["GET /orders/{number}/"])


def test_lists_hold_ones_own(furnished):
    for who, other in ((furnished.ana, furnished.bob), (furnished.bob, furnished.ana)):
        orders = who.client.get(f"{BASE}/orders/").json()["results"]
        assert [order["number"] for order in orders] == [who.order["number"]]
        mine = who.client.get(f"{BASE}/me/addresses/").json()["results"]
        assert [address["id"] for address in mine] == [who.address_id]
        told = text(who.client.get(f"{BASE}/me/"))
        assert who.user.email in told
        assert other.user.email not in told


@pytest.mark.parametrize("who", ["bob", "anonymous"])
def test_no_answer_tells_of_another_customer(furnished, who):
    client = furnished.bob.client if who == "bob" else APIClient()
    leaks = {
        key: [mark for mark in marks(furnished.ana) if mark in text(response)]
        for key, response in answers(client, furnished, STOREFRONT | MERCHANTS).items()
    }
    assert {key: found for key, found in leaks.items() if found} == {}


def test_line_of_another_cart_stays_where_it_is(furnished):
    """One's own cart in the address, somebody else's line behind it."""
    url = f"{BASE}/carts/{furnished.bob.cart_id}/lines/{furnished.ana.line_id}/"
    before = state()
    assert furnished.bob.client.patch(url, {"quantity": 9}).status_code == 404
    assert furnished.bob.client.delete(url).status_code == 404
    assert state() == before


def test_token_opens_the_order_of_a_guest_and_no_other(furnished):
    guest = Buyer(APIClient())
    guest.fill(("BOOK", 1), email="guest@shopper.example.com", shipping_address=ADDRESS)
    order = guest.checkout().json()["order"]
    theirs = f"{BASE}/orders/{order['number']}/"
    codes = {
        "own": APIClient().get(theirs, {"token": order["token"]}).status_code,
        "none": APIClient().get(theirs).status_code,
        "empty": APIClient().get(theirs, {"token": ""}).status_code,
        "another's": APIClient().get(theirs, {"token": furnished.ana.order["token"]}).status_code,
        "signed in": furnished.bob.client.get(theirs).status_code,
        "customer's": APIClient()
        .get(
            f"{BASE}/orders/{furnished.ana.order['number']}/",
            {"token": furnished.ana.order["token"]},
        )
        .status_code,
    }
    assert codes == {
        "own": 200,
        "none": 404,
        "empty": 404,
        "another's": 404,
        "signed in": 404,
        "customer's": 404,
    }


def test_no_get_shows_a_row_number(furnished):
    """The merchant sees most, so the merchant looks; ana sees her own."""
    found = answers(furnished.merchant, furnished, MERCHANTS)
    found |= answers(furnished.ana.client, furnished, STOREFRONT)
    missing = {key for key, response in found.items() if response.status_code != 200}
    # No import was refused anything, no papers are made yet; the others want to be asked something.
    assert missing == {
        "GET /admin/imports/{id}/errors/",
        "GET /admin/print-jobs/{id}/file/",
        "GET /admin/reports/oss/",
        "GET /admin/shipping-try/",
        "GET /admin/shipping-zones/{id}/check/",
        "GET /shipping/pickup-points/",
    }
    shown = {
        key: list(row_numbers(json.loads(text(response))))
        for key, response in found.items()
        if response["Content-Type"] == "application/json"
    }
    assert len(shown) > 60
    assert {key: paths for key, paths in shown.items() if paths} == {}


def test_secrets_are_in_no_answer(furnished):
    """Hashes of passwords and keys, tokens of sessions, other people's order tokens."""
    secrets = [
        furnished.ana.user.password,
        furnished.owner.password,
        furnished.owner.api_keys.get().digest,
    ]
    found = answers(furnished.merchant, furnished, MERCHANTS)
    leaks = {
        key: [word for word in (*secrets, "pbkdf2", "digest") if word in body]
        for key, body in ((key, text(response)) for key, response in found.items())
    }
    assert {key: words for key, words in leaks.items() if words} == {}


def test_looking_makes_no_customer(furnished):
    before = Customer.objects.count()
    answers(furnished.merchant, furnished, dict.fromkeys(OWNED, ""))
    assert Customer.objects.count() == before
