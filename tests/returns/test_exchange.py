"""Other pieces in place of returned ones: prices, stock, money, and what goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from apps.fulfillment.services import fulfill
from apps.inventory import services as inventory
from apps.inventory.selectors import availability
from apps.orders import services as orders
from apps.orders.models import Order
from apps.payments import services as payments
from apps.payments.models import PayLink, Payment, StoreCredit, StoredValue
from apps.payments.selectors import due, payments_of
from apps.pricing.services import set_price
from apps.products.models import Variant
from apps.returns import services
from apps.returns.models import ReturnRequest
from tests.factories.promotions import PromotionFactory
from tests.returns.conftest import Buyer, buy, pay_and_send, wish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
THREE_FOR_TWO = {"type": "buy_x_get_y", "buy": 2, "get": 1}


@pytest.fixture
def large(shop) -> Variant:
    """Another size of the mug: 15.00 today, 4 pieces."""
    variant = Variant.objects.create(product=shop.mug.product, sku="MUG-L", weight=300)
    set_price(variant=variant, currency="EUR", amount=1_500)
    inventory.receive(variant=variant, location=shop.near, quantity=4)
    return variant


def free(order: Order, variant: Variant) -> int:
    return availability(store_id=order.store_id, variant_ids=[variant.pk])[variant.pk]


def swap(order: Order, *wishes: Any, shop: Any, by_staff: bool = False, **refund: Any) -> Any:
    """An exchange that is asked for, received, accepted and closed."""
    request = services.request_return(order=order, wishes=wishes, by_staff=by_staff)
    services.approve_return(request=request)
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    return services.refund_return(request=request, **refund)


def test_another_size_costs_nothing_and_is_kept_from_the_approval(order, shop, large, drain):
    request = services.request_return(
        order=order, wishes=[wish(order, "MUG", 2, exchange_for="MUG-L")]
    )
    assert free(order, large) == 4
    services.approve_return(request=request)
    assert free(order, large) == 2
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    assert not ReturnRequest.objects.exclude(replacement_order=None).exists()
    closed = services.refund_return(request=request)
    made = closed.replacement_order
    assert [(x.sku, x.quantity, x.total) for x in made.lines.all()] == [("MUG-L", 2, 2_400)]
    assert (made.total, made.shipping, made.status, made.payment_status) == (
        *(2_400, 0),
        *("confirmed", "paid"),
    )
    assert (closed.refund_amount, closed.credit_amount) == (2_400, 2_400)
    assert [(p.gateway, p.captured_amount) for p in payments_of(made)] == [("exchange", 2_400)]
    assert (free(order, large), made.customer_id, made.email) == (
        *(2, order.customer_id),
        order.email,
    )
    drain()
    order.refresh_from_db()
    closed.refresh_from_db()
    assert order.refunded_amount == 0
    assert closed.refunded_at is not None
    pay_and_send(Order.objects.get(pk=made.pk))


@pytest.mark.parametrize(
    ("reason", "more"), [("changed_mind", 2 * (1_500 - 1_200)), ("defective", 0)]
)
def test_a_dearer_size_costs_the_difference_where_the_policy_says_so(
    order, shop, large, drain, reason, more
):
    order.store.return_policies.create(charges_difference=True)
    wishes = [wish(order, "MUG", 2, exchange_for="MUG-L", reason=reason)]
    assert services.preview_return(order=order, wishes=wishes).to_pay == more
    closed = swap(order, *wishes, shop=shop)
    made = closed.replacement_order
    assert (made.total, closed.credit_amount) == (2_400 + more, 2_400)
    drain()
    assert PayLink.objects.filter(order=made).exists() == bool(more)
    if more:
        assert due(made, payments_of(made)) == more
        payments.pay_by_link(link=PayLink.objects.get(), gateway_code="manual")
    made.refresh_from_db()
    assert made.status == "confirmed"


def test_a_cheaper_size_costs_what_was_paid(order, shop, large):
    order.store.return_policies.create(charges_difference=True)
    set_price(variant=large, currency="EUR", amount=900)
    closed = swap(order, wish(order, "MUG", 1, exchange_for="MUG-L"), shop=shop)
    assert closed.replacement_order.total == 1_200


def test_the_difference_has_its_tax_where_it_is_added(store, buyer, shop, large):
    store.prices_include_tax = False
    store.save()
    order = pay_and_send(buy(buyer, ("MUG", 3)))
    order.store.return_policies.create(charges_difference=True)
    closed = swap(order, wish(order, "MUG", 2, exchange_for="MUG-L"), shop=shop)
    made = closed.replacement_order
    assert made.total == sum(line.total for line in made.lines.all())
    assert [(x.quantity, x.unit_price) for x in made.lines.all()] == [(2, 1_500)]
    assert closed.credit_amount == closed.refund_amount


def test_a_change_of_size_breaks_no_promotion_and_knows_no_fee(buyer, shop, large):
    PromotionFactory(code="3for2", effect=THREE_FOR_TWO, conditions={"items": {"sku": ["MUG"]}})
    order = pay_and_send(buy(buyer, ("MUG", 3), ("BOOK", 1)))
    order.store.return_policies.create(fee_percent=10, fee_fixed=100)
    order.billing_address["vat_number"] = "ESB12345678"
    order.save()
    closed = swap(order, wish(order, "MUG", 2, exchange_for="MUG-L"), shop=shop)
    # Two thirds of 24.00.
    assert (closed.refund_amount, closed.fee_amount, closed.credit_amount) == (1_600, 0, 1_600)
    assert [(x.quantity, x.unit_price) for x in closed.replacement_order.lines.all()] == [(2, 800)]


def test_prices_that_dont_divide_are_exact(buyer, shop, large):
    PromotionFactory(
        code="off", effect={"type": "percentage", "percent": "33.33", "of": "order"}, conditions={}
    )
    order = pay_and_send(buy(buyer, ("MUG", 3)))
    paid = order.lines.get().total
    closed = swap(order, wish(order, "MUG", 3, exchange_for="MUG-L"), shop=shop)
    lines = closed.replacement_order.lines.all()
    assert (sum(x.total for x in lines), sum(x.quantity for x in lines)) == (paid, 3)
    # All of it is back, but not for good: the delivery isn't refunded.
    assert (closed.refund_amount, closed.shipping_amount) == (paid, 0)


def test_tax_that_is_added_charges_nothing_for_another_size(store, buyer, shop, large):
    store.prices_include_tax = False
    store.save()
    order = pay_and_send(buy(buyer, ("MUG", 3)))
    closed = swap(order, wish(order, "MUG", 2, exchange_for="MUG-L"), shop=shop)
    assert closed.replacement_order.total == closed.credit_amount == closed.refund_amount


def test_what_was_given_back_before_isnt_asked_for(order, shop, large, drain):
    payments.refund(payment=payments_of(order)[0], amount=7_000, reason="")
    closed = swap(order, wish(order, "MUG", 3, exchange_for="MUG-L"), shop=shop)
    assert closed.refund_amount == order.captured_amount - 7_000 == 1_095
    assert (closed.credit_amount, closed.replacement_order.total) == (1_095, 1_095)
    drain()


def test_something_dearer_is_sent_once_the_rest_is_paid(order, shop, drain):
    closed = swap(order, wish(order, "MUG", exchange_for="BOOK"), shop=shop, by_staff=True)
    made = closed.replacement_order
    assert (made.total, closed.credit_amount, made.status) == (2_000, 1_200, "pending")
    link = PayLink.objects.get(order=made)
    assert due(made, payments_of(made)) == 800
    drain()
    payments.pay_by_link(link=link, gateway_code="manual")
    made.refresh_from_db()
    assert made.status == "confirmed"
    drain()


def test_something_cheaper_gives_the_rest_back_the_way_it_was_paid(order, shop, drain):
    closed = swap(order, wish(order, "BOOK", exchange_for="MUG"), shop=shop, by_staff=True)
    assert (closed.refund_amount, closed.credit_amount) == (2_000, 1_200)
    drain()
    order.refresh_from_db()
    closed.refresh_from_db()
    assert (order.refunded_amount, closed.refunded_at is not None) == (800, True)
    assert sorted(closed.payouts.values_list("amount", "is_credit")) == [
        (800, False),
        (1_200, True),
    ]


def test_rest_goes_to_store_credit_if_that_was_asked_for(as_shopper, shopper, shop, drain):
    order = pay_and_send(buy(Buyer(as_shopper), ("BOOK", 2)))
    wanted = [
        wish(order, "BOOK", exchange_for="MUG"),
    ]
    closed = swap(order, *wanted, shop=shop, by_staff=True, refund_to="store_credit")
    assert StoreCredit.objects.get(customer=shopper.customer).balance == 800
    orders.cancel(order=closed.replacement_order)
    drain()
    assert StoreCredit.objects.get(customer=shopper.customer).balance == 2_000


def test_some_pieces_are_exchanged_and_some_refunded(order, shop, large, drain):
    closed = swap(
        order, wish(order, "MUG", 1, exchange_for="MUG-L"), wish(order, "BOOK"), shop=shop
    )
    assert (closed.refund_amount, closed.credit_amount) == (3_200, 1_200)
    drain()
    order.refresh_from_db()
    assert order.refunded_amount == 2_000


def test_a_cancelled_replacement_is_refunded_to_the_first_payment(order, shop, large, drain):
    closed = swap(order, wish(order, "MUG", 2, exchange_for="MUG-L"), shop=shop)
    drain()
    orders.cancel(order=closed.replacement_order)
    drain()
    drain()
    order.refresh_from_db()
    assert (order.refunded_amount, free(order, large)) == (2_400, 4)
    assert StoredValue.objects.get(kind="exchange").balance == 0
    assert list(closed.payouts.values_list("amount", "is_credit")) == [(2_400, True)]
    # Of the money on its way from one credit to the other nothing is said.
    assert [m.subject for m in mail.outbox if "refund" in m.subject] == [
        "Main: we refund €24.00 for order WEB-1"
    ]


def test_a_returned_replacement_is_refunded_to_the_first_payment(order, shop, large, drain):
    made = swap(order, wish(order, "MUG", 2, exchange_for="MUG-L"), shop=shop).replacement_order
    drain()
    made = pay_and_send(made)
    request = services.request_return(order=made, wishes=[wish(made, "MUG-L")])
    services.approve_return(request=request)
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    services.refund_return(request=request)
    drain()
    order.refresh_from_db()
    made.refresh_from_db()
    assert (order.refunded_amount, made.refunded_amount) == (1_200, 1_200)


def test_only_accepted_pieces_are_replaced(order, shop, large):
    request = services.request_return(
        order=order, wishes=[wish(order, "MUG", 3, exchange_for="MUG-L")]
    )
    services.approve_return(request=request)
    line = request.lines.get()
    services.receive_return(request=request, location=shop.near, quantities={line.public_id: 2})
    findings = [
        services.Finding(line.public_id, "refused", 1),
        services.Finding(line.public_id, "restock", 1),
    ]
    services.inspect_return(request=request, findings=findings)
    closed = services.refund_return(request=request)
    assert (closed.replacement_order.total, free(order, large)) == (1_200, 3)


def test_nothing_accepted_replaces_nothing(order, shop, large):
    request = services.request_return(
        order=order, wishes=[wish(order, "MUG", exchange_for="MUG-L")]
    )
    services.approve_return(request=request)
    services.receive_return(request=request, location=shop.near)
    line = request.lines.get()
    services.inspect_return(
        request=request, findings=[services.Finding(line.public_id, "refused", 1)]
    )
    closed = services.refund_return(request=request)
    assert (closed.replacement_order, closed.refund_amount, free(order, large)) == (None, 0, 4)


def test_what_was_lost_is_sent_again(order, shop):
    request = services.request_return(
        order=order,
        kind=ReturnRequest.Kind.LOST,
        wishes=[wish(order, "BOOK", 2, reason="lost", exchange_for="BOOK")],
    )
    services.approve_return(request=request)
    closed = services.refund_return(request=request)
    assert (closed.replacement_order.total, closed.credit_amount) == (4_000, 4_000)


def test_who_may_have_what(order, shop, large):
    def ask(sku: str, **more: Any) -> Any:
        wishes = [wish(order, "MUG", 1, exchange_for=sku)]
        return services.request_return(order=order, wishes=wishes, **more)

    for sku in ("BOOK", "NOTHING"):
        with pytest.raises(services.NotExchangeable):
            ask(sku)
    with pytest.raises(services.NotExchangeable):
        ask("MUG-L", kind=ReturnRequest.Kind.WITHDRAWAL)
    Variant.objects.create(product=shop.book.product, sku="FREE")
    with pytest.raises(services.NotExchangeable):
        ask("FREE", by_staff=True)
    inventory.adjust(variant=large, location=shop.near, delta=-4)
    with pytest.raises(inventory.InsufficientStock):
        ask("MUG-L")
    request = ask("MUG-L", by_staff=True)
    with pytest.raises(inventory.InsufficientStock):
        services.approve_return(request=request)


def test_given_up_or_refunded_instead_it_is_free_again(order, shop, large, drain):
    def ask() -> ReturnRequest:
        wishes = [wish(order, "MUG", 1, exchange_for="MUG-L")]
        request = services.request_return(order=order, wishes=wishes)
        return services.approve_return(request=request)

    first = ask()
    assert free(order, large) == 3
    services.cancel_return(request=first)
    assert free(order, large) == 4
    second = ask()
    services.refund_instead(request=second)
    assert free(order, large) == 4
    with pytest.raises(services.ReturnRefused):
        services.refund_instead(request=second)
    services.receive_return(request=second, location=shop.near)
    services.inspect_return(request=second)
    closed = services.refund_return(request=second)
    assert (closed.replacement_order, closed.refund_amount) == (None, 1_200)
    drain()


class TestSentFirst:
    def ask(self, order: Order, sku: str = "MUG-L") -> ReturnRequest:
        wishes = [wish(order, "MUG", 2, exchange_for=sku)]
        request = services.request_return(order=order, wishes=wishes, by_staff=True)
        return services.approve_return(request=request, send_now=True)

    def close(self, request: ReturnRequest, shop: Any, came: int = 2) -> ReturnRequest:
        line = request.lines.get()
        services.receive_return(
            request=request, location=shop.near, quantities={line.public_id: came}
        )
        services.inspect_return(request=request)
        return services.refund_return(request=request)

    def test_it_is_on_account_until_the_pieces_are_here(self, order, shop, large, drain):
        request = self.ask(order)
        made = request.replacement_order
        assert (made.status, made.payment_status, made.total) == ("confirmed", "authorized", 2_400)
        assert free(order, large) == 2
        fulfill(order=made)
        drain()
        closed = self.close(request, shop)
        drain()
        made.refresh_from_db()
        assert (closed.replacement_order, made.payment_status) == (made, "paid")
        states = dict(Payment.objects.filter(order=made).values_list("gateway", "status"))
        assert states == {"manual": "voided", "exchange": "captured"}
        assert not PayLink.objects.exists()

    def test_what_didnt_come_is_to_be_paid(self, order, shop, large, drain):
        request = self.ask(order)
        fulfill(order=request.replacement_order)
        self.close(request, shop, came=1)
        drain()
        made = Order.objects.get(pk=request.replacement_order_id)
        assert due(made, payments_of(made)) == 1_200
        assert PayLink.objects.get(order=made).open_key

    def test_what_costs_more_is_asked_for_when_it_is_closed(self, order, shop, drain):
        request = self.ask(order, "BOOK")
        drain()
        assert not PayLink.objects.exists()
        self.close(request, shop)
        drain()
        made = Order.objects.get(pk=request.replacement_order_id)
        assert due(made, payments_of(made)) == 4_000 - 2_400

    def test_given_up_before_it_left_it_is_cancelled(self, order, shop, large, drain):
        request = self.ask(order)
        services.cancel_return(request=request)
        drain()
        made = Order.objects.get(pk=request.replacement_order_id)
        assert (made.status, free(order, large)) == ("cancelled", 4)

    def test_given_up_when_it_has_left_it_is_to_be_paid(self, order, shop, large, drain):
        request = self.ask(order)
        fulfill(order=request.replacement_order)
        services.cancel_return(request=request)
        drain()
        made = Order.objects.get(pk=request.replacement_order_id)
        assert due(made, payments_of(made)) == 2_400
        assert PayLink.objects.get(order=made).open_key

    def test_cancelled_meanwhile_its_pieces_are_refunded(self, order, shop, large, drain):
        request = self.ask(order)
        orders.cancel(order=request.replacement_order)
        closed = self.close(request, shop)
        drain()
        order.refresh_from_db()
        assert (closed.credit_amount, order.refunded_amount) == (0, 2_400)

    def test_without_anything_to_send_it_is_refused(self, order):
        request = services.request_return(order=order, wishes=[wish(order, "MUG")])
        with pytest.raises(services.NotExchangeable):
            services.approve_return(request=request, send_now=True)


def test_the_mails_say_what_is_sent_and_what_is_left(
    order, shop, drain, django_capture_on_commit_callbacks
):
    swap(order, wish(order, "BOOK", exchange_for="MUG"), shop=shop, by_staff=True)
    with django_capture_on_commit_callbacks(execute=True):
        drain()
    told = {m.subject: m.body for m in mail.outbox}
    assert "We keep this for you" in told["Main: return WEB-R1 is approved"]
    assert "then send what you get for it" in told["Main: return WEB-R1 has arrived"]
    body = told["Main: order WEB-2 for return WEB-R1"]
    assert "What your return is worth: €20.00" in body
    assert "What you get for it: €12.00" in body
    assert "Refund: €8.00" in body
    assert "The rest goes back in the way you paid" in body
