"""A merchant's day: every slice of the house at work on the same orders, and the books right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.checkout.services import combine_orders
from apps.core import outbox
from apps.core.models import OutboxMessage
from apps.fraud.models import Assessment, FraudRule, FraudSettings
from apps.fraud.services import release
from apps.fulfillment import services as fulfillment
from apps.fulfillment.models import Fulfillment, Parcel, ShippingLabel
from apps.fulfillment.services import tracking
from apps.inventory.models import StockLevel
from apps.orders import services as orders
from apps.orders.models import Order, OrderTag
from apps.orders.selectors.finding import chosen_orders
from apps.orders.services import LineChange, OrderChanges
from apps.orders.services.bulk import run_bulk
from apps.payments import services as payments
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.payments.models import PayLink, Refund, StoreCredit
from apps.payments.selectors import due, payments_of
from apps.returns import services as returns
from apps.returns.models import Payout, ReturnRequest
from apps.shipping.carriers.base import TrackingEvent as News
from tests.factories.payments import issue
from tests.flows.conftest import ADDRESS, Buyer, Shop, build_shop, buyer, simulator
from tests.flows.test_stripe import SECURE, VISA
from tests.fulfillment.conftest import HERE, PRIORITY, _running, shipstation
from tests.invoices.conftest import invoicing
from tests.returns.conftest import wish
from tests.truths import untruths

__all__ = ["_running", "buyer", "shipstation", "simulator"]
pytestmark = pytest.mark.usefixtures("invariants")
# Two mugs of 12.00, a book of 20.00, and 4.95 for the post.
PRICE = 4895


@pytest.fixture
def shop(store: Any) -> Shop:
    """It invoices what is paid, and knows where its parcels leave from."""
    invoicing(store)
    made = build_shop(store)
    for place in (made.near, made.far):
        place.address = HERE
        place.save()
    return made


@pytest.fixture
def balanced(simulator: StripeSimulator) -> Callable[..., None]:
    """After each act: the outbox is delivered, and papers, payments and Stripe say one thing."""

    def check() -> None:
        outbox.drain()
        assert untruths() == {}
        taken = given = 0
        for order in Order.objects.all():
            rows = payments_of(order)
            captured = sum(row.captured_amount for row in rows)
            refunded = sum(row.refunded_amount for row in rows)
            assert refunded <= captured
            if not order.on_hold:
                assert papers(order) == captured - refunded - credited(order), order.number
            for line in order.lines.all():
                assert line.returned_quantity <= line.fulfilled_quantity <= line.quantity
            of_stripe = [row for row in rows if row.gateway == "stripe"]
            taken += sum(row.captured_amount for row in of_stripe)
            given += sum(row.refunded_amount for row in of_stripe)
        state = simulator.state()
        assert (state["captured"].get("eur", 0), state["refunded"].get("eur", 0)) == (taken, given)

    return check


def papers(order: Order) -> int:
    """Invoices less credit notes."""
    rows = order.invoices.values_list("kind", "total")
    return sum(total if kind == "invoice" else -total for kind, total in rows)


def credited(order: Order) -> int:
    """What returns gave back as store credit and gift cards."""
    found = Payout.objects.filter(request__order=order, refund=None)
    return sum(found.values_list("amount", flat=True))


def kinds(order: Order) -> list[tuple[str, int]]:
    return list(order.invoices.order_by("pk").values_list("kind", "total"))


def now(order: Order) -> Order:
    return Order.objects.select_related("store").get(pk=order.pk)


def paid(buyer: Buyer, *lines: tuple[str, int], **changes: Any) -> Order:
    """An order that is paid by card, its events delivered."""
    buyer.fill(*(lines or (("MUG", 2), ("BOOK", 1))), **changes)
    answer = buyer.checkout("stripe", method=VISA)
    assert answer.status_code == 201, answer.json()
    outbox.drain()
    return Order.objects.get(number=answer.json()["order"]["number"])


def change(order: Order, **quantities: int) -> Order:
    """Staff edit an order: so many pieces of each SKU."""
    lines = [
        LineChange(line=str(order.lines.get(sku=sku).public_id), quantity=quantity)
        for sku, quantity in quantities.items()
    ]
    orders.edit_order(order=order, changes=OrderChanges(lines))
    outbox.drain()
    return now(order)


def pay_link(order: Order) -> None:
    link = PayLink.objects.get(order=order, open_key__isnull=False)
    payments.pay_by_link(link=link, gateway_code="stripe", method=VISA)
    outbox.drain()


def send(order: Order, *, delivered: bool = True, **quantities: int) -> Fulfillment:
    """Ship pieces of an order (all that is left of it), and have them arrive."""
    chosen = {str(order.lines.get(sku=sku).public_id): n for sku, n in quantities.items()}
    shipment = fulfillment.fulfill(order=order, quantities=chosen or None)
    if delivered:
        fulfillment.mark_delivered(shipment=shipment)
    outbox.drain()
    return shipment


def come_back(order: Order, shop: Shop, refund_to: str = "", **quantities: int) -> ReturnRequest:
    request = returns.request_return(
        order=order, wishes=[wish(order, sku, n) for sku, n in quantities.items()]
    )
    returns.approve_return(request=request)
    returns.receive_return(request=request, location=shop.near)
    returns.inspect_return(request=request)
    request = returns.refund_return(request=request, refund_to=refund_to)
    outbox.drain()
    return request


def arrive(shipment: Fulfillment) -> None:
    for parcel in Parcel.objects.filter(fulfillment=shipment):
        tracking.record(parcel=parcel, events=[News(timezone.now(), "delivered", "", "")])
    outbox.drain()


def test_an_order_from_the_phone_call_to_the_credit_note(
    shop: Shop, as_merchant: Any, shopper: User, balanced: Any, shipstation: Any
) -> None:
    drafted = as_merchant.post(
        "/api/v1/admin/orders/",
        {
            "customer": str(shopper.customer.public_id),
            "email": shopper.email,
            "lines": [{"sku": "MUG", "quantity": 2}, {"sku": "BOOK", "quantity": 1}],
            "shipping_address": ADDRESS,
            "shipping_method": "post",
            "payment": {"gateway": "stripe"},
        },
    )
    assert drafted.status_code == 201, drafted.json()
    order = Order.objects.get()
    balanced()
    made = as_merchant.post(f"/api/v1/admin/orders/{order.number}/pay-links/")
    assert made.status_code == 201, made.json()
    pay_link(order)
    balanced()
    assert kinds(order) == [("invoice", PRICE)]

    # A mug less: its price goes back, the invoice is taken back and issued anew.
    order = change(order, MUG=1)
    balanced()
    assert Refund.objects.get().amount == 1200
    assert kinds(order)[1:] == [("credit_note", PRICE), ("invoice", 3695)]
    # Two mugs and a book more: 44.00 by a link.
    order = change(order, MUG=3, BOOK=2)
    assert due(order, payments_of(order)) == 4400
    assert (order.payment_status, papers(order)) == ("partially_paid", 3695 + 4400)
    pay_link(order)
    balanced()
    assert now(order).payment_status == "partially_refunded"
    # It is told again that all of it is paid: gift cards may have been added.
    told = OutboxMessage.objects.filter(name="order.paid")
    assert len(set(told.values_list("event_id", flat=True))) == 2
    assert order.total == 3 * 1200 + 2 * 2000 + 495

    # A parcel with two mugs and a bought label, then the rest.
    mug = order.lines.get(sku="MUG")
    first = fulfillment.plan(order=order, quantities={str(mug.public_id): 2}, location=shop.near)
    fulfillment.buy_labels(shipment=first, carrier="shipstation", service=PRIORITY)
    first = fulfillment.ship(shipment=Fulfillment.objects.get(pk=first.pk))
    balanced()
    assert now(order).fulfillment_status == "partially_fulfilled"
    arrive(first)
    second = send(order, delivered=False)
    balanced()
    fulfillment.mark_delivered(shipment=second)
    balanced()
    assert now(order).status == "delivered"
    assert list(chosen_orders({"search": first.tracking_number})) == [order]

    come_back(order, shop, MUG=1, BOOK=1)
    balanced()
    assert kinds(order)[-1] == ("credit_note", 3200)
    # The news of an edit, however late, asks nobody to pay again for what came back.
    settled = payments.settle(order=order)
    assert (settled.refunds, settled.pay_link) == ((), None)
    come_back(order, shop, refund_to="store_credit", MUG=1)
    balanced()
    assert StoreCredit.objects.get().balance == 1200
    assert kinds(order)[-1] == ("credit_note", 1200)


def test_what_came_back_is_not_owed_and_its_refund_pays_for_nothing_else(
    buyer: Buyer, shop: Shop, balanced: Any
) -> None:
    order = paid(buyer)
    send(order, MUG=1)
    come_back(order, shop, MUG=1)
    balanced()
    settled = payments.settle(order=order)
    assert (settled.refunds, settled.pay_link) == ((), None)
    assert papers(order) == PRICE - 1200
    # The book is taken out: all of its 20.00 go back, not only what the mug's left of them.
    order = change(order, BOOK=0)
    balanced()
    assert Refund.objects.latest("pk").amount == 2000
    # Another mug: it is owed, and nothing else.
    order = change(order, MUG=3)
    assert due(order, payments_of(order)) == 1200
    pay_link(order)
    balanced()
    send(order)
    come_back(order, shop, MUG=2)
    balanced()
    # Everything that was sent came back, so that the delivery is paid back too.
    assert now(order).refunded_amount == now(order).captured_amount == PRICE + 1200


def test_a_favour_is_neither_asked_for_again_nor_invoiced(buyer: Buyer, balanced: Any) -> None:
    order = paid(buyer)
    payments.refund(payment=order.payments.get(), amount=500, reason="Late")
    balanced()
    settled = payments.settle(order=order)
    assert (settled.refunds, settled.pay_link) == ((), None)
    assert kinds(order) == [("invoice", PRICE), ("credit_note", 500)]
    order = change(order, MUG=3)
    assert due(order, payments_of(order)) == 1200
    pay_link(order)
    balanced()
    assert papers(order) == PRICE + 1200 - 500


def test_a_price_of_what_came_back_stays(buyer: Buyer, shop: Shop, balanced: Any) -> None:
    order = paid(buyer)
    send(order, MUG=2)
    come_back(order, shop, refund_to="gift_card", MUG=1)
    balanced()
    line = order.lines.get(sku="MUG")
    changes = OrderChanges([LineChange(line=str(line.public_id), unit_price=100)])
    with pytest.raises(orders.InvalidChange) as refused:
        orders.edit_order(order=now(order), changes=changes)
    assert refused.value.code == "returned"


def test_a_suspicious_order_goes_nowhere_until_it_is_released(
    buyer: Buyer, shop: Shop, balanced: Any, shipstation: Any
) -> None:
    FraudSettings.objects.create(store=shop.store)
    FraudRule.objects.create(store=shop.store, kind="amount", points=60, amount=4000)
    harmless = paid(buyer, ("BOOK", 1))
    order = paid(buyer)
    balanced()
    assert (harmless.on_hold, order.on_hold) == (False, True)
    with pytest.raises(orders.NotCombinable) as refused:
        combine_orders(order=harmless, other=order)
    assert refused.value.extra == {"reason": "on_hold"}
    # Editing it is no way out.
    order = change(order, MUG=1)
    balanced()
    assert order.on_hold
    fulfillment.plan_open(location=shop.near)
    assert not Fulfillment.objects.filter(order=order).exists()
    release(assessment=Assessment.objects.get(verdict="review"))
    [planned] = fulfillment.plan_whole(order=order)
    # Staff hold it themselves while it waits to be packed.
    orders.hold_order(order=order, reason="A call")
    with pytest.raises(orders.OrderOnHold):
        fulfillment.buy_labels(shipment=planned, carrier="shipstation", service=PRIORITY)
    listed = fulfillment.make_pick_list(location=shop.near)
    assert {line.line.fulfillment.order_id for line in listed.lines.all()} == {harmless.pk}
    orders.release_order(order=order)
    fulfillment.buy_labels(shipment=planned, carrier="shipstation", service=PRIORITY)
    fulfillment.ship(shipment=planned)
    balanced()
    assert (now(order).status, len(shipstation.bought)) == ("shipped", 1)


def test_two_orders_in_one_parcel(buyer: Buyer, shop: Shop, balanced: Any) -> None:
    order, other = paid(buyer, ("MUG", 1)), paid(buyer, ("BOOK", 2))
    other = change(other, BOOK=3)
    link = PayLink.objects.get()
    assert (order.total, other.total) == (1695, 6495)
    combine_orders(order=order, other=other)
    outbox.drain()
    order, other = now(order), now(other)
    # What was missing is asked for where it is owed now.
    assert due(order, payments_of(order)) == 2000
    link.refresh_from_db()
    assert link.state == "revoked"
    pay_link(order)
    balanced()
    assert (papers(order), papers(other)) == (1695 + 6495, 0)
    assert kinds(other) == [
        ("invoice", 4495),
        ("credit_note", 4495),
        ("invoice", 6495),
        ("credit_note", 6495),
    ]
    assert list(chosen_orders({"search": "BOOK"})) == [order]
    send(order)
    balanced()
    come_back(order, shop, MUG=1, BOOK=2)
    balanced()
    come_back(order, shop, BOOK=1)
    balanced()
    assert {p.refunded_amount == p.captured_amount for p in payments_of(order)} == {True}


def test_what_is_left_out_lets_the_rest_be_delivered(
    buyer: Buyer, shop: Shop, balanced: Any
) -> None:
    order = paid(buyer)
    mug = order.lines.get(sku="MUG")
    send(order, MUG=1)
    orders.cancel_lines(order=order, quantities={str(mug.public_id): 1}, reason="Cracked")
    balanced()
    assert Refund.objects.get().amount == 1200
    level = StockLevel.objects.get(variant=shop.mug, location=shop.near)
    assert level.committed == 0
    book = order.lines.get(sku="BOOK")
    orders.cancel_lines(order=order, quantities={str(book.public_id): 1})
    balanced()
    order = now(order)
    # All that ever left has arrived.
    assert (order.status, order.delivered_at is not None) == ("delivered", True)
    assert papers(order) == order.total == 1695


def test_a_cancelled_order_takes_its_labels_and_papers_back(
    buyer: Buyer, shop: Shop, balanced: Any, shipstation: Any
) -> None:
    order = paid(buyer)
    [planned] = fulfillment.plan_whole(order=order)
    fulfillment.buy_labels(shipment=planned, carrier="shipstation", service=PRIORITY)
    orders.cancel(order=order, reason="Changed their mind")
    balanced()
    planned.refresh_from_db()
    assert (planned.status, ShippingLabel.objects.get().status) == ("cancelled", "voided")
    assert shipstation.bought == []
    assert (papers(order), now(order).payment_status) == (0, "refunded")
    levels = StockLevel.objects.filter(variant__in=(shop.mug, shop.book))
    assert set(levels.values_list("committed", flat=True)) == {0}


def test_many_orders_are_tagged_and_moved_and_a_tag_goes(
    buyer: Buyer, shop: Shop, as_merchant: Any, balanced: Any
) -> None:
    first, second = paid(buyer, ("MUG", 1)), paid(buyer, ("BOOK", 1))
    numbers = [first.number, second.number]
    for action, data in (("tag", {"tags": ["Gift", "Rush"]}), ("process", {})):
        body = {"action": action, "orders": numbers, "data": data}
        assert as_merchant.post("/api/v1/admin/orders/bulk/", body).status_code == 202
        assert run_bulk() == 2
        balanced()
    assert [now(order).status for order in (first, second)] == ["processing"] * 2
    assert set(chosen_orders({"tag": "rush"})) == {first, second}
    OrderTag.objects.get(key="rush").delete()
    assert list(chosen_orders({"tag": "rush"})) == []
    assert {tag.name for tag in first.tags.all()} == {"Gift"}
    change(first, MUG=2)
    pay_link(first)
    balanced()
    assert set(chosen_orders({"search": "MUG"})) == {first}


def test_what_went_back_before_the_sale_is_paid_again(
    buyer: Buyer, simulator: StripeSimulator, balanced: Any
) -> None:
    """The card's money, while the bank still asks about the rest."""
    issued = issue(1000)
    buyer.fill(("MUG", 1))
    buyer.client.post(f"/api/v1/carts/{buyer.cart_id}/discounts/", {"code": issued.code})
    buyer.checkout("stripe", method=SECURE)
    order = Order.objects.get()
    by_card = order.payments.get(gateway="stripe")
    payments.refund(payment=order.payments.get(gateway="gift_card"))
    simulator.complete_action(by_card.provider_id or "")
    payments.look_again(order=order)
    order = now(order)
    assert (order.status, order.payment_status) == ("pending", "partially_paid")
    assert due(order, payments_of(order)) == 1000
    payments.start_payment(order=order, gateway_code="stripe", method=VISA)
    balanced()
    assert now(order).status == "confirmed"
    assert kinds(order) == [("invoice", 1695)]
