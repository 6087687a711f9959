"""Orders that change after the sale: what they cost, hold, and keep of the sale."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.core.models import AuditEntry
from apps.fulfillment.services import cancel_shipment, fulfill, plan_whole
from apps.inventory.models import StockLevel
from apps.inventory.services import InsufficientStock
from apps.orders import services
from apps.orders.models import Order, OrderEdit
from apps.orders.services import LineChange, OrderChanges
from apps.payments import services as payments
from apps.pricing.services import ShippingUnavailable, set_price
from apps.products.models import Variant
from apps.promotions.models import Promotion, Redemption
from apps.promotions.services import set_active
from apps.shipping.models import ShippingMethod, ShippingRate
from tests.factories.promotions import CouponFactory, PromotionFactory
from tests.flows.conftest import ADDRESS, Buyer, Shop

EXAMPLES = int(os.environ.get("EDIT_EXAMPLES", "6"))
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


@pytest.fixture
def order(buyer: Buyer) -> Order:
    """Two mugs and a book: 44.00, and 4.95 for the post."""
    buyer.fill(("MUG", 2), ("BOOK", 1))
    return Order.objects.get(number=buyer.checkout().json()["order"]["number"])


def change(order: Order, *lines: LineChange, **changes: Any) -> OrderEdit:
    edit = services.edit_order(order=order, changes=OrderChanges(lines, **changes))
    order.refresh_from_db()
    return edit


def line(
    order: Order, sku: str, quantity: int | None = None, price: int | None = None
) -> LineChange:
    found = order.lines.get(sku=sku)
    return LineChange(line=str(found.public_id), quantity=quantity, unit_price=price)


def committed(shop: Shop) -> dict[str, int]:
    rows = StockLevel.objects.values_list("variant__sku", "committed")
    sums = dict.fromkeys(("MUG", "BOOK"), 0)
    for sku, pieces in rows:
        sums[sku] += pieces
    return sums


def test_edit_changes_lines_totals_and_stock(order: Order, shop: Shop) -> None:
    before = order.total
    edit = change(order, line(order, "MUG", 1), line(order, "BOOK", 3))

    assert (before, order.total, edit.delta) == (4895, 1200 + 6000 + 495, 2800)
    assert list(order.lines.values_list("sku", "quantity", "subtotal")) == [
        ("MUG", 1, 1200),
        ("BOOK", 3, 6000),
    ]
    assert committed(shop) == {"MUG": 1, "BOOK": 3}
    assert order.quote["total"] == order.total
    entry = order.timeline.get(kind="edited")
    assert entry.data["total"] == [4895, 7695]
    ids = dict(order.lines.values_list("sku", "public_id"))
    assert entry.data["lines"] == [
        {"id": str(ids["MUG"]), "sku": "MUG", "name": "Mug", "quantity": [2, 1]},
        {"id": str(ids["BOOK"]), "sku": "BOOK", "name": "Book", "quantity": [1, 3]},
    ]
    assert AuditEntry.objects.filter(action="order.edit").count() == 1


def test_lines_keep_the_price_of_the_sale(order: Order, shop: Shop) -> None:
    set_price(variant=shop.mug, currency="EUR", amount=9900)
    set_price(variant=shop.book, currency="EUR", amount=100)

    change(order, line(order, "MUG", 3))
    change(order, line(order, "BOOK", 0))
    # A variant that was in the order before comes back at its price.
    change(order, LineChange(sku="BOOK", quantity=2))

    assert dict(order.lines.values_list("sku", "unit_price")) == {"MUG": 1200, "BOOK": 2000}
    assert order.total == 3600 + 4000 + 495


def test_an_added_sku_joins_its_line(order: Order) -> None:
    change(order, LineChange(sku="MUG", quantity=1))

    assert list(order.lines.values_list("sku", "quantity")) == [("MUG", 3), ("BOOK", 1)]


def test_a_price_by_hand_is_kept_by_later_edits(order: Order) -> None:
    change(order, line(order, "MUG", price=999))
    change(order, line(order, "MUG", 3))

    assert (order.lines.get(sku="MUG").subtotal, order.total) == (2997, 2997 + 2000 + 495)


def test_promotions_are_those_of_the_sale(buyer: Buyer) -> None:
    sale = PromotionFactory(code="tenth", usage_limit=1)
    buyer.fill(("MUG", 2), ("BOOK", 1))
    order = Order.objects.get(number=buyer.checkout().json()["order"]["number"])
    set_active(promotion=Promotion.objects.get(pk=sale.pk), active=False)
    PromotionFactory(code="later", effect={"type": "percentage", "percent": "50", "of": "order"})

    change(order, line(order, "BOOK", 2))

    # A tenth of 64.00, though the promotion is used up by this order and was stopped since.
    assert (order.discount, order.total) == (640, 6400 - 640 + 495)
    assert list(Redemption.objects.values_list("promotion__code", "amount")) == [("tenth", 640)]


def test_a_code_that_no_longer_applies_is_free_again(buyer: Buyer) -> None:
    conditions = {"min_spend": {"EUR": "40.00"}}
    coupon = CouponFactory(
        code="FORTY",
        usage_limit=1,
        promotion=PromotionFactory(needs_code=True, conditions=conditions),
    )
    buyer.fill(("MUG", 2), ("BOOK", 1))
    buyer.client.post(f"/api/v1/carts/{buyer.cart_id}/discounts/", {"code": "FORTY"})
    order = Order.objects.get(number=buyer.checkout().json()["order"]["number"])
    uses = []
    for quantity in (1, 2):
        coupon.refresh_from_db()
        uses.append((order.discount, coupon.used))
        change(order, line(order, "MUG", quantity))
    coupon.refresh_from_db()

    # 32.00 are too little; the code still belongs to the order when it is enough again.
    assert [*uses, (order.discount, coupon.used)] == [(440, 1), (0, 0), (440, 1)]


def test_a_gift_stays_given_and_can_only_be_taken_out(buyer: Buyer, shop: Shop) -> None:
    PromotionFactory(
        code="gift",
        effect={"type": "free_gift", "sku": "MUG", "quantity": 1},
        conditions={"min_spend": {"EUR": "40.00"}},
    )
    buyer.fill(("BOOK", 2))
    order = Order.objects.get(number=buyer.checkout().json()["order"]["number"])

    change(order, line(order, "BOOK", 1))
    kept = order.lines.get(sku="MUG")
    with pytest.raises(services.InvalidChange):
        change(order, line(order, "MUG", 2))

    assert (kept.discount, kept.total, order.total) == (1200, 0, 2000 + 495)
    assert Redemption.objects.count() == 1
    change(order, line(order, "MUG", 0))
    assert (order.total, Redemption.objects.count()) == (2495, 0)
    assert committed(shop) == {"MUG": 0, "BOOK": 1}


def test_another_address_brings_other_taxes_and_back(order: Order) -> None:
    before = order.quote["taxes"]
    foreign = {**ADDRESS, "country": "US", "region": "NY", "postal_code": "10001"}
    with pytest.raises(ShippingUnavailable):
        change(order, shipping_address=foreign)
    change(order, shipping_address={**ADDRESS, "line1": "Calle Menor 2"})

    assert order.shipping_address["line1"] == "Calle Menor 2"
    assert (order.quote["taxes"], order.total) == (before, 4895)


def test_shipping_keeps_its_price_until_it_goes_elsewhere(order: Order, shop: Shop) -> None:
    post = ShippingMethod.objects.get(code="post")
    express = ShippingMethod.objects.create(
        store=shop.store, zone=post.zone, code="express", name="Express"
    )
    ShippingRate.objects.create(method=express, currency="EUR", price=1500)
    ShippingRate.objects.filter(method=post).update(price=9999)

    prices = []
    for changes in (
        {"lines": [line(order, "MUG", 3)]},
        {"shipping_method": "express"},
        {"shipping_method": "post"},
        {"shipping_address": {**ADDRESS, "postal_code": "08001", "region": "B"}},
    ):
        services.edit_order(order=order, changes=OrderChanges(**changes))
        order.refresh_from_db()
        prices.append((order.shipping_method, order.shipping))

    assert prices == [("post", 495), ("express", 1500), ("post", 495), ("post", 9999)]


def test_only_what_has_not_shipped_can_go(order: Order, shop: Shop) -> None:
    mug = order.lines.get(sku="MUG")
    fulfill(order=order, quantities={str(mug.public_id): 1})
    order.refresh_from_db()

    with pytest.raises(services.AlreadyShipped):
        change(order, line(order, "MUG", 0))
    services.cancel_lines(order=order, quantities={str(mug.public_id): 1})
    book = order.lines.get(sku="BOOK")
    services.cancel_lines(order=order, quantities={str(book.public_id): 1}, reason="Sold out.")
    order.refresh_from_db()

    # Nothing is left to ship, so that the order has shipped.
    assert (order.status, order.fulfillment_status) == ("shipped", "fulfilled")
    assert (order.total, committed(shop)) == (1200 + 495, {"MUG": 0, "BOOK": 0})
    assert order.timeline.filter(kind="edited").last().message == "Sold out."
    with pytest.raises(services.NotEditable):
        change(order, line(order, "MUG", 1))


def test_what_is_left_of_an_edited_order_ships(order: Order, shop: Shop) -> None:
    change(order, line(order, "MUG", 5), line(order, "BOOK", 0))
    fulfill(order=order)
    order.refresh_from_db()

    assert order.status == "shipped"
    assert list(
        StockLevel.objects.filter(variant=shop.mug).values_list("on_hand", "committed")
    ) == [(0, 0), (0, 0)]


def test_an_edit_without_stock_writes_nothing(order: Order, shop: Shop) -> None:
    changes = OrderChanges([line(order, "MUG", 6), line(order, "BOOK", 0)])
    seen = services.preview_edit(order=order, changes=changes)
    edit = services.draft_edit(order=order, changes=changes)

    with pytest.raises(InsufficientStock) as refused:
        services.confirm_edit(edit=edit)

    order.refresh_from_db()
    # Two are its own, three more can be had.
    assert seen.problems == ({"code": "out_of_stock", "sku": "MUG", "available": 3},)
    assert refused.value.extra == {"unavailable": [{"sku": "MUG", "available": 3}]}
    assert (order.total, committed(shop)) == (4895, {"MUG": 2, "BOOK": 1})
    assert edit.status == "draft"


def test_a_draft_of_an_order_that_moved_on_is_refused(order: Order) -> None:
    edits = [
        services.draft_edit(order=order, changes=OrderChanges([line(order, "MUG", n)]))
        for n in (1, 3)
    ]
    services.confirm_edit(edit=edits[0])

    with pytest.raises(services.OrderChanged):
        services.confirm_edit(edit=edits[1])
    with pytest.raises(services.EditClosed):
        services.confirm_edit(edit=edits[0])
    services.discard_edit(edit=edits[1])
    with pytest.raises(services.EditClosed):
        services.discard_edit(edit=edits[1])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ([LineChange(sku="NOWHERE", quantity=1)], "unknown_sku"),
        ([LineChange(sku="MUG", quantity=0)], "invalid_line"),
        ([LineChange(line="0", quantity=1)], "unknown_line"),
    ],
)
def test_impossible_changes_are_named(order: Order, changes: list[LineChange], error: str) -> None:
    with pytest.raises(services.InvalidChange) as refused:
        change(order, *changes)
    assert refused.value.code == error


def test_an_order_is_not_edited_down_to_nothing(order: Order) -> None:
    with pytest.raises(services.InvalidChange) as refused:
        change(order, line(order, "MUG", 0), line(order, "BOOK", 0))
    assert refused.value.code == "empty_order"


def test_payment_status_follows_the_total(order: Order) -> None:
    payments.capture(payment=order.payments.get())
    order.refresh_from_db()
    states = [order.payment_status]
    for quantity in (3, 2):
        change(order, line(order, "MUG", quantity))
        states.append(order.payment_status)

    assert states == ["paid", "partially_paid", "paid"]
    assert order.outstanding == 0


@settings(
    max_examples=EXAMPLES,
    # Each example is a whole order: shrinking one takes minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_an_edit_and_its_inverse_move_no_money(data: st.DataObject, buyer: Buyer) -> None:
    """Whatever the prices, the promotions and the quantities, and however often."""
    with transaction.atomic():
        order = _any_order(data, buyer)
        total, taxed = order.total, sorted(row["name"] for row in order.quote["taxes"])
        deltas = []
        done = []
        for _ in range(data.draw(st.integers(1, 3))):
            was = {row.sku: (row.quantity, row.unit_price) for row in order.lines.all()}
            deltas.append(change(order, *_any_lines(data, order)).delta)
            done.append(was)
        for was in reversed(done):
            now = {row.sku: row for row in order.lines.all()}
            back = [LineChange(sku=sku, quantity=was[sku][0]) for sku in was if sku not in now]
            for sku, row in now.items():
                quantity, price = was.get(sku, (0, None))
                price = None if price == row.unit_price else price
                back.append(
                    LineChange(line=str(row.public_id), quantity=quantity, unit_price=price)
                )
            deltas.append(change(order, *back).delta)
        assert (order.total, sum(deltas)) == (total, 0)
        assert sorted(row["name"] for row in order.quote["taxes"]) == taxed
        transaction.set_rollback(True)


def _any_order(data: st.DataObject, buyer: Buyer) -> Order:
    price = st.integers(1, 9_999)
    for variant in Variant.objects.all():
        set_price(variant=variant, currency="EUR", amount=data.draw(price))
    if data.draw(st.booleans()):
        percent = str(data.draw(st.integers(1, 100)))
        of = data.draw(st.sampled_from(["items", "order"]))
        PromotionFactory(
            effect={"type": "percentage", "percent": percent, "of": of},
            conditions={"min_spend": {"EUR": "50.00"}} if data.draw(st.booleans()) else {},
        )
    buyer.fill(("MUG", data.draw(st.integers(1, 5))), ("BOOK", data.draw(st.integers(1, 9))))
    return Order.objects.get(number=buyer.checkout().json()["order"]["number"])


def _any_lines(data: st.DataObject, order: Order) -> list[LineChange]:
    """Other quantities and prices; a line may go, not both."""
    gone = data.draw(st.sampled_from(["", *order.lines.values_list("sku", flat=True)]))
    if order.lines.count() == 1:
        gone = ""
    most = {"MUG": 5, "BOOK": 20}
    return [
        LineChange(line=str(row.public_id), quantity=0)
        if row.sku == gone
        else LineChange(
            line=str(row.public_id),
            quantity=data.draw(st.integers(1, most[row.sku])),
            unit_price=data.draw(st.none() | st.integers(0, 9_999)),
        )
        for row in order.lines.all()
    ]


def test_what_is_being_packed_is_left_alone(order: Order, buyer: Buyer) -> None:
    shipments = plan_whole(order=order)
    with pytest.raises(services.BeingPacked):
        change(order, line(order, "BOOK", 0))
    buyer.fill(("BOOK", 1))
    other = Order.objects.get(number=buyer.checkout().json()["order"]["number"])
    with pytest.raises(services.NotCombinable):
        services.absorb(order=other, other=order)
    for shipment in shipments:
        cancel_shipment(shipment=shipment)

    assert change(order, line(order, "BOOK", 0)).delta == -2000
