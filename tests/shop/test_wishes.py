"""Wishlists, alerts and recently viewed products, as pages without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.core import mail

from apps.checkout.models import Cart
from apps.inventory.services.stock import receive
from apps.wishlists.models import Alert, RecentView, Wishlist, WishlistItem
from tests.factories.products import VariantFactory
from tests.shop.test_account import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def mug(goods):
    return goods.mug


def wish(visitor, **data):
    return visitor.post("/wishlist/add/", {"next": "/products/mug/", **data})


def listed(visitor, path="/wishlist/"):
    return [(item["slug"], item["sku"]) for item in visitor.get(path).context["items"]]


def test_guest_keeps_wishes_in_the_session_until_signing_in(visitor, mug, shopper):
    assert wish(visitor, slug="mug", sku=mug.sku)["Location"] == "/products/mug/"
    wish(visitor, slug="book")
    wish(visitor, slug="mug", sku=mug.sku)
    assert listed(visitor) == [("mug", mug.sku), ("book", None)]
    buttons = visitor.get("/wishlist/").content.decode()
    assert buttons.count('name="quantity" value="1"') == 1
    assert buttons.count('formaction="/wishlist/remove/"') == 2
    visitor.post("/wishlist/remove/", {"slug": "book", "sku": ""})
    assert listed(visitor) == [("mug", mug.sku)]
    assert wish(visitor, slug="nothing").status_code == 404
    sign_in(visitor, shopper)
    assert listed(visitor) == [("mug", mug.sku)]
    assert WishlistItem.objects.get().wishlist.customer == shopper.customer
    visitor.post("/account/sign-out/")
    assert listed(visitor) == []


def test_wish_moves_to_the_cart_or_is_removed(visitor, mug, shopper):
    sign_in(visitor, shopper)
    wish(visitor, slug="mug")
    wish(visitor, slug="book")
    wishlist = Wishlist.objects.get()
    book, mug_item = visitor.get("/wishlist/").context["items"]
    base = f"/wishlist/{wishlist.public_id}/"
    assert visitor.post(f"{base}{mug_item['id']}/")["Location"] == "/cart/"
    assert [line.variant for line in Cart.objects.get().lines.all()] == [mug]
    assert visitor.post(f"{base}{book['id']}/", {"remove": "1"})["Location"] == base
    assert b"Nothing is on this list yet." in visitor.get("/wishlist/").content


def test_lists_are_made_shared_and_deleted(visitor, mug, shopper, client):
    sign_in(visitor, shopper)
    wish(visitor, slug="mug")
    made = visitor.post("/wishlist/lists/", {"name": "Birthday"})["Location"]
    assert visitor.get(made).context["wishlist"].name == "Birthday"
    visitor.post(f"{made}change/", {"name": "Wedding"})
    first = Wishlist.objects.order_by("pk").first()
    visitor.post(f"/wishlist/{first.public_id}/change/", {"share": "yes"})
    first.refresh_from_db()
    shared = client.get(f"/wishlists/{first.token}/")
    assert shared["X-Robots-Tag"] == "noindex"
    assert 'href="/products/mug/"' in shared.content.decode()
    assert "<form" not in shared.content.decode().split("<main", 1)[1]
    visitor.post(f"/wishlist/{first.public_id}/change/", {"share": "no"})
    gone = client.get(f"/wishlists/{first.token}/", headers={"accept": "text/html"})
    assert gone.status_code == 404
    visitor.post(f"/wishlist/{first.public_id}/change/", {"delete": "1"})
    assert [each.name for each in Wishlist.objects.all()] == ["Wedding"]


def test_strangers_list_is_not_there(visitor, mug, shopper, stranger):
    wishlist = Wishlist.objects.create(customer=shopper.customer, name="Mine")
    item = WishlistItem.objects.create(wishlist=wishlist, variant=mug)
    for path in ("", "change/", f"{item.public_id}/"):
        url = f"/wishlist/{wishlist.public_id}/{path}"
        assert visitor.post(url, {"delete": "1", "remove": "1"}).status_code in (404, 405)
    sign_in(visitor, stranger)
    assert visitor.get(f"/wishlist/{wishlist.public_id}/").status_code == 404
    for path in ("change/", f"{item.public_id}/"):
        url = f"/wishlist/{wishlist.public_id}/{path}"
        assert visitor.post(url, {"delete": "1", "remove": "1"}).status_code == 404
    assert WishlistItem.objects.count() == 1


def test_guest_is_told_when_it_is_back(visitor, mug, location, drain):
    VariantFactory(product=mug.product, sku="MUG-RED")
    page = visitor.get("/products/book/").content.decode()
    assert "Tell me when it is back" not in page
    assert "Tell me when it gets cheaper" in page
    data = {"kind": "stock", "sku": mug.sku, "next": "/products/mug/"}
    # There are some: it is told on the page it came from.
    assert visitor.post("/alerts/", {**data, "email": "a@example.com"}).status_code == 302
    assert b"It is in stock." in visitor.get("/products/mug/").content
    visitor.post("/alerts/", {**data, "kind": "price"})
    assert b"Give us your e-mail address" in visitor.get("/products/mug/").content
    asked = {**data, "kind": "price", "email": "a@example.com", "target": "9,50"}
    assert visitor.post("/alerts/", asked)["Location"] == "/products/mug/"
    drain()
    link = re.search(r"/alerts/\S+/", mail.outbox[-1].body).group(0)
    assert b"Shall we tell you when it costs less?" in visitor.get(link).content
    assert (Alert.objects.get().status, Alert.objects.get().threshold) == ("pending", 950)
    assert visitor.post(link)["Location"] == link
    assert Alert.objects.get().status == "waiting"
    visitor.post(link, {"give_up": "1"})
    assert not Alert.objects.exists()
    assert visitor.get(link).status_code == 404


def test_customer_asks_in_one_click(visitor, sell, shopper, location, drain):
    lamp = sell(1000, slug="lamp", name="Lamp").variants.get()
    sign_in(visitor, shopper)
    page = visitor.get("/products/lamp/").content.decode()
    assert "Tell me when it is back" in page
    assert 'type="email"' not in page.split("<main", 1)[1]
    visitor.post("/alerts/", {"kind": "stock", "sku": lamp.sku})
    assert "Lamp" in visitor.get("/wishlist/").content.decode()
    receive(variant=lamp, location=location, quantity=1)
    drain()
    assert mail.outbox[-1].subject == "Lamp is back in stock"


def test_guests_browser_remembers_what_was_viewed(visitor, goods, shopper):
    assert visitor.get("/").context["viewed"] == []
    visitor.get("/products/mug/")
    response = visitor.get("/products/book/")
    assert [item["slug"] for item in response.context["viewed"]] == ["mug"]
    # Nothing of it may be kept by a cache that others share.
    assert "private" in response["Cache-Control"]
    assert [item["slug"] for item in visitor.get("/").context["viewed"]] == ["book", "mug"]
    assert not RecentView.objects.exists()
    sign_in(visitor, shopper)
    assert "seen" not in {name for name, cookie in visitor.cookies.items() if cookie.value}
    assert [item["slug"] for item in visitor.get("/").context["viewed"]] == ["book", "mug"]
    visitor.get("/products/mug/")
    assert [item["slug"] for item in visitor.get("/").context["viewed"]] == ["mug", "book"]
    visitor.post("/account/sign-out/")
    assert visitor.get("/").context["viewed"] == []


def test_cookie_of_somebodys_making_is_no_list(visitor, goods):
    visitor.cookies["seen"] = "mug.book"
    assert visitor.get("/").context["viewed"] == []
