"""Many orders after one code, on PostgreSQL; and proof that the guard is what holds them."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum

from apps.checkout.services import (
    PaymentChoice,
    create_cart,
    place_order,
    update_cart,
)
from apps.core.emails import email_key
from apps.orders.models import Order
from apps.promotions.models import Promotion, Redemption
from apps.promotions.services import PromotionUsedUp, Use, redeem
from tests.factories.promotions import CouponFactory, PromotionFactory
from tests.flows.conftest import ADDRESS, build_shop
from tests.truths import untruths

pytestmark = pytest.mark.race

BUYERS = 50


@pytest.fixture
def shop(transactional_db, store):
    return build_shop(store)


def carts(shop, code, emails):
    made = []
    for email in emails:
        cart = create_cart(store=shop.store, lines=[("BOOK", 1)])
        changes = {"email": email, "shipping_address": ADDRESS, "shipping_method": "post"}
        update_cart(cart=cart, changes=changes)
        cart.refresh_from_db()
        # Codes of many buyers of one address are no guesses of one network.
        cart.codes = [code]
        cart.save()
        made.append(cart)
    return made


def outcomes(at_once, made):
    def buy(number):
        # Fifty threads share one interpreter: who waits for a lock too long is told to try again
        # (503), and does.
        while True:
            try:
                return place_order(cart=made[number], payment=PaymentChoice("manual"))
            except OperationalError as error:
                if "lock timeout" not in str(error):
                    raise

    names = Counter()
    for answer in at_once(len(made), buy):
        refused = isinstance(answer, Exception)
        names[type(answer).__name__ if refused else "placed"] += 1
        if isinstance(answer, OperationalError):
            # What the database said, told by the test that fails.
            raise answer
    return names


def truths():
    assert untruths() == {}


@pytest.mark.parametrize("limited", ["promotion", "code", "customer"])
def test_a_limit_of_one_gives_one_discount_to_fifty_at_once(shop, at_once, limited):
    promotion = PromotionFactory(
        needs_code=True,
        usage_limit=1 if limited == "promotion" else None,
        usage_limit_per_customer=1 if limited == "customer" else None,
    )
    CouponFactory(promotion=promotion, code="ONE", usage_limit=1 if limited == "code" else None)
    spellings = ["Ana.Diaz@gmail.com", "anadiaz+{}@gmail.com", "ANADIAZ@googlemail.com"]
    emails = [
        spellings[n % 3].format(n) if limited == "customer" else f"buyer{n}@example.com"
        for n in range(BUYERS)
    ]
    names = outcomes(at_once, carts(shop, "ONE", emails))
    assert names["placed"] == 1
    assert set(names) <= {"placed", "PromotionUsedUp", "CodeUnusable"}
    assert sum(names.values()) == BUYERS
    [order] = Order.objects.all()
    assert (order.discount, Redemption.objects.count()) == (200, 1)
    truths()


def test_without_the_guard_the_code_is_used_by_many(shop, at_once):
    """The negative control: the same race is lost by code that reads, compares and saves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE promotions_promotion DROP CONSTRAINT promotion_used_within_limit"
        )
    promotion = PromotionFactory(usage_limit=1)
    all_have_read = threading.Barrier(BUYERS)

    def use(number):
        with transaction.atomic():
            row = Promotion.objects.get(pk=promotion.pk)
            all_have_read.wait(timeout=30)
            if row.used >= row.usage_limit:
                raise PromotionUsedUp()
            row.used += 1
            row.save()
            Redemption.objects.create(
                promotion=row,
                reference=f"order:{number}",
                customer_key="",
                currency="EUR",
                amount=1,
            )

    assert at_once(BUYERS, use) == [None] * BUYERS
    assert (Redemption.objects.count(), Promotion.objects.get().used) == (BUYERS, 1)


def test_many_promotions_on_every_order_never_deadlock(shop, at_once):
    ids = [PromotionFactory(usage_limit=1000).pk for _n in range(6)]

    def use(number):
        mine = ids[number % 6 :] + ids[: number % 6]
        uses = [Use(pk, None, 1, "EUR") for pk in mine]
        redeem(reference=f"order:{number}", customer_key=email_key(str(number)), uses=uses)

    answers = at_once(BUYERS, use)
    assert [a for a in answers if a is not None] == []
    assert Promotion.objects.aggregate(n=Sum("used"))["n"] == 6 * BUYERS
    truths()
