"""The cart's pages and its cookie."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.checkout.models import Cart
from apps.core.money import Money
from apps.payments.services import grant_store_credit
from apps.pricing.services import set_price
from apps.products.models import Product, Variant
from apps.storefront.services.listing import rebuild
from tests.factories.promotions import CouponFactory

pytestmark = pytest.mark.django_db


def add(visitor: Client, sku: str = "MUG", quantity: object = 1, **more: object):
    return visitor.post("/cart/lines/", {"sku": sku, "quantity": quantity, **more})


def told(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_added_item_is_in_the_cart(visitor, goods, django_assert_num_queries):
    response = add(visitor, quantity=2)
    assert (response.status_code, response["Location"]) == (302, "/cart/")
    cookie = response.cookies["cart"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    cart = Cart.objects.get()
    assert cookie.value.startswith(cart.public_id + ":")
    with django_assert_num_queries(QUERIES_OF_CART):
        response = visitor.get("/cart/")
    assert response.status_code == 200
    text = response.content.decode()
    assert "€24.00" in text
    assert response.context["cart_pieces"] == 2


# Nothing grows with the lines.
QUERIES_OF_CART = 12


def test_second_line_costs_no_query(visitor, goods, django_assert_num_queries):
    add(visitor)
    add(visitor, "BOOK")
    with django_assert_num_queries(QUERIES_OF_CART):
        visitor.get("/cart/")


def test_forged_cookie_opens_no_cart(visitor, goods):
    add(visitor)
    thief = Client()
    thief.cookies["cart"] = Cart.objects.get().public_id
    assert thief.get("/cart/").context["cart"] is None


def test_line_is_changed_and_removed(visitor, goods):
    add(visitor)
    line = Cart.objects.get().lines.get()
    address = f"/cart/lines/{line.public_id}/"
    assert visitor.post(address, {"quantity": 3}).status_code == 302
    line.refresh_from_db()
    assert line.quantity == 3
    assert visitor.post(address, {"quantity": "3", "remove": "1"}).status_code == 302
    assert not Cart.objects.get().lines.exists()


@pytest.mark.parametrize("quantity", ["", "-1", "0", "many", "99999999999"])
def test_wrong_quantity_is_told(visitor, goods, quantity):
    add(visitor, quantity=quantity, next="/products/mug/")
    response = visitor.get("/products/mug/")
    assert told(response) == ["Choose an item and how many of it."]


def test_unknown_item_is_told_where_it_was_asked_for(visitor, goods):
    response = add(visitor, "NOTHING", next="/products/mug/")
    assert response["Location"] == "/products/mug/"
    assert told(visitor.get("/products/mug/")) == ["There is no such item here."]


def test_problem_stands_at_its_line(visitor, goods):
    add(visitor, quantity=9)
    response = visitor.get("/cart/")
    (line,) = response.context["cart"]["lines"]
    assert [problem["message"] for problem in line["problems"]] == ["Only 5 left."]
    assert b"Only 5 left." in response.content


def test_code_is_used_and_taken_off(visitor, goods):
    CouponFactory(code="LESS")
    add(visitor)
    visitor.post("/cart/codes/", {"code": "less"})
    assert Cart.objects.get().codes == ["LESS"]
    visitor.post("/cart/codes/", {"remove": "LESS"})
    assert Cart.objects.get().codes == []


def test_unknown_code_is_told(visitor, goods):
    add(visitor)
    response = visitor.post("/cart/codes/", {"code": "NOTHING"}, follow=True)
    assert told(response)[-1:] == ["There is no such code."]


def test_store_credit_is_used_and_left(visitor, goods, shopper):
    grant_store_credit(customer=shopper.customer, amount=Money(500, "EUR"), reason="Sorry")
    visitor.force_login(shopper)
    add(visitor)
    page = visitor.get("/cart/")
    assert page.context["credit"] == {"amount": "5.00", "currency": "EUR"}
    visitor.post("/cart/codes/", {"use_credit": "1"})
    page = visitor.get("/cart/")
    assert page.context["cart"]["totals"]["due"]["amount"] == "7.00"
    assert "Store credit" in page.content.decode()
    visitor.post("/cart/codes/", {"leave_credit": "1"})
    assert visitor.get("/cart/").context["cart"]["store_credit"] is None


def test_without_store_credit_there_is_none_to_use(visitor, goods):
    add(visitor)
    assert visitor.get("/cart/").context["credit"] is None
    response = visitor.post("/cart/codes/", {"use_credit": "1"}, follow=True)
    assert told(response)[-1:] == ["There is no store credit in this currency."]


def test_gift_card_is_sent_to_somebody(visitor, goods):
    add(visitor, "BOOK")
    assert b'name="recipient_email"' not in visitor.get("/cart/").content
    Product.objects.filter(slug="book").update(is_gift_card=True)
    line = Cart.objects.get().lines.get()
    address = f"/cart/lines/{line.public_id}/"
    sent = {"recipient": "1", "recipient_email": "bea@example.com", "message": "For you"}
    assert visitor.post(address, sent).status_code == 302
    line.refresh_from_db()
    assert line.gift_card == {
        "recipient_email": "bea@example.com",
        "sender_name": "",
        "message": "For you",
    }
    assert "Goes to bea@example.com" in visitor.get("/cart/").content.decode()
    response = visitor.post(address, {"recipient": "1", "recipient_email": "no"}, follow=True)
    assert told(response)[-1:] == ["Give the e-mail address of who gets the gift card."]
    visitor.post(address, {"recipient": "1", "recipient_email": ""})
    line.refresh_from_db()
    assert line.gift_card == {}


def test_quantities_that_are_sold_are_told(visitor, goods):
    Variant.objects.filter(sku="BOOK").update(min_quantity=2, max_quantity=6, quantity_step=2)
    rebuild(product_ids=[goods.book.product_id])
    add(visitor, "BOOK", 3)
    text = visitor.get("/cart/").content.decode()
    assert "At least 2 pieces." in text
    assert "At most 6 pieces." in text
    assert "Only in certain steps" in text
    assert 'min="2" step="2" value="2"' in visitor.get("/products/book/").content.decode()


def test_currency_of_the_cart_changes_with_the_choice(visitor, goods, store):
    store.currencies = ["USD"]
    store.save()
    set_price(variant=goods.mug, currency="USD", amount=1500)
    add(visitor)
    visitor.post("/currency/", {"currency": "USD"})
    cart = visitor.get("/cart/").context["cart"]
    assert cart["totals"]["subtotal"] == {"amount": "15.00", "currency": "USD"}
    assert cart["lines"][0]["problems"] == []


def test_cart_of_another_customer_is_not_shown(visitor, goods, shopper, stranger):
    add(visitor)
    Cart.objects.update(customer=shopper.customer)
    assert visitor.get("/cart/").context["cart"] is None
    visitor.force_login(stranger)
    assert visitor.get("/cart/").context["cart"] is None
    visitor.force_login(shopper)
    assert visitor.get("/cart/").context["cart"]["lines"]


def test_changes_need_a_cart(visitor, goods):
    line = "01900000-0000-7000-8000-000000000000"
    assert visitor.post(f"/cart/lines/{line}/", {"quantity": 1}).status_code == 404
    assert visitor.post("/cart/codes/", {"code": "X"}).status_code == 404
    assert visitor.get("/cart/lines/").status_code == 405
