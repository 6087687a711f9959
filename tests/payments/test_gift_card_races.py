"""A gift card wanted by many at once, on PostgreSQL; and proof that the guard is what holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from apps.checkout import services as checkout
from apps.checkout.models import Cart
from apps.checkout.services.tenders import add_gift_card
from apps.core import outbox
from apps.core.invariants import violations
from apps.orders.models import Order
from apps.orders.services import cancel
from apps.payments import services
from apps.payments.models import GiftCard, GiftCardEmpty, Refund, StoredValue, StoredValueEntry
from apps.products.models import Product, Variant
from tests.factories.payments import issue
from tests.flows.conftest import ADDRESS, Shop, build_shop
from tests.truths import untruths

pytestmark = pytest.mark.race

AtOnce = Callable[..., list[Any]]


@pytest.fixture
def shop(store: Any, transactional_db: None) -> Shop:
    """Three books cost 60.00, and nothing is shipped."""
    shop = build_shop(store)
    Variant.objects.filter(pk=shop.book.pk).update(requires_shipping=False)
    return shop


def _truths() -> None:
    assert untruths() == {}


def _cart(shop: Shop, *codes: str, quantity: int = 3) -> Cart:
    cart = checkout.create_cart(store=shop.store, lines=[("BOOK", quantity)])
    changes = {"email": "ana@example.com", "shipping_address": ADDRESS}
    checkout.update_cart(cart=cart, changes=changes)
    for code in codes:
        add_gift_card(cart=cart, code=code)
    return cart


def _order(cart: Cart) -> Any:
    payment = checkout.PaymentChoice("manual")
    return checkout.place_order(cart=Cart.objects.get(pk=cart.pk), payment=payment).order


def _charge(card: StoredValue, key: str) -> StoredValueEntry:
    return services.charge(
        stored_value_id=card.public_id, amount=6_000, currency="EUR", key=key, reference=key
    )


@pytest.mark.parametrize("correction", [-500, 500])
def test_a_card_pays_one_of_twenty_orders(shop: Shop, at_once: AtOnce, correction: int) -> None:
    """100.00 on the card, orders of 60.00, and staff who correct it in the same moment."""
    issued = issue(10_000)
    carts = [_cart(shop, issued.code) for _number in range(20)]

    def act(number: int) -> Any:
        if number == 20:
            card = StoredValue.objects.get(pk=issued.card.pk)
            return services.adjust(stored_value=card, delta=correction, reason="Count")
        return _order(carts[number])

    answers = at_once(21, act)
    assert isinstance(answers.pop(), StoredValueEntry)
    placed = [answer for answer in answers if isinstance(answer, Order)]
    refused = [answer for answer in answers if isinstance(answer, services.GiftCardChanged)]
    assert (len(placed), len(refused)) == (1, 19)
    assert Order.objects.count() == 1
    assert placed[0].captured_amount == 6_000
    issued.card.refresh_from_db()
    assert issued.card.balance == 4_000 + correction
    assert issued.card.entries.filter(kind="redeem").count() == 1
    _truths()


def test_charges_with_keys_of_their_own_take_once(shop: Shop, at_once: AtOnce) -> None:
    """The conditional UPDATE alone, without the locks of placing an order."""
    card = issue(10_000).card
    answers = at_once(20, lambda number: _charge(card, f"test:{number}"))
    assert sum(isinstance(answer, StoredValueEntry) for answer in answers) == 1
    assert sum(isinstance(answer, GiftCardEmpty) for answer in answers) == 19
    assert StoredValue.objects.get(pk=card.pk).balance == 4_000
    _truths()


def test_charges_with_one_key_take_once(shop: Shop, at_once: AtOnce) -> None:
    card = issue(10_000).card
    answers = at_once(20, lambda number: _charge(card, "test:1"))
    assert {type(answer) for answer in answers} == {StoredValueEntry}
    assert len({answer.pk for answer in answers}) == 1
    assert StoredValue.objects.get(pk=card.pk).balance == 4_000
    _truths()


def test_reading_then_saving_spends_twice(shop: Shop, at_once: AtOnce) -> None:
    """The negative control: the same race is lost by code that reads, checks and saves."""
    card = issue(10_000).card
    all_have_read = threading.Barrier(20)

    def spend(number: int) -> None:
        with transaction.atomic():
            row = StoredValue.objects.get(pk=card.pk)
            all_have_read.wait(timeout=30)
            if row.balance < 6_000:
                raise GiftCardEmpty()
            row.balance -= 6_000
            row.save()
            StoredValueEntry.objects.create(
                stored_value=row,
                kind="redeem",
                delta=-6_000,
                balance_after=row.balance,
                key=f"redeem:{number}",
                actor="test",
            )

    assert at_once(20, spend) == [None] * 20
    assert StoredValueEntry.objects.filter(kind="redeem").count() == 20
    found = [line for lines in violations().values() for line in lines]
    assert found == [f"gift_card {card.public_id}: 4000, ledger {10_000 - 20 * 6_000}"]


def test_money_of_a_cancelled_order_comes_back_once(shop: Shop, at_once: AtOnce) -> None:
    issued = issue(10_000)
    order = _order(_cart(shop, issued.code))
    cancel(order=order)

    def settle(number: int) -> None:
        if number % 2:
            services.settle_cancelled(order_id=str(order.public_id))
        else:
            outbox.drain()

    at_once(20, settle)
    outbox.drain()
    services.settle_cancelled(order_id=str(order.public_id))
    issued.card.refresh_from_db()
    assert issued.card.balance == 10_000
    assert Refund.objects.filter(status="succeeded").count() == 1
    assert issued.card.entries.filter(kind="refund").count() == 1
    _truths()


def test_two_cards_in_either_order_never_deadlock(shop: Shop, at_once: AtOnce) -> None:
    """Orders of one book each, that want two cards, the same shelf and the same numbers."""
    first, second = issue(100_000), issue(100_000)
    codes = (first.code, second.code)
    carts = [_cart(shop, *codes[:: 1 if n % 2 else -1], quantity=1) for n in range(20)]
    answers = at_once(20, lambda number: _order(carts[number]))
    assert {type(answer) for answer in answers} == {Order}
    rows = StoredValue.objects.filter(pk__in=[first.card.pk, second.card.pk])
    assert sum(rows.values_list("balance", flat=True)) == 200_000 - 20 * 2_000
    _truths()


def test_sold_cards_are_issued_once_each(shop: Shop, at_once: AtOnce) -> None:
    Product.objects.filter(pk=shop.book.product_id).update(is_gift_card=True, tax_class="voucher")
    order = _order(_cart(shop))
    services.capture(payment=order.payments.get())
    at_once(10, lambda number: services.issue_sold_cards(order_id=str(order.public_id)))
    outbox.drain()
    cards = GiftCard.objects.values_list("balance", flat=True)
    assert list(cards) == [2_000] * 3
    _truths()
