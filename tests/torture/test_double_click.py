"""One cart, twenty times at once: one order, one payment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from apps.orders.models import Order
from apps.payments.gateways.stripe.simulator import Fault, StripeSimulator
from apps.payments.models import Payment
from tests.torture.conftest import MakeCarts
from tests.torture.serving import Server, crowd, statuses

pytestmark = [
    pytest.mark.race,
    pytest.mark.usefixtures("invariants"),
]

CLICKS = 20
# One mug of 12.00 and 4.95 for the post.
PRICE = 1695
VISA, MASTERCARD = "pm_card_visa", "pm_card_mastercard"
DECLINED, SECURE = "pm_card_chargeDeclined", "pm_card_threeDSecure2Required"


@pytest.mark.parametrize("key", ["", "one", "key {}"], ids=["no key", "same key", "keys"])
def test_twenty_clicks_are_one_order_and_one_payment(
    key: str, server: Server, simulator: StripeSimulator, make_carts: MakeCarts
) -> None:
    [cart] = make_carts(1, ("MUG", 1))

    answers = crowd(
        CLICKS, [partial(server.checkout, cart, key=key.format(n)) for n in range(CLICKS)]
    )

    good = [answer for answer in answers if answer.status == 201]
    told = statuses(answers)
    assert set(told) <= {(201, ""), (409, "request_in_progress")}, told
    assert len(good) == CLICKS if key != "one" else len(good) >= 1
    assert {answer.json["order"]["number"] for answer in good} == {"WEB-1"}
    if key == "one":
        assert len({answer.body for answer in good}) == 1
        assert [a.headers.get("Idempotent-Replayed") for a in good].count(None) == 1
    order, payment = Order.objects.get(), Payment.objects.get()
    assert (order.status, order.payment_status) == ("confirmed", "paid")
    assert (payment.status, payment.captured_amount) == ("captured", PRICE)
    truth = simulator.state()
    assert (truth["payment_intents"], truth["charges"]) == ({"succeeded": 1}, {"succeeded": 1})
    assert truth["captured"] == {"eur": PRICE}


@pytest.mark.parametrize(
    "methods",
    [(VISA, MASTERCARD), (SECURE, VISA), (DECLINED, VISA), (SECURE, DECLINED, MASTERCARD, VISA)],
    ids=["two cards", "3-D Secure and a card", "a bad and a good card", "all of them"],
)
def test_twenty_clicks_with_several_cards_keep_the_price_once(
    methods: tuple[str, ...],
    server: Server,
    simulator: StripeSimulator,
    make_carts: MakeCarts,
    drain: Callable[[], int],
) -> None:
    [cart] = make_carts(1, ("MUG", 1))

    answers = crowd(
        CLICKS,
        [
            partial(server.checkout, cart, method=methods[n % len(methods)], key=f"key {n}")
            for n in range(CLICKS)
        ],
    )
    drain()

    told = statuses(answers)
    assert set(told) <= {(201, ""), (402, "payment_declined")}, told
    order = Order.objects.get()
    assert (order.status, order.captured_amount - order.refunded_amount) == ("confirmed", PRICE)
    truth = simulator.state()
    assert truth["captured"]["eur"] - truth["refunded"].get("eur", 0) == PRICE
    waiting = {"requires_action", "requires_confirmation", "requires_payment_method"}
    left = {name: n for name, n in truth["payment_intents"].items() if name in waiting}
    declined = Payment.objects.filter(status="failed").count()
    assert sum(left.values()) == declined, (left, declined)


def test_a_good_card_after_a_bad_one_that_had_no_answer(
    server: Server, simulator: StripeSimulator, make_carts: MakeCarts
) -> None:
    [cart] = make_carts(1, ("MUG", 1))
    # The call and the SDK's own second try.
    simulator.add_fault(Fault("/v1/payment_intents", "POST", drop_before_execute=True, times=2))

    unknown = server.checkout(cart, method=DECLINED)
    good = server.checkout(cart, method=VISA)

    assert (unknown.status, unknown.json["payment"]["status"]) == (201, "created")
    assert (good.status, good.json["order"]["status"]) == (201, "confirmed"), good.body
    methods = Payment.objects.order_by("pk").values_list("method", "status")
    assert list(methods) == [(DECLINED, "failed"), (VISA, "captured")]
