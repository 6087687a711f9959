"""A customer's lists: their own alone, shared when they want, moved to the cart."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from apps.checkout.models import Cart, CartLine
from apps.products.models import Product
from apps.products.services.product import set_status
from apps.wishlists.models import Wishlist, WishlistItem
from apps.wishlists.services import wishes
from tests.factories.products import VariantFactory

pytestmark = pytest.mark.django_db
LISTS = "/api/v1/me/wishlists/"


@pytest.fixture
def mug(sell):
    return sell(1200, slug="mug", name="Mug", stock=3)


@pytest.fixture
def sku(mug):
    return mug.variants.get().sku


@pytest.fixture
def mine(as_shopper):
    return as_shopper.post(LISTS, {"name": "Birthday"}).json()


@pytest.fixture
def items(mine):
    return f"{LISTS}{mine['id']}/items/"


def test_lists_are_made_renamed_and_deleted(as_shopper):
    first = as_shopper.post(LISTS, {"name": "Birthday"})
    second = as_shopper.post(LISTS, {"name": "Kitchen"}).json()
    assert first.status_code == 201
    assert first.json() | {"id": "", "created_at": "", "updated_at": ""} == {
        "id": "",
        "name": "Birthday",
        "is_default": True,
        "is_shared": False,
        "token": None,
        "item_count": 0,
        "created_at": "",
        "updated_at": "",
    }
    taken = as_shopper.patch(f"{LISTS}{second['id']}/", {"name": "Birthday"})
    assert (taken.status_code, taken.json()["code"]) == (409, "wishlist_name_taken")
    assert as_shopper.patch(f"{LISTS}{second['id']}/", {"name": "New"}).json()["name"] == "New"
    assert as_shopper.delete(f"{LISTS}{first.json()['id']}/").status_code == 204
    (left,) = as_shopper.get(LISTS).json()["results"]
    assert (left["name"], left["is_default"]) == ("New", True)


def test_lists_and_items_are_limited(as_shopper, sell, items, monkeypatch):
    monkeypatch.setattr(wishes, "MAX_LISTS", 1)
    monkeypatch.setattr(wishes, "MAX_ITEMS", 1)
    full = as_shopper.post(LISTS, {"name": "Another"})
    assert (full.status_code, full.json()["code"]) == (400, "too_many_wishlists")
    for slug in ("one", "two"):
        sell(100, slug=slug)
    assert as_shopper.post(items, {"slug": "one"}).status_code == 201
    full = as_shopper.post(items, {"slug": "two"})
    assert (full.status_code, full.json()["code"]) == (400, "wishlist_full")
    # What is on it already needs no room.
    assert as_shopper.post(items, {"slug": "one"}).status_code == 201
    assert WishlistItem.objects.count() == 1


def test_item_tells_what_is_for_sale_now(as_shopper, api, mug, sku, items, drain):
    whole = as_shopper.post(items, {"slug": "mug", "note": "the blue one"}).json()
    one = as_shopper.post(items, {"sku": sku}).json()
    (listed,) = api.get("/api/v1/products/").json()["results"]
    (variant,) = api.get("/api/v1/products/mug/").json()["variants"]
    assert (whole["sku"], whole["note"], whole["product"]) == (None, "the blue one", listed)
    assert (one["sku"], one["product"], one["variant"]) == (sku, listed, variant)
    found = as_shopper.get(items).json()
    assert [item["id"] for item in found["results"]] == [one["id"], whole["id"]]
    set_status(products=[mug], status=Product.Status.ARCHIVED)
    drain()
    gone = as_shopper.get(items).json()["results"][0]
    assert (gone["name"], gone["slug"], gone["product"], gone["variant"]) == (
        "Mug",
        "mug",
        None,
        None,
    )


@pytest.mark.parametrize("body", [{}, {"slug": "mug", "sku": "x"}])
def test_item_is_named_in_one_way(as_shopper, items, body):
    assert as_shopper.post(items, body).status_code == 400


def test_unknown_item_is_not_found(as_shopper, items):
    for body in ({"slug": "nothing"}, {"sku": "NOTHING"}):
        assert as_shopper.post(items, body).status_code == 404


@pytest.mark.parametrize("n", [1, 6])
def test_items_take_the_same_statements(
    as_shopper, sell, items, mine, n, django_assert_num_queries
):
    wishlist = Wishlist.objects.get(public_id=mine["id"])
    for number in range(n):
        product = sell(100, slug=f"p{number}")
        WishlistItem.objects.create(wishlist=wishlist, product=product)
        WishlistItem.objects.create(wishlist=wishlist, variant=product.variants.get())
    with django_assert_num_queries(7):
        assert len(as_shopper.get(items).json()["results"]) == 2 * n


def test_stranger_finds_nothing(as_shopper, as_stranger, mug, mine, items):
    wish = as_shopper.post(items, {"slug": "mug"}).json()
    url = f"{items}{wish['id']}/"
    calls = (
        ("get", f"{LISTS}{mine['id']}/", None),
        ("patch", f"{LISTS}{mine['id']}/", {"is_shared": True}),
        ("delete", f"{LISTS}{mine['id']}/", None),
        ("get", items, None),
        ("post", items, {"slug": "mug"}),
        ("patch", url, {"note": "mine"}),
        ("delete", url, None),
        ("post", f"{url}move-to-cart/", {}),
    )
    codes = [getattr(as_stranger, method)(path, body).status_code for method, path, body in calls]
    assert codes == [404] * len(calls)
    assert as_stranger.get(LISTS).json()["results"] == []
    assert WishlistItem.objects.count() == 1


def test_list_is_shared_and_taken_back(as_shopper, api, mug, mine, items):
    as_shopper.post(items, {"slug": "mug", "note": "not for strangers"})
    one = f"{LISTS}{mine['id']}/"
    token = as_shopper.patch(one, {"is_shared": True}).json()["token"]
    assert as_shopper.patch(one, {"is_shared": True}).json()["token"] == token
    assert api.get(f"/api/v1/wishlists/{token}/").json() == {"name": "Birthday"}
    (seen,) = api.get(f"/api/v1/wishlists/{token}/items/").json()["results"]
    assert sorted(seen) == ["id", "name", "product", "sku", "slug", "variant"]
    assert as_shopper.patch(one, {"is_shared": False}).json()["token"] is None
    for path in ("", "items/"):
        assert api.get(f"/api/v1/wishlists/{token}/{path}").status_code == 404
    assert as_shopper.patch(one, {"is_shared": True}).json()["token"] != token


def test_wish_moves_to_the_cart(as_shopper, shopper, mug, sku, items):
    wish = as_shopper.post(items, {"slug": "mug"}).json()
    url = f"{items}{wish['id']}/move-to-cart/"
    moved = as_shopper.post(url, {})
    cart = Cart.objects.get(customer=shopper.customer)
    assert (moved.status_code, moved.json()) == (200, {"cart_id": str(cart.public_id)})
    assert [(line.variant.sku, line.quantity) for line in cart.lines.all()] == [(sku, 1)]
    assert as_shopper.post(url, {}).status_code == 404
    # The open cart takes the next one as well.
    again = as_shopper.post(items, {"sku": sku}).json()
    as_shopper.post(f"{items}{again['id']}/move-to-cart/", {})
    assert CartLine.objects.get().quantity == 2
    assert not WishlistItem.objects.exists()


def test_product_with_variants_needs_to_be_told_which(as_shopper, mug, sku, items):
    VariantFactory(product=mug, sku="MUG-2", min_quantity=2)
    wish = as_shopper.post(items, {"slug": "mug"}).json()
    url = f"{items}{wish['id']}/move-to-cart/"
    for body in ({}, {"sku": "OTHER"}):
        answer = as_shopper.post(url, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "choose_variant")
    assert as_shopper.post(url, {"sku": "MUG-2"}).status_code == 200
    assert CartLine.objects.get().quantity == 2


def test_wish_stays_where_the_cart_refuses_it(as_shopper, stranger, mug, items, store):
    wish = as_shopper.post(items, {"slug": "mug"}).json()
    theirs = Cart.objects.create(store=store, currency="EUR", customer=stranger.customer)
    url = f"{items}{wish['id']}/move-to-cart/"
    assert as_shopper.post(url, {"cart_id": str(theirs.public_id)}).status_code == 404
    set_status(products=[mug], status=Product.Status.DRAFT)
    answer = as_shopper.post(url, {})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_sku")
    assert (WishlistItem.objects.count(), CartLine.objects.count()) == (1, 0)


def test_guests_wishes_join_the_first_list(shopper, store, mug, sku, sell):
    sell(100, slug="book")
    guests = [("book", ""), ("mug", sku), ("nothing", ""), ("book", "")]
    for _twice in range(2):
        wishes.adopt_wishes(customer=shopper.customer, store=store, wishes=guests)
    wishlist = Wishlist.objects.get()
    assert wishlist.customer == shopper.customer
    assert [item.whole.slug for item in wishlist.items.order_by("pk")] == ["book", "mug"]


def test_database_refuses_a_wish_twice_or_of_two_things(shopper, mug):
    wishlist = Wishlist.objects.create(customer=shopper.customer, name="x")
    WishlistItem.objects.create(wishlist=wishlist, product=mug)
    WishlistItem.objects.create(wishlist=wishlist, variant=mug.variants.get())
    for bad in (
        {"product": mug},
        {"variant": mug.variants.get()},
        {"product": mug, "variant": mug.variants.get()},
        {},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            WishlistItem.objects.create(wishlist=wishlist, **bad)


def test_viewed_products_come_back_the_last_one_first(as_shopper, as_stranger, sell, monkeypatch):
    url = "/api/v1/me/recently-viewed/"
    for slug in ("one", "two", "three"):
        sell(100, slug=slug)
    for slug in ("one", "two", "three", "one", "nothing"):
        seen = as_shopper.post(url, {"slug": slug}).json()["results"]
    assert [item["slug"] for item in seen] == ["one", "three", "two"]
    assert as_stranger.get(url).json()["results"] == []
    assert as_shopper.get(url).json() == {"next": None, "previous": None, "results": seen}
    monkeypatch.setattr("apps.wishlists.services.viewing.RECENT", 2)
    as_shopper.post(url, {"slug": "two"})
    assert [i["slug"] for i in as_shopper.get(url).json()["results"]] == ["two", "one"]
    assert as_shopper.delete(url).status_code == 204
    assert as_shopper.get(url).json()["results"] == []
