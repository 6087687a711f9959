"""Cards that a payment provider keeps: saved, used and removed without a script."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.orders.models import Order
from apps.payments.models import Payment, SavedMethod
from apps.payments.services import create_pay_link
from tests.factories.payments import SavedMethodFactory
from tests.shop.test_cart import add, told
from tests.shop.test_checkout import CONTACT, pay

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
VISA, DECLINED = "stripe:pm_card_visa", "stripe:pm_card_chargeDeclined"


def fill(visitor) -> None:
    add(visitor, quantity=1)
    visitor.post("/checkout/", CONTACT)
    visitor.post("/checkout/shipping/", {"method": "post"})


def order(visitor, pay_by: str, **more):
    fill(visitor)
    form = {"pay_by": pay_by, "total": "16.95", **more}
    return visitor.post("/checkout/payment/", form)


@pytest.fixture
def sam(visitor: Client, shopper, goods, simulator) -> Client:
    visitor.force_login(shopper)
    return visitor


def offered(page) -> list[str]:
    return [value for value, _name in page.context["methods"]]


def test_card_is_saved_and_used_again(sam, simulator):
    fill(sam)
    page = sam.get("/checkout/payment/")
    assert b'name="save_method"' in page.content
    assert pay(sam, VISA, "16.95").status_code == 302
    assert not SavedMethod.objects.exists()
    order(sam, VISA, save_method="1")
    card = SavedMethod.objects.get()

    fill(sam)
    page = sam.get("/checkout/payment/")
    assert offered(page)[0] == f"saved:{card.public_id}"
    assert "Visa •••• 4242, valid until 12/34" in page.content.decode()
    pay(sam, f"saved:{card.public_id}", "16.95")
    payment = Payment.objects.latest("pk")
    assert (payment.status, payment.method) == ("captured", card.provider_id)


def test_way_to_pay_that_keeps_nothing_hears_no_wish(sam):
    order(sam, "manual:", save_method="1")
    assert Order.objects.get().status == "confirmed"


def test_guest_is_offered_no_saving_and_is_refused(visitor, goods, simulator):
    fill(visitor)
    assert b'name="save_method"' not in visitor.get("/checkout/payment/").content
    form = {"pay_by": VISA, "total": "16.95", "save_method": "1"}
    visitor.post("/checkout/payment/", form)
    assert told(visitor.get("/checkout/payment/"))[-1].startswith("Only customers with an account")
    assert not Order.objects.exists()


def test_order_that_waits_is_paid_by_a_saved_card(sam, stranger, simulator):
    order(sam, VISA, save_method="1")
    card = SavedMethod.objects.get()
    address = order(sam, DECLINED)["Location"]
    page = sam.get(address)
    assert f"saved:{card.public_id}" in offered(page)
    theirs = SavedMethodFactory(customer=stranger.customer)
    for wrong in (f"saved:{theirs.public_id}", "saved:", "saved:x"):
        sam.post(address, {"pay_by": wrong})
        assert Payment.objects.latest("pk").status == "failed"
    sam.post(address, {"pay_by": f"saved:{card.public_id}"})
    assert Order.objects.latest("pk").payment_status == "paid"


def test_account_shows_chooses_and_removes(sam, stranger, simulator, django_assert_num_queries):
    for card in (VISA, "stripe:pm_card_mastercard"):
        order(sam, card, save_method="1")
    newest, oldest = SavedMethod.objects.order_by("-pk")
    assert b'href="/account/cards/"' in sam.get("/account/").content
    with django_assert_num_queries(8):
        page = sam.get("/account/cards/")
    assert list(page.context["page"]) == [newest, oldest]
    more = SavedMethodFactory.create_batch(3, customer=newest.customer)
    with django_assert_num_queries(8):
        assert len(sam.get("/account/cards/").context["page"]) == 5
    SavedMethod.objects.filter(pk__in=[card.pk for card in more]).delete()
    address = f"/account/cards/{oldest.public_id}/"
    assert sam.post(address, {"default": "1"})["Location"] == "/account/cards/"
    assert list(sam.get("/account/cards/").context["page"]) == [oldest, newest]
    # Somebody else's isn't there.
    other = Client(headers={"accept": "text/html"})
    assert other.post(address, {"remove": "1"})["Location"].startswith("/account/sign-in/")
    other.force_login(stranger)
    assert other.post(address, {"remove": "1"}).status_code == 404
    assert sam.get(address).status_code == 405

    page = sam.post(address, {"remove": "1"}, follow=True)
    assert told(page)[-1].endswith("is removed.")
    assert list(SavedMethod.objects.all()) == [newest]
    newest.delete()
    assert b"No card is saved" in sam.get("/account/cards/").content


def test_pay_link_shows_no_saved_cards(sam, simulator):
    """Whoever has the link isn't known to be the customer."""
    order(sam, VISA, save_method="1")
    order(sam, DECLINED)
    waiting = Order.objects.latest("pk")
    link = create_pay_link(order=waiting)
    card = SavedMethod.objects.get()
    page = sam.get(f"/pay/{link.token}/")
    assert not any(value.startswith("saved:") for value in offered(page))
    assert b'name="save_method"' not in page.content
    sam.post(f"/pay/{link.token}/", {"pay_by": f"saved:{card.public_id}"})
    waiting.refresh_from_db()
    assert waiting.payment_status == "unpaid"
