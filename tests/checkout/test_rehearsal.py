"""Stored orders, played through a promotion that isn't there yet."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.checkout.services import rehearse, rehearsing
from apps.core.models import AuditEntry
from apps.customers.models import Customer
from apps.orders.models import Order
from apps.products.models import Product
from apps.promotions.models import Promotion, Redemption
from tests.factories.customers import CustomerGroupFactory, SegmentFactory
from tests.factories.products import CategoryFactory, TagFactory
from tests.factories.promotions import PromotionFactory
from tests.factories.stores import StoreFactory
from tests.flows.conftest import buyer, shop

__all__ = ["buyer", "shop"]

pytestmark = pytest.mark.usefixtures("invariants")


def _order(buyer, *lines, **changes):
    buyer.fill(*lines, **changes)
    answer = buyer.checkout()
    assert answer.status_code in (200, 201), answer.json()
    return Order.objects.get(number=answer.json()["order"]["number"])


@pytest.fixture
def orders(buyer):
    """24.00 + 4.95, 20.00 + 4.95 and 100.00 without shipping."""
    return [
        _order(buyer, ("MUG", 2)),
        _order(buyer, ("BOOK", 1), email="bob@example.com"),
        _order(buyer, ("BOOK", 5), email="cleo@example.com"),
    ]


def _rehearse(promotion, **kwargs):
    since = kwargs.pop("since", timezone.now() - timedelta(days=1))
    return rehearse(promotion=promotion, since=since, **kwargs)


def _draft(effect, **kwargs):
    return Promotion(code="draft", name="Draft", effect=effect, **kwargs)


TEN = {"type": "percentage", "percent": "10", "of": "order"}


def test_a_draft_is_played_through_the_orders_and_nothing_is_written(orders):
    entries = AuditEntry.objects.count()
    found = _rehearse(_draft(TEN))
    assert (found.orders, found.touched, dict(found.reasons)) == (3, 3, {})
    total = found.sums["EUR"]
    assert (total.orders, total.discount, total.average) == (3, 1440, 480)
    assert [(row.number, row.total, row.discount) for row in total.top] == [
        (order.number, order.total, off)
        for order, off in zip((orders[2], orders[0], orders[1]), (1000, 240, 200), strict=True)
    ]
    assert not Promotion.objects.exists()
    assert not Redemption.objects.exists()
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize(
    ("effect", "conditions", "off", "reasons"),
    [
        (TEN, {"min_spend": {"EUR": "24.00"}}, 1240, {"spend_too_low": 1}),
        (TEN, {"items": {"sku": ["MUG"]}}, 240, {"nothing_matches": 2}),
        (TEN, {"min_quantity": 2}, 1240, {"too_few": 1}),
        (TEN, {"customer_groups": ["vip"]}, 0, {"other_group": 3}),
        (TEN, {"segments": ["regulars"]}, 0, {"other_segment": 3}),
        ({"type": "amount_off", "amount": {"USD": "1.00"}}, {}, 0, {"other_currency": 3}),
        ({"type": "fixed_price", "price": {"EUR": "11.50"}}, {}, 5200, {}),
        (
            {"type": "buy_x_get_y", "buy": 1, "get": 1},
            {},
            1200 + 4000,
            {"too_few": 1},
        ),
        ({"type": "free_shipping"}, {}, 990, {"no_saving": 1}),
        ({"type": "free_gift", "sku": "MUG"}, {}, 3600, {}),
        ({"type": "free_gift", "sku": "NONE"}, {}, 0, {"gift_unavailable": 3}),
    ],
)
def test_every_effect_costs_what_the_engine_says(orders, effect, conditions, off, reasons):
    found = _rehearse(_draft(effect, conditions=conditions))
    assert sum(total.discount for total in found.sums.values()) == off
    assert dict(found.reasons) == reasons


def test_facts_of_products_are_those_of_today_and_prices_those_of_the_order(orders, shop):
    shop.mug.product.categories.add(CategoryFactory(slug="mugs"))
    shop.mug.prices.update(amount=99_900)
    found = _rehearse(_draft(TEN, conditions={"items": {"category": ["mugs"]}}))
    assert (found.touched, found.sums["EUR"].discount) == (1, 240)


def test_groups_and_first_orders_are_known(orders, buyer):
    again = _order(buyer, ("BOOK", 1), email="bob+again@example.com")
    draft = _draft(TEN, conditions={"first_order": True})
    found = _rehearse(draft)
    assert dict(found.reasons) == {"used_up_by_customer": 1}
    # The first of them lies before the time that is looked at.
    Order.objects.filter(pk=orders[1].pk).update(created_at=timezone.now() - timedelta(days=9))
    assert dict(_rehearse(draft).reasons) == {"not_first_order": 1}
    customer = Customer.objects.create(email="bob@example.com", group=CustomerGroupFactory())
    Order.objects.filter(pk=again.pk).update(customer=customer)
    segment = SegmentFactory()
    segment.members.add(customer)
    for conditions in ({"customer_groups": [customer.group.code]}, {"segments": [segment.code]}):
        found = _rehearse(_draft(TEN, conditions=conditions))
        assert (found.touched, found.sums["EUR"].top[0].number) == (1, again.number)


def test_limits_end_it(orders, buyer):
    _order(buyer, ("BOOK", 1))
    found = _rehearse(_draft(TEN, usage_limit=2))
    assert (found.touched, dict(found.reasons)) == (2, {"used_up": 2})
    found = _rehearse(_draft(TEN, usage_limit_per_customer=1))
    assert (found.touched, dict(found.reasons)) == (3, {"used_up_by_customer": 1})


def test_the_window_is_left_out_and_weekdays_count(orders):
    later = timezone.now() + timedelta(days=30)
    assert _rehearse(_draft(TEN, starts_at=later)).touched == 3
    other_day = (timezone.now().weekday() + 3) % 7
    found = _rehearse(_draft(TEN, weekdays=[other_day]))
    assert dict(found.reasons) == {"wrong_time": 3}


def test_a_price_of_lists_is_what_lies_below_the_price_paid(orders):
    effect = {"type": "percentage", "percent": "25", "of": "items"}
    draft = _draft(effect, conditions={"items": {"product": ["mug"]}}, is_catalogue=True)
    found = _rehearse(draft)
    assert (found.touched, found.sums["EUR"].discount) == (1, 600)
    assert dict(found.reasons) == {"nothing_matches": 2}


def test_cancelled_old_and_other_orders_are_left_out(orders, store):
    other = StoreFactory()
    Order.objects.filter(pk=orders[0].pk).update(created_at=timezone.now() - timedelta(days=9))
    Order.objects.filter(pk=orders[1].pk).update(store=other)
    Order.objects.filter(pk=orders[2].pk).update(status="cancelled")
    assert _rehearse(_draft(TEN)).orders == 1
    assert _rehearse(_draft(TEN), store=store).orders == 0
    promotion = PromotionFactory(is_active=False)
    promotion.stores.add(store)
    assert _rehearse(promotion).orders == 0
    assert _rehearse(promotion, since=timezone.now() - timedelta(days=10)).orders == 1
    Order.objects.filter(pk=orders[1].pk).update(store=store)
    Order.objects.filter(pk=orders[2].pk).update(status="confirmed")


def test_only_the_newest_are_played(orders):
    found = _rehearse(_draft(TEN), newest=2)
    assert (found.orders, found.sums["EUR"].discount) == (2, 1200)
    assert _rehearse(_draft(TEN), newest=9).orders == 3


def _copies(order, number):
    lines = list(order.lines.all())
    for i in range(number):
        copy = Order.objects.get(pk=order.pk)
        copy.pk, copy.number, copy.source = None, f"X-{order.number}-{i}", None
        copy.public_id, copy.token = uuid4(), f"token-{uuid4()}"[:40]
        copy._state.adding = True
        copy.save()
        for line in lines:
            line.pk, line.public_id, line.order = None, uuid4(), copy
            line._state.adding = True
            line.save()


def _queries(promotion):
    with CaptureQueriesContext(connection) as seen:
        found = _rehearse(promotion)
    return len(seen), found.orders


# Copies without payments and stock are no orders the other truths could hold for.
@pytest.mark.parametrize("size", [10, 30])
def test_a_batch_costs_the_same_for_more_orders(shop, buyer, monkeypatch, size):
    order = _order(buyer, ("MUG", 2), ("BOOK", 1))
    promotion = PromotionFactory(
        conditions={"items": {"tag": ["none"]}, "first_order": True}, usage_limit_per_customer=1
    )
    TagFactory(slug="none")
    monkeypatch.setattr(rehearsing, "BATCH", size)
    few, _number = _queries(promotion)
    _copies(order, size - 2)
    assert _queries(promotion) == (few, size - 1)
    _copies(Order.objects.latest("pk"), size)
    more, number = _queries(promotion)
    # One batch more, of the same price; the last look finds nothing.
    assert number == 2 * size - 1
    assert more - few <= few
    Order.objects.exclude(pk=order.pk).delete()


def test_progress_is_told_batch_by_batch(orders, monkeypatch):
    monkeypatch.setattr(rehearsing, "BATCH", 2)
    seen = []
    _rehearse(_draft(TEN), on_progress=lambda done, every: seen.append((done, every)))
    assert seen == [(2, 3), (3, 3)]


def test_the_command_tells_and_writes_a_file(orders, tmp_path):
    PromotionFactory(code="ten", is_active=False)
    Order.objects.filter(pk=orders[0].pk).update(number="=1+1")
    out, file = StringIO(), tmp_path / "orders.csv"
    call_command("rehearse_promotion", "ten", since="2w", csv=file, stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("3 of 3 orders since ")
    assert lines[1] == "EUR: 3 orders, 14.40 off, 4.80 on average"
    assert lines[2] == f"  {orders[2].number}: 10.00 off 100.00"
    rows = list(csv.reader(file.open()))
    assert rows[0] == ["order", "created_at", "currency", "total", "discount"]
    assert [(row[0], *row[2:]) for row in rows[1:]] == [
        ("'=1+1", "EUR", "28.95", "2.40"),
        (orders[1].number, "EUR", "24.95", "2.00"),
        (orders[2].number, "EUR", "100.00", "10.00"),
    ]
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("code", "options", "message"),
    [
        ("none", {}, "There is no promotion 'none'"),
        ("ten", {"store": "none"}, "There is no store 'none'"),
        ("ten", {"since": "yesterday"}, "'yesterday' isn't a time"),
        ("ten", {"since": "0d"}, "'0d' isn't a time"),
    ],
)
def test_the_command_says_what_is_wrong(db, code, options, message):
    PromotionFactory(code="ten")
    with pytest.raises(CommandError, match=message):
        call_command("rehearse_promotion", code, **options)


FORM = {
    "name": "Draft",
    "code": "draft",
    "effect_type": "percentage",
    "percentage__percent": "10",
    "percentage__of": "order",
    "items__reduced": "on",
    "get__reduced": "on",
    "priority": "0",
    "_preview": "rehearsal",
}


def test_the_button_rehearses_the_form_and_saves_nothing(client, merchant, orders):
    client.force_login(merchant)
    answer = client.post("/admin/promotions/promotion/add/", FORM)
    assert answer.status_code == 200
    page = answer.content.decode()
    for text in ("3 of 3 orders", "€14.40 off 3 orders, €4.80 on average", "€10.00"):
        assert text in page
    assert "newest orders were looked at" not in page
    answer = client.post("/admin/promotions/promotion/add/", {**FORM, "min_spend_EUR": "24.00"})
    assert "too little spent: 1" in answer.content.decode()
    assert not Promotion.objects.exists()


def test_the_button_needs_the_permission_to_see_orders(client, orders):
    from tests.factories.accounts import StaffFactory

    client.force_login(StaffFactory(permissions=["promotions.add_promotion"]))
    page = client.post("/admin/promotions/promotion/add/", FORM).content.decode()
    assert "orders would have had" not in page
    assert "Rehearse" not in page


def test_carts_and_orders_tell_why_their_total_is_what_it_is(client, merchant, buyer):
    PromotionFactory(code="ten", name="Ten <b>", conditions={"items": {"product": ["mug"]}})
    PromotionFactory(code="gold", name="Gold", needs_code=True)
    buyer.fill(("MUG", 2))
    client.force_login(merchant)
    from apps.checkout.models import Cart

    cart = Cart.objects.get()
    page = client.get(f"/admin/checkout/cart/{cart.pk}/change/").content.decode()
    for text in ("Ten &lt;b&gt;", "-2.40 EUR", "needs a code that nobody typed", "IVA 21 %"):
        assert text in page
    order = Order.objects.get(number=buyer.checkout().json()["order"]["number"])
    page = client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    for text in ("Ten &lt;b&gt;", "-2.40 EUR", "Shipping: post"):
        assert text in page
    assert "Gold" not in page
    assert Product.objects.count() == 2
