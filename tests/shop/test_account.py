"""Signing in and out, registering, my orders."""

from __future__ import annotations

import pytest

from apps.accounts.models import RefreshToken, User
from apps.checkout.models import Cart
from apps.customers.models import Customer
from apps.orders.models import Order
from tests.factories.accounts import PASSWORD
from tests.shop.test_cart import add
from tests.shop.test_checkout import CONTACT, pay

pytestmark = pytest.mark.django_db


def sign_in(visitor, user, password=PASSWORD, **more):
    return visitor.post("/account/sign-in/", {"email": user.email, "password": password, **more})


def test_account_asks_who_you_are(visitor, store):
    response = visitor.get("/account/")
    assert response["Location"] == "/account/sign-in/?next=%2Faccount%2F"


def test_signing_in_claims_the_cart(visitor, goods, shopper):
    add(visitor)
    response = sign_in(visitor, shopper, next="/checkout/")
    assert response["Location"] == "/checkout/"
    assert Cart.objects.get().customer == shopper.customer
    assert len(visitor.get("/cart/").context["cart"]["lines"]) == 1


def test_cart_waits_for_its_customer(visitor, goods, shopper):
    sign_in(visitor, shopper)
    add(visitor)
    visitor.post("/account/sign-out/")
    assert visitor.get("/cart/").context["cart"] is None
    sign_in(visitor, shopper)
    assert len(visitor.get("/cart/").context["cart"]["lines"]) == 1


def test_wrong_password_is_told(visitor, store, shopper):
    response = sign_in(visitor, shopper, "wrong")
    assert response.status_code == 401
    assert b"The e-mail address or the password is wrong." in response.content
    assert "sessionid" not in response.cookies


def test_nobody_is_sent_elsewhere(visitor, store, shopper):
    assert sign_in(visitor, shopper, next="https://evil.example/")["Location"] == "/account/"


def test_guessing_ends(visitor, store, shopper, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 1
    sign_in(visitor, shopper, "wrong")
    assert sign_in(visitor, shopper).status_code == 429


NEW = {
    "first_name": "Ana",
    "last_name": "García",
    "email": "ana@example.com",
    "password": "a-long-sentence",
}


def test_registering_signs_in_without_tokens(visitor, store):
    response = visitor.post("/account/register/", NEW)
    assert response["Location"] == "/account/"
    assert visitor.get("/account/").status_code == 200
    assert Customer.objects.get().email == "ana@example.com"
    assert not RefreshToken.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"), [({"password": "1234"}, "password"), ({"email": "x"}, "email")]
)
def test_wrong_registration_is_told(visitor, store, changes, field):
    response = visitor.post("/account/register/", {**NEW, **changes})
    assert response.status_code == 400
    assert field in response.context["form"].errors
    assert not User.objects.exists()


def test_taken_address_is_told(visitor, store, shopper):
    response = visitor.post("/account/register/", {**NEW, "email": shopper.email})
    assert response.status_code == 400
    assert "email" in response.context["form"].errors


def test_customer_sees_own_orders_and_no_other(
    visitor, goods, shopper, stranger, django_assert_num_queries
):
    sign_in(visitor, shopper)
    add(visitor)
    visitor.post("/checkout/", CONTACT)
    visitor.post("/checkout/shipping/", {"method": "post"})
    address = pay(visitor, total="16.95")["Location"]
    order = Order.objects.get()
    assert address == f"/orders/{order.number}/"
    assert visitor.get(address).status_code == 200
    with django_assert_num_queries(8):
        page = visitor.get("/account/")
    assert order.number in page.content.decode()
    visitor.post("/account/sign-out/")
    assert visitor.get(f"{address}?token={order.token}").status_code == 404
    sign_in(visitor, stranger)
    assert visitor.get(address).status_code == 404
    assert order.number not in visitor.get("/account/").content.decode()
