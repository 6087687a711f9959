"""Where the money goes: promotions, shipping, several payments, credits, refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.fulfillment.services import fulfill
from apps.payments import services as payments
from apps.payments.models import GiftCard, Payment, Refund, StoreCredit, StoredValue
from apps.payments.selectors import payments_of
from apps.returns import services
from apps.returns.models import Payout, ReturnRequest
from tests.factories.payments import issue
from tests.factories.promotions import PromotionFactory
from tests.returns.conftest import Buyer, buy, pay_and_send, wish

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
THREE_FOR_TWO = {"type": "buy_x_get_y", "buy": 2, "get": 1}


def come_back(order, *wishes, location, **refund) -> ReturnRequest:
    """A return that is asked for, received, accepted and refunded."""
    request = services.request_return(order=order, wishes=wishes)
    services.approve_return(request=request)
    services.receive_return(request=request, location=location)
    services.inspect_return(request=request)
    return services.refund_return(request=request, **refund)


def test_a_broken_promotion_is_taken_back_by_the_rules_of_the_sale(buyer, shop, drain):
    mugs = {"items": {"sku": ["MUG"]}}
    promotion = PromotionFactory(code="3for2", effect=THREE_FOR_TWO, conditions=mugs)
    order = pay_and_send(buy(buyer, ("MUG", 3), ("BOOK", 1)))
    # What it says today is of no matter.
    promotion.effect, promotion.is_active = {"type": "fixed_price", "price": {"EUR": "1"}}, False
    promotion.save()
    assert order.captured_amount == 2 * 1200 + 2000 + 495
    given = [
        come_back(order, wish(order, sku), location=shop.near).goods_amount
        for sku in ("MUG", "MUG", "MUG", "BOOK")
    ]
    assert given == [0, 1200, 1200, 2000]
    drain()
    order.refresh_from_db()
    # The last one brought everything back: the delivery is refunded too.
    assert order.refunded_amount == order.captured_amount
    assert order.payment_status == "refunded"


def test_delivery_is_refunded_once_everything_is_back(order, shop):
    first = come_back(order, wish(order, "MUG", 3), location=shop.near)
    last = come_back(order, wish(order, "BOOK", 2), location=shop.near)
    assert (first.shipping_amount, last.shipping_amount) == (0, 495)
    assert last.refund_amount == 4495


def test_what_was_given_back_before_isnt_given_again(order, shop, drain):
    payments.refund(payment=payments_of(order)[0], amount=6_000, reason="")
    assert order.captured_amount - 6_000 == 2_095
    request = come_back(order, wish(order, "MUG", 3), location=shop.near)
    assert (request.goods_amount, request.refund_amount) == (3_600, 2_095)
    again = come_back(order, wish(order, "BOOK", 2), location=shop.near)
    assert (again.goods_amount, again.refund_amount, again.payouts.count()) == (4_000, 0, 0)
    drain()


@pytest.mark.parametrize("to", ["store_credit", "gift_card"])
def test_what_was_credited_isnt_refunded_by_hand_as_well(as_shopper, shop, drain, to):
    order = pay_and_send(buy(Buyer(as_shopper), ("MUG", 1), ("BOOK", 1)))
    assert order.captured_amount == 3_695
    come_back(order, wish(order, "BOOK"), location=shop.near, refund_to=to)
    payment = payments_of(order)[0]
    with pytest.raises(payments.RefundTooLarge) as refused:
        payments.refund(payment=payment, amount=1_696)
    assert refused.value.extra == {"refundable": 1_695}
    assert payments.refund(payment=payment).amount == 1_695
    with pytest.raises(payments.NotRefundable):
        payments.refund(payment=payment)
    drain()


def test_over_several_payments_the_last_first(buyer, shop, drain):
    card = issue(3_000)
    buyer.fill(("MUG", 3), ("BOOK", 2))
    buyer.client.post(f"/api/v1/carts/{buyer.cart_id}/discounts/", {"code": card.code})
    number = buyer.checkout().json()["order"]["number"]
    order = pay_and_send(Payment.objects.filter(order__number=number).first().order)
    request = come_back(order, wish(order, "MUG", 3), wish(order, "BOOK", 2), location=shop.near)
    drain()
    parts = [(p.refund.payment.gateway, p.amount) for p in request.payouts.all()]
    assert parts == [("manual", 5_095), ("gift_card", 3_000)]
    card.card.refresh_from_db()
    assert card.card.balance == 3_000
    request.refresh_from_db()
    assert request.refunded_at is not None


def test_to_store_credit_of_a_customer_with_an_account(as_shopper, shopper, shop, drain):
    order = pay_and_send(buy(Buyer(as_shopper), ("MUG", 2)))
    come_back(order, wish(order, "MUG"), location=shop.near, refund_to="store_credit")
    assert StoreCredit.objects.get(customer=shopper.customer).balance == 1_200
    # It is the order's money: what is left is less by it.
    rest = come_back(order, wish(order, "MUG"), location=shop.near)
    drain()
    order.refresh_from_db()
    assert (rest.refund_amount, order.refunded_amount) == (1_695, 1_695)


def test_guests_have_no_store_credit_but_may_have_a_gift_card(order, shop, drain):
    with pytest.raises(services.NoAccount):
        services.request_return(order=order, wishes=[wish(order, "MUG")], refund_to="store_credit")
    request = come_back(order, wish(order, "MUG"), location=shop.near, refund_to="gift_card")
    card = GiftCard.objects.get(kind=StoredValue.Kind.GIFT_CARD)
    assert (card.balance, card.recipient_email) == (1_200, "ana@example.com")
    assert request.refunded_at is not None
    drain()


def test_fee_is_kept_or_waived(order, shop):
    order.store.return_policies.create(fee_fixed=150)
    order.billing_address["vat_number"] = "ESB12345678"
    order.save()
    kept = come_back(order, wish(order, "MUG"), location=shop.near)
    waived = come_back(order, wish(order, "MUG"), location=shop.near, waive_fee=True)
    assert (kept.fee_amount, kept.refund_amount) == (150, 1_050)
    assert (waived.fee_amount, waived.refund_amount) == (0, 1_200)


def test_delivering_the_news_twice_gives_back_once(order, shop, drain):
    request = come_back(order, wish(order, "MUG"), location=shop.near)
    for _turn in range(2):
        services.pay_out(return_id=str(request.public_id))
    drain()
    services.pay_out(return_id=str(request.public_id))
    order.refresh_from_db()
    assert order.refunded_amount == 1_200
    assert Refund.objects.count() == Payout.objects.count() == 1


def test_a_crash_before_the_provider_is_asked_loses_nothing(order, shop, drain):
    request = come_back(order, wish(order, "MUG"), location=shop.near)
    # The news never came; the reconciler finds the promise.
    payments.reconcile(now=timezone.now() + timedelta(minutes=3))
    drain()
    order.refresh_from_db()
    request.refresh_from_db()
    assert (order.refunded_amount, request.refunded_at is not None) == (1_200, True)


def test_what_the_provider_refused_is_tried_again(order, shop, drain):
    request = come_back(order, wish(order, "MUG"), location=shop.near)
    # As the reconciler leaves a refund that the provider refused.
    Refund.objects.update(status=Refund.Status.FAILED)
    drain()
    request.refresh_from_db()
    assert request.refunded_at is None
    services.retry_refund(request=request)
    drain()
    request.refresh_from_db()
    assert request.refunded_at is not None
    with pytest.raises(services.NotRefundable):
        services.retry_refund(request=request)


def test_money_that_was_never_taken_isnt_given_back(buyer, shop):
    order = buy(buyer, ("MUG", 1))
    fulfill(order=order)
    order = type(order).objects.get(pk=order.pk)
    request = come_back(order, wish(order, "MUG"), location=shop.near)
    assert (request.goods_amount, request.refund_amount) == (1_200, 0)


def test_tax_that_was_added_comes_back_too(buyer, shop, drain):
    shop.store.prices_include_tax, shop.store.tax_rounding = False, "document"
    shop.store.save()
    PromotionFactory(code="off", effect={"type": "percentage", "percent": "7", "of": "order"})
    order = pay_and_send(buy(buyer, ("MUG", 2), ("BOOK", 1)))
    given = [
        come_back(order, wish(order, sku), location=shop.near).refund_amount
        for sku in ("MUG", "BOOK", "MUG")
    ]
    drain()
    order.refresh_from_db()
    assert order.tax > 0
    assert sum(given) == order.refunded_amount == order.captured_amount == order.total
