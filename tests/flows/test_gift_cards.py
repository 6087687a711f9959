"""Gift cards and store credit: sold, mailed, spent in part, given back; never spent twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.core import outbox
from apps.notifications.models import Notification
from apps.orders.models import Order
from apps.orders.services import cancel, cancel_expired
from apps.payments import services as payments
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.payments.models import GiftCard, Payment, Refund, StoredValue
from apps.payments.selectors import propose_refund
from apps.pricing.services import set_price
from apps.products.models import Variant
from apps.products.services.product import VOUCHER_TAX_CLASS
from apps.products.services.variants import create_product_with_variants
from tests.factories.payments import gift_card, issue, store_credit
from tests.flows.conftest import ADDRESS, Buyer, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]

VISA, DECLINED = "pm_card_visa", "pm_card_chargeDeclined"
# One mug of 12.00 and 4.95 for the post.
PRICE = 1695


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def add(buyer: Buyer, code: str) -> Any:
    return buyer.client.post(f"/api/v1/carts/{buyer.cart_id}/discounts/", {"code": code})


def cart_of(buyer: Buyer) -> dict[str, Any]:
    return buyer.client.get(f"/api/v1/carts/{buyer.cart_id}/").json()


def balance(card: StoredValue) -> int:
    return StoredValue.objects.get(pk=card.pk).balance


def paid_by(order: Order) -> list[tuple[str, int, str]]:
    rows = order.payments.order_by("pk")
    return [(row.gateway, row.amount, row.status) for row in rows]


def codes_in_mails() -> list[str]:
    lines = [line for message in mail.outbox for line in message.body.splitlines()]
    return [line.partition(": ")[2] for line in lines if line.startswith("Your code: ")]


@pytest.fixture
def voucher(shop: Shop) -> Variant:
    """A gift card for sale, 50.00."""
    product = create_product_with_variants(
        fields={"name": "Gift card", "slug": "card", "is_gift_card": True, "status": "active"},
        variants=[{"sku": "CARD-50", "track_inventory": False, "requires_shipping": True}],
        store=shop.store,
    )
    variant = product.variants.get()
    set_price(variant=variant, currency="EUR", amount=5000)
    return variant


def test_bought_mailed_spent_in_part_refunded_onto_the_card(
    buyer: Buyer, voucher: Variant, simulator: StripeSimulator, drain: Callable[[], int]
) -> None:
    assert (voucher.requires_shipping, voucher.product.tax_class) == (False, VOUCHER_TAX_CLASS)
    cart = buyer.fill(("CARD-50", 2), shipping_method="")
    assert cart["totals"]["tax"] == money("0.00")
    bought = buyer.checkout("stripe", method=VISA)
    assert bought.status_code == 201, bought.json()
    drain()
    codes = codes_in_mails()
    assert (len(codes), len(set(codes))) == (2, 2)
    assert {card.recipient_email for card in GiftCard.objects.all()} == {"ana@example.com"}

    buyer.fill(("MUG", 5))
    shown = add(buyer, codes[0].lower()).json()
    assert shown["gift_cards"] == [
        {"last4": codes[0][-4:], "balance": money("50.00"), "amount": money("50.00")}
    ]
    assert (shown["totals"]["total"], shown["totals"]["due"]) == (money("64.95"), money("14.95"))
    placed = buyer.checkout("stripe", method=VISA).json()["order"]
    order = Order.objects.get(number=placed["number"])
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert paid_by(order) == [("gift_card", 5000, "captured"), ("stripe", 1495, "captured")]
    assert simulator.state()["captured"] == {"eur": 10_000 + 1_495}

    card_payment, stripe_payment = order.payments.order_by("pk")
    assert propose_refund(order, 2_000) == [(stripe_payment, 1_495), (card_payment, 505)]
    payments.refund(payment=card_payment, amount=505)
    drain()
    card = StoredValue.objects.get(public_id=card_payment.method)
    assert card.balance == 505
    [mail] = Notification.objects.filter(kind="orders/refunded")
    for body in (mail.body_text, mail.body_html):
        assert f"It is on your gift card ending in {card.last4} again." in body
    order.refresh_from_db()
    assert order.payment_status == "partially_refunded"
    assert simulator.state()["refunded"].get("eur", 0) == 0

    cancel(order=order)
    drain()
    order.refresh_from_db()
    assert (balance(card), order.payment_status) == (5_000, "refunded")
    assert simulator.state()["refunded"] == {"eur": 1_495}
    assert drain() == 0


def test_a_card_is_mailed_to_whom_the_shopper_names(
    buyer: Buyer, voucher: Variant, simulator: StripeSimulator, drain: Callable[[], int]
) -> None:
    cart = buyer.fill(("CARD-50", 1), ("MUG", 1))
    lines = {line["sku"]: line for line in cart["lines"]}
    url = f"/api/v1/carts/{buyer.cart_id}/lines/"
    leo = {"recipient_email": "leo@example.com", "sender_name": "Ana", "message": "Enjoy <b>it</b>"}

    def change(sku: str, body: dict[str, Any]) -> Any:
        return buyer.client.patch(f"{url}{lines[sku]['id']}/", body)

    refused = change("MUG", {"gift_card": leo})
    assert (refused.status_code, refused.json()["code"]) == (400, "not_a_gift_card")
    for wrong in ({**leo, "recipient_email": "leo"}, {**leo, "to": "x"}, {"message": "x"}, "leo"):
        assert change("CARD-50", {"gift_card": wrong}).status_code == 400
    assert change("CARD-50", {"gift_card": leo}).status_code == 200
    cart = change("CARD-50", {"quantity": 2}).json()
    assert {line["sku"]: line["gift_card"] for line in cart["lines"]} == {
        "CARD-50": leo,
        "MUG": None,
    }

    order = buyer.checkout("stripe", method=VISA).json()["order"]
    assert [line["gift_card"] for line in order["lines"]] == [leo, None]
    drain()
    assert {card.recipient_email for card in GiftCard.objects.all()} == {"leo@example.com"}
    sent = [each for each in mail.outbox if each.to == ["leo@example.com"]]
    assert len(sent) == 2
    for each in sent:
        [(html, _kind)] = each.alternatives
        assert "Ana" in each.body
        assert "Enjoy &lt;b&gt;it&lt;/b&gt;" in html


def test_without_a_recipient_the_buyer_gets_the_card(
    buyer: Buyer, voucher: Variant, simulator: StripeSimulator, drain: Callable[[], int]
) -> None:
    [line] = buyer.fill(("CARD-50", 1), shipping_method="")["lines"]
    url = f"/api/v1/carts/{buyer.cart_id}/lines/{line['id']}/"
    buyer.client.patch(url, {"gift_card": {"recipient_email": "leo@example.com"}})
    [line] = buyer.client.patch(url, {"gift_card": None}).json()["lines"]
    assert line["gift_card"] is None
    buyer.checkout("stripe", method=VISA)
    drain()
    assert GiftCard.objects.get().recipient_email == "ana@example.com"


def test_a_card_that_covers_everything_needs_no_other_gateway(
    buyer: Buyer, simulator: StripeSimulator, drain: Callable[[], int]
) -> None:
    issued = issue(5_000)
    buyer.fill(("MUG", 1))
    assert add(buyer, issued.code).json()["totals"]["due"] == money("0.00")
    first = buyer.checkout("stripe", method=VISA)
    again = buyer.checkout("stripe", method=VISA)
    assert (first.status_code, again.status_code) == (201, 201)
    order = Order.objects.get()
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert paid_by(order) == [("gift_card", PRICE, "captured")]
    assert balance(issued.card) == 5_000 - PRICE
    assert simulator.state()["captured"] == {}


def test_a_card_that_covers_everything_needs_no_payment(buyer: Buyer) -> None:
    issued = issue(5_000)
    buyer.fill(("MUG", 1))
    add(buyer, issued.code)
    url = f"/api/v1/carts/{buyer.cart_id}/checkout/"
    first, again = buyer.client.post(url, {}), buyer.client.post(url, {})
    assert (first.status_code, again.status_code) == (201, 201), first.json()
    assert first.json() == again.json()
    assert first.json()["order"]["status"] == "confirmed"
    assert paid_by(Order.objects.get()) == [("gift_card", PRICE, "captured")]
    assert balance(issued.card) == 5_000 - PRICE


def test_what_a_card_leaves_needs_a_payment(buyer: Buyer, simulator: StripeSimulator) -> None:
    issued = issue(1_000)
    buyer.fill(("MUG", 1))
    add(buyer, issued.code)
    url = f"/api/v1/carts/{buyer.cart_id}/checkout/"
    refused = buyer.client.post(url, {})
    assert (refused.status_code, refused.json()["code"]) == (400, "payment_required")
    assert (Order.objects.exists(), balance(issued.card)) == (False, 1_000)
    assert cart_of(buyer)["status"] == "open"
    # So does an order that was placed and waits for its money.
    assert buyer.checkout("stripe", method=DECLINED).status_code == 402
    refused = buyer.client.post(url, {})
    assert (refused.status_code, refused.json()["code"]) == (400, "payment_required")
    assert buyer.checkout("manual").status_code == 201


def test_order_in_one_call_needs_a_payment_for_what_costs(buyer: Buyer) -> None:
    body = {
        "lines": [{"sku": "MUG", "quantity": 1}],
        "email": "ana@example.com",
        "shipping_address": ADDRESS,
        "shipping_method": "post",
    }
    refused = buyer.client.post("/api/v1/checkout/", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "payment_required")
    covered = buyer.client.post("/api/v1/checkout/", {**body, "discounts": [issue(5_000).code]})
    assert covered.status_code == 201, covered.json()
    assert covered.json()["order"]["status"] == "confirmed"


def test_a_declined_rest_keeps_the_cards_money_on_the_order_until_it_expires(
    buyer: Buyer, simulator: StripeSimulator, drain: Callable[[], int]
) -> None:
    issued = issue(1_000)
    buyer.fill(("MUG", 1))
    add(buyer, issued.code)
    declined = buyer.checkout("stripe", method=DECLINED)
    order = Order.objects.get()
    assert (declined.status_code, declined.json()["code"]) == (402, "payment_declined")
    assert (order.status, order.payment_status) == ("pending", "partially_paid")
    assert balance(issued.card) == 0
    late = timezone.now() + timedelta(hours=1)
    assert (cancel_expired(now=late), cancel_expired(now=late)) == (1, 0)
    for _time in range(2):
        drain()
        payments.settle_cancelled(order_id=str(order.public_id))
    assert balance(issued.card) == 1_000
    assert Refund.objects.count() == 1
    order.refresh_from_db()
    assert (order.captured_amount, order.refunded_amount) == (1_000, 1_000)
    # The cart can be ordered again, and the card pays again.
    assert cart_of(buyer)["totals"]["due"] == money("6.95")
    assert buyer.checkout("stripe", method=VISA).json()["order"]["status"] == "confirmed"
    assert simulator.state()["captured"] == {"eur": 695}


def test_a_declined_rest_can_be_paid_by_another_method(
    buyer: Buyer, simulator: StripeSimulator
) -> None:
    issued = issue(1_000)
    buyer.fill(("MUG", 1))
    add(buyer, issued.code)
    assert buyer.checkout("stripe", method=DECLINED).status_code == 402
    assert buyer.checkout("manual").status_code == 201
    assert paid_by(Order.objects.get()) == [
        ("gift_card", 1_000, "captured"),
        ("stripe", 695, "failed"),
        ("manual", 695, "authorized"),
    ]


def test_what_was_refunded_before_the_rest_was_paid_is_due_again(
    buyer: Buyer, simulator: StripeSimulator
) -> None:
    issued = issue(1_000)
    buyer.fill(("MUG", 1))
    add(buyer, issued.code)
    buyer.checkout("stripe", method=DECLINED)
    payments.refund(payment=Payment.objects.get(gateway="gift_card"), amount=400)
    assert buyer.checkout("stripe", method=VISA).status_code == 201
    assert paid_by(Order.objects.get())[-1] == ("stripe", 1_095, "captured")
    assert (balance(issued.card), simulator.state()["captured"]) == (400, {"eur": 1_095})


def test_several_cards_and_store_credit_in_their_order(
    shop: Shop, as_shopper: APIClient, shopper: User, drain: Callable[[], int]
) -> None:
    buyer = Buyer(as_shopper)
    first, second = issue(500), issue(300)
    credit = store_credit(shopper.customer, 10_000)
    buyer.fill(("MUG", 1))
    url = f"/api/v1/carts/{buyer.cart_id}/store-credit/"
    assert as_shopper.post(url).json()["store_credit"] == {
        "balance": money("100.00"),
        "amount": money("16.95"),
    }
    add(buyer, first.code)
    shown = add(buyer, second.code).json()
    assert [card["amount"] for card in shown["gift_cards"]] == [money("5.00"), money("3.00")]
    assert shown["store_credit"]["amount"] == money("8.95")
    order = Order.objects.get(number=buyer.checkout("manual").json()["order"]["number"])
    assert paid_by(order) == [
        ("gift_card", 500, "captured"),
        ("gift_card", 300, "captured"),
        ("store_credit", 895, "captured"),
    ]
    cancel(order=order)
    drain()
    assert [balance(row) for row in (first.card, second.card, credit)] == [500, 300, 10_000]


def test_store_credit_is_only_its_owners(
    shop: Shop, as_shopper: APIClient, api: APIClient, shopper: User, stranger: User
) -> None:
    store_credit(shopper.customer)
    guest = Buyer(api)
    guest.fill(("MUG", 1))
    refused = api.post(f"/api/v1/carts/{guest.cart_id}/store-credit/")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_store_credit")
    buyer = Buyer(as_shopper)
    buyer.fill(("MUG", 1))
    as_shopper.post(f"/api/v1/carts/{buyer.cart_id}/store-credit/")
    assert api.delete(f"/api/v1/carts/{buyer.cart_id}/store-credit/").status_code == 404
    left = as_shopper.delete(f"/api/v1/carts/{buyer.cart_id}/store-credit/")
    assert (left.status_code, left.json()["store_credit"]) == (200, None)


def test_a_tender_cannot_be_chosen_as_the_gateway(buyer: Buyer) -> None:
    card = gift_card()
    buyer.fill(("MUG", 1))
    for gateway in ("gift_card", "store_credit"):
        refused = buyer.checkout(gateway, method=str(card.public_id))
        assert (refused.status_code, refused.json()["code"]) == (400, "unknown_gateway")
    assert (balance(card), Order.objects.count()) == (10_000, 0)


def test_a_removed_card_pays_nothing(buyer: Buyer) -> None:
    issued = issue(500)
    buyer.fill(("MUG", 1))
    add(buyer, issued.code)
    url = f"/api/v1/carts/{buyer.cart_id}/gift-cards/{issued.card.last4}/"
    removed = buyer.client.delete(url)
    assert (removed.status_code, removed.json()["gift_cards"]) == (200, [])
    assert buyer.client.delete(url).status_code == 404
    assert buyer.checkout("manual").status_code == 201
    assert paid_by(Order.objects.get()) == [("manual", PRICE, "authorized")]
    assert balance(issued.card) == 500


@pytest.mark.parametrize("how", ["spent", "emptied", "disabled", "expired"])
def test_a_card_that_pays_less_than_seen_is_shown_before_anything_is_written(
    buyer: Buyer, how: str
) -> None:
    issued = issue(1_000, expires_at=timezone.now() + timedelta(days=1))
    card = issued.card
    buyer.fill(("MUG", 1))
    add(buyer, issued.code)
    if how == "disabled":
        payments.disable(stored_value=card)
    elif how == "expired":
        StoredValue.objects.filter(pk=card.pk).update(expires_at=timezone.now())
    else:
        payments.adjust(stored_value=card, delta=-400 if how == "spent" else -1_000, reason="Test")
    left = "6.00" if how == "spent" else "0.00"

    refused = buyer.checkout("manual")
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "gift_card_changed")
    assert problem["cart"]["gift_cards"] == [
        {"last4": card.last4, "balance": money(left), "amount": money(left)}
    ]
    assert Order.objects.count() == 0

    assert buyer.checkout("manual").status_code == 201
    wanted = [("gift_card", 600, "captured")] if how == "spent" else []
    rest = PRICE - (600 if how == "spent" else 0)
    assert paid_by(Order.objects.get()) == [*wanted, ("manual", rest, "authorized")]


def test_codes_that_cannot_be_used_are_refused(buyer: Buyer) -> None:
    empty, foreign = issue(1), issue(1_000, "JPY")
    payments.adjust(stored_value=empty.card, delta=-1, reason="Test")
    disabled = issue(1_000)
    payments.disable(stored_value=disabled.card)
    buyer.fill(("MUG", 1))
    answers = {
        name: add(buyer, code)
        for name, code in {
            "unknown_code": "AAAA-BBBB-CCCC-DDDD-EEEE",
            "gift_card_empty": empty.code,
            "wrong_currency": foreign.code,
        }.items()
    }
    assert {name: answer.json()["code"] for name, answer in answers.items()} == {
        name: name for name in answers
    }
    # A guess learns nothing from a disabled card.
    assert add(buyer, disabled.code).json()["code"] == "unknown_code"
    assert cart_of(buyer)["gift_cards"] == []
    assert cart_of(buyer)["codes"] == []


def test_one_call_pays_by_a_card_and_counts_guesses(api: APIClient, shop: Shop) -> None:
    issued = issue(1_000)
    body = {
        "lines": [{"sku": "MUG", "quantity": 1}],
        "email": "ana@example.com",
        "shipping_address": ADDRESS,
        "shipping_method": "post",
        "payment": {"gateway": "manual"},
    }
    placed = api.post("/api/v1/checkout/", {**body, "discounts": [issued.code]})
    assert placed.status_code == 201, placed.json()
    assert paid_by(Order.objects.get())[0] == ("gift_card", 1_000, "captured")
    codes = [
        api.post("/api/v1/checkout/", {**body, "discounts": [f"AAAABBBBCCCCDDDDEE{n:02}"]})
        for n in range(31)
    ]
    assert (codes[0].json()["code"], codes[-1].status_code) == ("unknown_code", 429)


def test_refunds_of_a_split_order_never_exceed_their_payment(
    buyer: Buyer, as_merchant: APIClient
) -> None:
    issued = issue(1_000)
    buyer.fill(("MUG", 1))
    add(buyer, issued.code)
    buyer.checkout("manual")
    order = Order.objects.get()
    card, manual = order.payments.order_by("pk")
    payments.capture(payment=manual)
    url = f"/api/v1/admin/payments/{card.public_id}/refund/"
    too_much = as_merchant.post(url, {"amount": money("10.01")})
    proposal = as_merchant.get(
        f"/api/v1/admin/orders/{order.number}/refund-proposal/", {"amount": "8.00"}
    ).json()
    part = as_merchant.post(url, {"amount": money("4.00")})
    again = as_merchant.post(url, {"amount": money("6.01")})
    assert [answer.status_code for answer in (too_much, part, again)] == [409, 201, 409]
    assert [(p["gateway"], p["amount"]) for p in proposal["parts"]] == [
        ("manual", money("6.95")),
        ("gift_card", money("1.05")),
    ]
    assert balance(issued.card) == 400
    assert Payment.objects.get(pk=card.pk).refunded_amount == 400


def test_sold_cards_wait_for_the_money(
    buyer: Buyer, voucher: Variant, drain: Callable[[], int]
) -> None:
    """On account: the order is accepted at once, the card is issued when staff capture."""
    buyer.fill(("CARD-50", 1), shipping_method="")
    buyer.checkout("manual")
    drain()
    assert GiftCard.objects.count() == 0
    payments.capture(payment=Payment.objects.get())
    drain()
    order = Order.objects.get()
    for _time in range(3):
        payments.issue_sold_cards(order_id=str(order.public_id))
    drain()
    card = GiftCard.objects.get()
    assert (card.balance, card.reference) == (
        5_000,
        f"order-line:{order.lines.get().public_id}:0",
    )
    assert len(codes_in_mails()) == 1


def test_an_undone_sale_takes_back_what_was_not_spent(
    buyer: Buyer, voucher: Variant, drain: Callable[[], int]
) -> None:
    buyer.fill(("CARD-50", 2), shipping_method="")
    sale = buyer.checkout("manual").json()["order"]["number"]
    payments.capture(payment=Payment.objects.get())
    drain()
    spent, unused = codes_in_mails()
    buyer.fill(("MUG", 1))
    add(buyer, spent)
    buyer.checkout("manual")
    payments.refund(payment=Order.objects.get(number=sale).payments.get())
    drain()
    cards = {card.last4: card for card in GiftCard.objects.all()}
    assert (cards[unused[-4:]].status, cards[unused[-4:]].balance) == ("disabled", 0)
    assert (cards[spent[-4:]].status, cards[spent[-4:]].balance) == ("active", 5_000 - PRICE)
    noted = Order.objects.get(number=sale).timeline.filter(kind="gift_card_spent")
    assert noted.count() == 1
    assert payments.withdraw_sold_cards(order_id=str(Order.objects.get(number=sale).public_id)) == 0


def test_a_cancelled_order_issues_nothing_however_late_the_event_comes(
    buyer: Buyer, voucher: Variant, simulator: StripeSimulator, drain: Callable[[], int]
) -> None:
    buyer.fill(("CARD-50", 1), shipping_method="")
    buyer.checkout("stripe", method=VISA)
    order = Order.objects.get()
    cancel(order=order)
    assert outbox.drain() > 0
    assert GiftCard.objects.count() == 0
    assert payments.issue_sold_cards(order_id=str(order.public_id)) == 0
    assert simulator.state()["refunded"] == {"eur": 5_000}


@pytest.mark.parametrize(
    ("currency", "price", "card", "total", "due"),
    [("JPY", 1_200, 700, "1200", "500"), ("KWD", 1_240, 1_000, "1.240", "0.240")],
)
def test_currencies_without_cents_and_with_three_decimals(
    shop: Shop,
    api: APIClient,
    simulator: StripeSimulator,
    drain: Callable[[], int],
    currency: str,
    price: int,
    card: int,
    total: str,
    due: str,
) -> None:
    shop.store.currencies = ["EUR", currency]
    shop.store.save()
    Variant.objects.filter(pk=shop.mug.pk).update(requires_shipping=False)
    set_price(variant=shop.mug, currency=currency, amount=price)
    issued = issue(card, currency)
    buyer = Buyer(api)
    body = {"lines": [{"sku": "MUG", "quantity": 1}], "currency": currency}
    buyer.cart_id = api.post("/api/v1/carts/", body).json()["id"]
    changes = {"email": "ana@example.com", "shipping_address": ADDRESS}
    api.patch(f"/api/v1/carts/{buyer.cart_id}/", changes)
    shown = add(buyer, issued.code).json()
    assert shown["totals"]["total"] == money(total, currency)
    assert shown["totals"]["due"] == money(due, currency)
    assert buyer.checkout("stripe", method=VISA).status_code == 201
    order = Order.objects.get()
    assert paid_by(order) == [
        ("gift_card", card, "captured"),
        ("stripe", price - card, "captured"),
    ]
    assert simulator.state()["captured"] == {currency.lower(): price - card}
    cancel(order=order)
    drain()
    assert balance(issued.card) == card
    assert simulator.state()["refunded"] == {currency.lower(): price - card}


def test_gift_cards_cost_the_cart_one_query(buyer: Buyer) -> None:
    codes = [issue(100).code for _number in range(3)]
    buyer.fill(("MUG", 1))

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            cart_of(buyer)
        return len(seen)

    queries()
    without = queries()
    add(buyer, codes[0])
    assert queries() == without + 1
    add(buyer, codes[1])
    add(buyer, codes[2])
    assert queries() == without + 1
