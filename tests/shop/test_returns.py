"""Sending items back and withdrawing from a contract, in the shop and without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from apps.orders.models import Order
from apps.returns import services
from apps.returns.models import ReturnRequest, Withdrawal
from tests.flows.conftest import Buyer
from tests.products.pictures import picture
from tests.returns.conftest import buy, pay_and_send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


@pytest.fixture
def order(goods: Any) -> Order:
    return pay_and_send(buy(Buyer(APIClient()), ("MUG", 3), ("BOOK", 1)))


def url(order: Order, page: str = "") -> str:
    return f"/orders/{order.number}/{page}?token={order.token}"


def asked(order: Order, **pieces: int) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": "return", "refund_to": "original", "note": ""}
    for line in order.lines.all():
        data |= {
            f"pieces-{line.public_id}": pieces.get(line.sku, 0),
            f"reason-{line.public_id}": "does_not_fit",
            f"condition-{line.public_id}": "unused",
        }
    return data


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_from_the_order_to_the_request_and_back(visitor: Client, order: Order):
    page = text(visitor.get(url(order)))
    assert "Return items" in page
    assert "Withdraw from contract here" in page
    form = text(visitor.get(url(order, "returns/")))
    assert "You pay for sending it back." in form
    data = asked(order, MUG=2)
    looked = visitor.post(url(order, "returns/"), {**data, "look": "1"})
    assert "€24.00" in text(looked)
    assert not ReturnRequest.objects.exists()
    sent = visitor.post(url(order, "returns/"), {**data, "send": "1"})
    made = ReturnRequest.objects.get()
    assert sent.headers["Location"] == url(order, f"returns/{made.public_id}/")
    assert "2 × Mug" in text(visitor.get(sent.headers["Location"]))
    assert made.number in text(visitor.get(url(order)))
    visitor.post(sent.headers["Location"])
    made.refresh_from_db()
    assert made.status == "cancelled"


def test_what_isnt_possible_is_told_beside_the_form(visitor: Client, order: Order):
    nothing = visitor.post(url(order, "returns/"), {**asked(order), "send": "1"})
    assert (nothing.status_code, "Please look at this again" in text(nothing)) == (409, True)
    wrong = visitor.post(url(order, "returns/"), {**asked(order, MUG=9), "send": "1"})
    assert wrong.status_code == 400
    assert visitor.get(f"/orders/{order.number}/returns/").status_code == 404
    assert visitor.get(f"/orders/{order.number}/withdraw/").status_code == 404


def test_withdrawing_takes_two_steps(visitor: Client, order: Order):
    page = visitor.get(url(order, "withdraw/"))
    assert 'value="Ana García"' in text(page)
    said = {"name": "Ana García", "email": "ana@example.com"}
    second = text(visitor.post(url(order, "withdraw/"), said))
    assert "I, Ana García, hereby withdraw" in second
    assert "Confirm withdrawal" in second
    assert not Withdrawal.objects.exists()
    done = visitor.post(url(order, "withdraw/"), {**said, "confirm": "1"})
    assert "A confirmation with its date and time goes to ana@example.com" in text(done)
    assert Withdrawal.objects.get().request.status == "approved"


def test_by_number_and_mail_every_answer_is_the_same(visitor: Client, order: Order):
    assert 'href="/withdraw/"' in text(visitor.get("/"))
    said = {"name": "Ana", "email": "ana@example.com", "confirm": "1"}
    unknown = visitor.post("/withdraw/", {**said, "number": "WEB-99"})
    other = visitor.post("/withdraw/", {**said, "number": order.number, "email": "e@example.com"})
    known = visitor.post("/withdraw/", {**said, "number": order.number})
    assert (unknown.status_code, other.status_code, known.status_code) == (200, 200, 200)
    pages = [re.sub(r'value="\w{64}"', "", text(answer)) for answer in (unknown, other, known)]
    assert pages[0] == pages[1] == pages[2]
    assert Withdrawal.objects.count() == 1
    assert visitor.post("/withdraw/", {"name": ""}).status_code == 400


def test_an_exchange_is_asked_for_and_its_order_shown(visitor: Client, order: Order, goods: Any):
    page = text(visitor.get(url(order, "returns/")))
    assert "Nothing: I want my money back" in page
    line = order.lines.get(sku="MUG")
    data = {**asked(order, MUG=2), f"exchange-{line.public_id}": "MUG"}
    looked = text(visitor.post(url(order, "returns/"), {**data, "look": "1"}))
    assert "Of it for the replacement" in looked
    sent = visitor.post(url(order, "returns/"), {**data, "send": "1"})
    made = ReturnRequest.objects.get()
    assert "In exchange for Mug (MUG)" in text(visitor.get(sent.headers["Location"]))
    services.approve_return(request=made, send_now=True)
    shown = text(visitor.get(sent.headers["Location"]))
    assert "What we send instead: order WEB-2" in shown
    replacement = Order.objects.get(number="WEB-2")
    assert visitor.get(url(replacement)).status_code == 200


def test_photos_are_sent_with_the_form_and_shown(visitor: Client, order: Order):
    file = SimpleUploadedFile("photo.png", picture("PNG", (100, 50)), "image/png")
    data = {**asked(order, MUG=1), "kind": "damaged", "send": "1", "photos": [file]}
    sent = visitor.post(url(order, "returns/"), data)
    made = ReturnRequest.objects.get()
    assert "We look through your photos" in text(visitor.get(sent.headers["Location"]))
    services.process_photos()
    photo = made.photos.get()
    address = url(order, f"returns/{made.public_id}/photos/{photo.public_id}/")
    assert address in text(visitor.get(sent.headers["Location"]))
    assert visitor.get(address)["Content-Type"] == "image/webp"
    assert visitor.get(address.partition("?")[0]).status_code == 404
    assert visitor.post(address).status_code == 405
