"""What promotions take off: worked examples, stacking, and what holds for every basket."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.promotions.engines.evaluate import Delivery, GiftStock, evaluate, reduced_price
from apps.promotions.engines.rules import (
    AmountOff,
    BuyXGetY,
    FixedPrice,
    FreeGift,
    FreeShipping,
    Gift,
    Item,
    Percentage,
    QuantityTiers,
    Rule,
    Selection,
    Shopper,
    Window,
)

NOON = datetime(2030, 6, 5, 12, 0, tzinfo=UTC)  # a Wednesday
SHOPPER = Shopper(NOON, NOON)


def item(price, quantity=1, *facts, key=None, list_price=None):
    return Item(
        key or f"k{price}", f"SKU{price}", quantity, price, list_price or price, frozenset(facts)
    )


def rule(effect, code="r", **kwargs):
    return Rule(code, code.title(), effect, **kwargs)


def ten(**kwargs):
    return rule(Percentage(Decimal(10)), **kwargs)


def outcome(items, *rules, shopper=SHOPPER, **kwargs):
    return evaluate(items=items, shopper=shopper, rules=rules, **kwargs)


def off(items, *rules, **kwargs):
    """What is taken off each item, by all rules."""
    found = outcome(items, *rules, **kwargs)
    return [sum(parts) for parts in zip(*(a.amounts for a in found.applied), strict=True)] or [
        0 for _item in items
    ]


def reasons(items, *rules, **kwargs):
    return {v.code: v.reason for v in outcome(items, *rules, **kwargs).verdicts}


MUGS = Selection((frozenset({"category:mugs"}),))


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        # 3 × 9.99 and 1 × 25.05.
        (Percentage(Decimal(10)), [300, 251]),
        (Percentage(Decimal(10), "order"), [300, 250]),
        (Percentage(Decimal("33.3333")), [999, 835]),
        (Percentage(Decimal(100)), [2997, 2505]),
        (AmountOff(1000), [545, 455]),
        (AmountOff(100_000), [2997, 2505]),
        (AmountOff(100, "item"), [300, 100]),
        (AmountOff(1500, "item"), [2997, 1500]),
        (FixedPrice(500), [1497, 2005]),
        (FixedPrice(1000), [0, 1505]),
        (QuantityTiers(((2, Decimal(5)), (4, Decimal(20)), (9, Decimal(50)))), [599, 501]),
        # Of four pieces one is free: the cheapest.
        (BuyXGetY(2, 1), [999, 0]),
        (BuyXGetY(1, 1), [1998, 0]),
        (BuyXGetY(1, 1, Decimal(50)), [999, 0]),
    ],
)
def test_an_effect_takes_off(effect, expected):
    assert off([item(999, 3), item(2505)], rule(effect)) == expected


def test_only_the_chosen_items_are_reduced():
    mug, book = item(1000, 1, "category:mugs"), item(2000)
    assert off([mug, book], ten(items=MUGS)) == [100, 0]
    assert off([mug, book], ten(items=Selection(none_of=frozenset({"category:mugs"})))) == [0, 200]


def test_every_kind_that_is_named_must_fit():
    chosen = Selection((frozenset({"category:mugs"}), frozenset({"brand:acme", "brand:best"})))
    items = [item(1000, 1, "category:mugs"), item(2000, 1, "category:mugs", "brand:best")]
    assert off(items, ten(items=chosen)) == [0, 200]


def test_reduced_items_can_be_left_out():
    items = [item(800, list_price=1000), item(2000)]
    assert off(items, ten(items=Selection(reduced=False))) == [0, 200]


def test_at_most_so_many_pieces_are_reduced_the_dearest_first():
    items = [item(1000, 2), item(3000, 2)]
    assert off(items, ten(max_per_order=3)) == [100, 600]


@pytest.mark.parametrize(
    ("buy", "get", "expected"),
    [
        # Bought: mugs; for less: books, of which there are two.
        ((1, 1), "books", [0, 4000]),
        ((3, 1), "books", [0, 2000]),
        ((4, 1), "books", [0, 0]),
        ((1, 3), "books", [0, 0]),
    ],
)
def test_buy_one_thing_get_another(buy, get, expected):
    items = [item(1000, 3, "category:mugs"), item(2000, 2, "category:books")]
    books = Selection((frozenset({"category:books"}),))
    effect = BuyXGetY(*buy, get_items=books)
    assert off(items, rule(effect, items=MUGS)) == expected


def test_a_piece_that_is_free_was_not_bought():
    # Buy a mug, get anything: the mug itself can't be both.
    effect = BuyXGetY(1, 1, get_items=Selection())
    assert off([item(1000, 1, "category:mugs")], rule(effect, items=MUGS)) == [0]
    two = [item(1000, 1, "category:mugs"), item(300)]
    assert off(two, rule(effect, items=MUGS)) == [0, 300]


def test_a_million_pieces_are_counted_not_listed():
    items = [item(100, 1_000_000), item(50, 999_999)]
    assert off(items, rule(BuyXGetY(2, 1))) == [0, 50 * 666_666]


def test_buy_x_get_y_counts_at_most_so_often():
    assert off([item(1000, 9)], rule(BuyXGetY(2, 1), max_per_order=2)) == [2000]


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"min_spend": 1000}, "applied"),
        ({"min_spend": 1001}, "spend_too_low"),
        ({"min_quantity": 2}, "too_few"),
        ({"items": MUGS}, "nothing_matches"),
        ({"customer_groups": frozenset({"vip"})}, "other_group"),
        ({"segments": frozenset({"regulars"})}, "other_segment"),
        ({"first_order": True}, "not_first_order"),
        ({"refusal": "used_up"}, "used_up"),
        ({"window": Window(starts_at=NOON)}, "applied"),
        ({"window": Window(starts_at=NOON + timedelta(seconds=1))}, "not_started"),
        ({"window": Window(ends_at=NOON)}, "ended"),
        ({"window": Window(ends_at=NOON + timedelta(microseconds=1))}, "applied"),
        ({"window": Window(weekdays=frozenset({2}))}, "applied"),
        ({"window": Window(weekdays=frozenset({1, 3}))}, "wrong_time"),
        ({"window": Window(from_minute=720, to_minute=721)}, "applied"),
        ({"window": Window(from_minute=0, to_minute=720)}, "wrong_time"),
        ({"window": Window(from_minute=721)}, "wrong_time"),
    ],
)
def test_each_refusal_is_named(kwargs, reason):
    assert reasons([item(1000)], ten(**kwargs)) == {"r": reason}


def test_hours_past_midnight_belong_to_the_day_they_began_on():
    late = Window(weekdays=frozenset({4}), from_minute=22 * 60, to_minute=2 * 60)

    def at(day, hour):
        local = datetime(2030, 6, day, hour, 30, tzinfo=UTC)
        return late.refusal(replace(SHOPPER, local=local))

    # 7 June 2030 is a Friday.
    assert [at(7, 21), at(7, 22), at(8, 1), at(8, 2), at(7, 1)] == [
        "wrong_time",
        "",
        "",
        "wrong_time",
        "wrong_time",
    ]


def test_the_stores_own_clock_decides_the_hours():
    window = Window(from_minute=13 * 60, to_minute=15 * 60)
    madrid = replace(SHOPPER, local=NOON + timedelta(hours=2))
    assert (window.refusal(SHOPPER), window.refusal(madrid)) == ("wrong_time", "")


def test_groups_and_first_orders_are_let_in():
    vip = replace(SHOPPER, group="vip", first_order=True)
    ruled = ten(customer_groups=frozenset({"vip"}), first_order=True)
    assert off([item(1000)], ruled, shopper=vip) == [100]


def test_different_promotions_add_up_on_the_same_base():
    assert off([item(1000)], ten(code="a"), rule(Percentage(Decimal(20)), "b")) == [300]


def test_an_order_discount_counts_what_the_items_discounts_left():
    order = rule(Percentage(Decimal(10), "order"), "order")
    assert off([item(1000)], order, rule(Percentage(Decimal(50)), "half")) == [550]


def test_of_one_group_the_best_counts_and_the_others_are_told_by_whom_they_were_beaten():
    a, b = ten(code="a", group="sale"), rule(AmountOff(500), "b", group="sale")
    found = outcome([item(1000)], a, b)
    assert [(x.code, x.amounts) for x in found.applied] == [("b", (500,))]
    assert [(v.code, v.reason, v.facts) for v in found.verdicts] == [
        ("a", "beaten", {"by": "b"}),
        ("b", "applied", {}),
    ]


def test_an_exclusive_one_rules_out_all_others_even_better_ones():
    small = ten(code="small", exclusive=True)
    assert reasons([item(1000)], small, rule(AmountOff(900), "big")) == {
        "big": "beaten",
        "small": "applied",
    }


def test_an_exclusive_one_that_does_not_apply_rules_out_nothing():
    absent = ten(code="absent", exclusive=True, min_spend=5000)
    assert reasons([item(1000)], absent, rule(AmountOff(900), "big")) == {
        "absent": "spend_too_low",
        "big": "applied",
    }


def test_of_two_exclusive_ones_the_higher_priority_counts():
    first = ten(code="first", exclusive=True, priority=1)
    second = rule(AmountOff(900), "second", exclusive=True)
    assert reasons([item(1000)], first, second)["second"] == "beaten"


def test_of_two_codes_of_one_promotion_one_counts():
    found = outcome([item(1000)], ten(coupon="A"), ten(coupon="B"))
    assert [(v.coupon, v.reason) for v in found.verdicts] == [("A", "applied"), ("B", "beaten")]


def test_nothing_is_taken_twice():
    a, b = rule(AmountOff(700), "a"), rule(AmountOff(700), "b")
    found = outcome([item(1000)], a, b, rule(AmountOff(1), "c"))
    assert [(x.code, x.amount) for x in found.applied] == [("a", 700), ("b", 300)]
    assert found.verdicts[2].reason == "no_saving"


@pytest.mark.parametrize(
    ("effect", "shipping"),
    [
        (FreeShipping(), 495),
        (FreeShipping(up_to=300), 300),
        (FreeShipping(methods=frozenset({"express"})), 0),
        (FreeShipping(methods=frozenset({"standard"})), 495),
    ],
)
def test_free_shipping(effect, shipping):
    delivery = Delivery("standard", lambda goods: 495)
    found = outcome([item(1000)], rule(effect), delivery=delivery)
    assert sum(x.shipping for x in found.applied) == shipping


def test_shipping_is_priced_for_what_the_goods_cost_in_the_end():
    delivery = Delivery("standard", lambda goods: 0 if goods >= 1000 else 495)
    found = outcome([item(1000)], ten(code="a"), rule(FreeShipping(), "b"), delivery=delivery)
    assert [(x.code, x.amount) for x in found.applied] == [("a", 100), ("b", 495)]


def test_without_shipping_nothing_is_free_of_it():
    assert reasons([item(1000)], rule(FreeShipping())) == {"r": "no_shipping"}


def test_a_gift_is_given_as_far_as_there_is_stock():
    gifts = {"CUP": GiftStock(300, 3)}
    two = (rule(FreeGift("CUP", 2), "a"), rule(FreeGift("CUP", 2), "b"), rule(FreeGift("PEN"), "c"))
    found = outcome([item(1000)], *two, gifts=gifts)
    assert found.gifts == (Gift("a", "CUP", 2), Gift("b", "CUP", 1))
    assert found.verdicts[2].reason == "gift_unavailable"


def test_the_lowest_catalogue_price_counts():
    rules = [
        rule(Percentage(Decimal(10)), "ten", catalogue=True),
        rule(FixedPrice(850), "fixed", catalogue=True),
        rule(
            FixedPrice(100), "later", catalogue=True, window=Window(starts_at=NOON + timedelta(1))
        ),
        rule(FixedPrice(1), "cart"),
    ]
    price, winner = reduced_price(item=item(1000), shopper=SHOPPER, rules=rules)
    assert (price, winner.code) == (850, "fixed")
    assert reduced_price(item=item(800), shopper=SHOPPER, rules=rules)[0] == 720
    assert reduced_price(item=item(1000), shopper=SHOPPER, rules=[]) == (1000, None)


def test_catalogue_rules_give_nothing_in_the_cart():
    found = outcome([item(900, list_price=1000)], ten(catalogue=True))
    assert (found.applied, found.verdicts) == ((), ())


FACTS = [f"category:{c}" for c in "abc"] + [f"brand:{b}" for b in "xy"]


@st.composite
def items_and_rules(draw):
    items = [
        item(
            draw(st.integers(0, 10**6)),
            draw(st.integers(1, 20)),
            *draw(st.sets(st.sampled_from(FACTS))),
            key=f"k{n}",
        )
        for n in range(draw(st.integers(1, 12)))
    ]
    percent = st.integers(1, 1_000_000).map(lambda n: Decimal(n) / 10_000)
    selection = st.builds(
        Selection,
        st.lists(st.frozensets(st.sampled_from(FACTS), min_size=1), max_size=2).map(tuple),
        st.frozensets(st.sampled_from(FACTS), max_size=1),
        st.booleans(),
    )
    effect = st.one_of(
        st.builds(Percentage, percent, st.sampled_from(["items", "order"])),
        st.builds(AmountOff, st.integers(1, 10**6), st.sampled_from(["item", "order"])),
        st.builds(FixedPrice, st.integers(0, 10**5)),
        st.builds(BuyXGetY, st.integers(1, 5), st.integers(1, 5), percent, st.none() | selection),
        st.builds(lambda p, q: QuantityTiers(((1, p), (5, q))), percent, percent),
        st.builds(FreeShipping, up_to=st.none() | st.integers(1, 1000)),
        st.just(FreeGift("CUP")),
    )
    rules = [
        Rule(
            code=f"r{n}",
            name=f"R{n}",
            effect=draw(effect),
            items=draw(selection),
            min_spend=draw(st.sampled_from([0, 0, 5000])),
            max_per_order=draw(st.none() | st.integers(1, 9)),
            group=draw(st.sampled_from(["", "", "g", "h"])),
            priority=draw(st.integers(-1, 1)),
            exclusive=draw(st.sampled_from([False] * 9 + [True])),
        )
        for n in range(draw(st.integers(0, 8)))
    ]
    return items, rules


@settings(max_examples=500)
@given(items_and_rules(), st.randoms(use_true_random=False))
def test_whatever_is_stacked_nothing_falls_below_zero_and_the_order_does_not_matter(drawn, dice):
    items, rules = drawn
    delivery = Delivery("standard", lambda goods: 495)
    gifts = {"CUP": GiftStock(300, 2)}
    found = outcome(items, *rules, delivery=delivery, gifts=gifts)
    for place, one in enumerate(items):
        taken = [applied.amounts[place] for applied in found.applied]
        assert min(taken, default=0) >= 0
        assert sum(taken) <= one.unit_price * one.quantity
    assert 0 <= sum(applied.shipping for applied in found.applied) <= 495
    assert sum(gift.quantity for gift in found.gifts) <= 2
    assert len(found.verdicts) == len(rules)
    # What a verdict says is what was taken.
    amounts = {v.code: v.amount for v in found.verdicts if v.reason == "applied"}
    assert amounts == {
        **{a.code: a.amount for a in found.applied},
        **{g.code: g.quantity * 300 for g in found.gifts},
    }
    dice.shuffle(rules)
    assert outcome(items, *rules, delivery=delivery, gifts=gifts) == found
