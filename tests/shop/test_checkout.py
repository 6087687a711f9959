"""From the cart to the order, step by step."""

from __future__ import annotations

import pytest

from apps.checkout.models import Cart
from apps.orders.models import Order
from apps.pricing.services import set_price
from tests.flows.conftest import ADDRESS
from tests.shop.test_cart import add, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
CONTACT = {**ADDRESS, "email": "ana@example.com"}


@pytest.fixture
def ready(visitor, goods):
    """A visitor who has chosen all but how to pay."""
    add(visitor, quantity=2)
    assert visitor.post("/checkout/", CONTACT)["Location"] == "/checkout/shipping/"
    chosen = visitor.post("/checkout/shipping/", {"method": "post"})
    assert chosen["Location"] == "/checkout/payment/"
    return visitor


def pay(visitor, pay_by: str = "manual:", total: str = "28.95"):
    return visitor.post("/checkout/payment/", {"pay_by": pay_by, "total": total})


@pytest.mark.parametrize("step", ["", "shipping/", "payment/"])
def test_without_a_cart_there_is_no_step(visitor, goods, step):
    assert visitor.get(f"/checkout/{step}")["Location"] == "/cart/"


def test_address_form_is_that_of_the_country(visitor, goods):
    add(visitor)
    form = visitor.get("/checkout/").context["form"]
    assert (form["region"].label, form["country"].value()) == ("Province", "ES")
    assert ("M", "Madrid") in form.fields["region"].widget.choices
    changed = {"country": "US", "country_only": "1", "city": "Boston"}
    form = visitor.post("/checkout/", changed).context["form"]
    assert (form["region"].label, form["postal_code"].label) == ("State", "ZIP code")
    assert form["city"].value() == "Boston"
    assert Cart.objects.get().shipping_address == {}


def test_wrong_address_is_told_at_its_fields_and_nothing_is_lost(visitor, goods):
    add(visitor)
    wrong = {**CONTACT, "postal_code": "XX", "last_name": "", "email": "no"}
    response = visitor.post("/checkout/", wrong)
    assert response.status_code == 400
    form = response.context["form"]
    assert set(form.errors) == {"email", "last_name", "postal_code"}
    assert form["line1"].value() == "Calle Mayor 1"
    assert 'href="#id_postal_code"' in response.content.decode()


def test_step_that_lacks_something_leads_to_what_it_lacks(visitor, goods):
    add(visitor)
    assert visitor.get("/checkout/payment/")["Location"] == "/checkout/"
    visitor.post("/checkout/", CONTACT)
    assert visitor.get("/checkout/payment/")["Location"] == "/checkout/shipping/"


def test_shipping_shows_prices_and_days(visitor, goods):
    add(visitor)
    visitor.post("/checkout/", CONTACT)
    response = visitor.get("/checkout/shipping/")
    assert [offer["code"] for offer in response.context["offers"]] == ["post"]
    assert "€4.95" in response.content.decode()
    response = visitor.post("/checkout/shipping/", {"method": "rocket"}, follow=True)
    assert told(response)[-1:] == ["Choose how it is shipped."]


def test_order_is_placed_and_shown(ready, django_assert_num_queries):
    with django_assert_num_queries(17):
        page = ready.get("/checkout/payment/")
    assert page.context["cart"]["totals"]["total"]["amount"] == "28.95"
    response = pay(ready)
    order = Order.objects.get()
    assert response["Location"] == f"/orders/{order.number}/?token={order.token}"
    with django_assert_num_queries(12):
        page = ready.get(response["Location"])
    assert page.status_code == 200
    assert order.number in page.content.decode()
    assert page.context["methods"] == []
    assert ready.get("/cart/").context["cart"] is None


@pytest.mark.parametrize("price", [2000, 0])
def test_file_is_ordered_without_delivery(visitor, goods, price):
    goods.book.requires_shipping = False
    goods.book.save()
    set_price(variant=goods.book, currency="EUR", amount=price)
    add(visitor, "BOOK")
    visitor.post("/checkout/", CONTACT)
    assert visitor.get("/checkout/shipping/")["Location"] == "/checkout/payment/"
    page = visitor.get("/checkout/payment/")
    assert (b'type="hidden" name="pay_by"' in page.content) == (price == 0)
    address = pay(visitor, total=f"{price // 100}.00")["Location"]
    assert Order.objects.get().total == price
    assert b"Thank you for your order" in visitor.get(address).content


def test_second_click_finds_the_same_order(ready):
    first, second = pay(ready), pay(ready)
    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_changed_price_is_told_and_agreed_to(ready, goods):
    set_price(variant=goods.mug, currency="EUR", amount=1300)
    response = pay(ready)
    assert response["Location"] == "/checkout/payment/"
    page = ready.get("/checkout/payment/")
    assert told(page)[-1:] == ["The total has changed; please look at it again."]
    assert page.context["cart"]["totals"]["total"]["amount"] == "30.95"
    assert not Order.objects.exists()
    assert pay(ready, total="30.95").status_code == 302
    assert Order.objects.get().total == 3095


def test_sold_out_is_told_in_the_cart(ready):
    line = Cart.objects.get().lines.get()
    line.quantity = 9
    line.save()
    response = pay(ready)
    assert response["Location"] == "/cart/"
    page = ready.get("/cart/")
    assert page.context["cart"]["lines"][0]["problems"][0]["code"] == "out_of_stock"
    assert not Order.objects.exists()


def test_unknown_way_of_paying_is_told(ready):
    response = pay(ready, "cowries:")
    assert response["Location"] == "/checkout/payment/"
    assert told(ready.get("/checkout/payment/"))[-1:] == ["This way of paying isn't offered here."]


def test_declined_card_leaves_the_order_to_be_paid(ready, simulator):
    response = pay(ready, "stripe:pm_card_chargeDeclined")
    order = Order.objects.get()
    address = f"/orders/{order.number}/?token={order.token}"
    assert response["Location"] == address
    page = ready.get(address)
    assert len(page.context["methods"]) == 5
    assert "declined" in page.context["refused"]
    assert ready.post(address, {"pay_by": "stripe:pm_card_visa"})["Location"] == address
    page = ready.get(address)
    assert page.context["methods"] == []
    order.refresh_from_db()
    assert order.payment_status == "paid"


def test_bank_asks_and_the_shopper_comes_back(ready, simulator):
    response = pay(ready, "stripe:pm_card_threeDSecure2Required")
    page = ready.get(response["Location"])
    assert page.context["redirect_url"].startswith(simulator.url)
    assert page.context["redirect_url"] in page.content.decode().replace("&amp;", "&")
    back = ready.get("/checkout/returned/?payment_intent=pi_1&redirect_status=succeeded")
    order = Order.objects.get()
    address = f"/orders/{order.number}/?token={order.token}"
    assert back["Location"] == f"{address}&returned=1"
    assert ready.get(back["Location"])["Location"] == address


def test_order_of_somebody_else_is_not_there(ready, stranger):
    pay(ready)
    order = Order.objects.get()
    ready.force_login(stranger)
    for query in ("", "?token=", "?token=wrong"):
        assert ready.get(f"/orders/{order.number}/{query}").status_code == 404
        assert (
            ready.post(f"/orders/{order.number}/{query}", {"pay_by": "manual:"}).status_code == 404
        )
