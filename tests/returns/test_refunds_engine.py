"""What is given back for pieces, by worked examples and by any history of returns."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.pricing.engines import till
from apps.promotions.engines.rules import (
    AmountOff,
    BuyXGetY,
    FixedPrice,
    FreeGift,
    FreeShipping,
    Percentage,
    QuantityTiers,
    Rule,
    Selection,
)
from apps.promotions.engines.snapshot import rule_json, rule_of
from apps.returns.engines.refunds import Fee, Sale, SoldLine, cost_of, fee_for, for_goods, paid_for

EXAMPLES = int(os.environ.get("RETURNS_EXAMPLES", "60"))
THREE_FOR_TWO = Rule("3for2", "3 for 2", BuyXGetY(2, 1))
OVER_HUNDRED = Rule("over100", "20 off", AmountOff(2000), min_spend=10_000)
GIFT = Rule("gift", "A gift", FreeGift("GIFT"), min_spend=5_000)


def sale(*lines: tuple[int, int], rules: tuple[Rule, ...] = (), percent: int = 0) -> Sale:
    """Sold by the till itself: lines of (pieces, price); `percent` of tax is added."""
    rates = (till.Rate("IVA", Decimal(percent)),) if percent else ()
    basket = till.Basket(
        "EUR",
        tuple(till.Line(str(i), f"SKU-{i}", n, price, rates) for i, (n, price) in enumerate(lines)),
        tax_included=not percent,
        rules=rules,
        gifts={"GIFT": (till.Line("GIFT", "GIFT", 1, 700, rates, requires_shipping=False), 9)},
    )
    quote = till.quote(basket)
    kept = quote.as_json().get("promotions", {"rules": []})
    return Sale(
        tuple(
            SoldLine(
                pk=i,
                sku=line.sku,
                quantity=line.quantity,
                unit_price=line.unit_price,
                list_price=line.list_price,
                net=line.subtotal - line.discount,
                total=line.total,
                percent=Decimal(percent),
                is_gift=line.is_gift,
            )
            for i, line in enumerate(quote.lines)
        ),
        tuple(rule_of(rule) for rule in kept["rules"]),
    )


def history(sold: Sale, *returns: dict[int, int], faulty: bool = False) -> list[int]:
    """What each return gives back, one after the other."""
    before: dict[int, int] = {}
    given: list[int] = []
    for now in returns:
        bad = now if faulty else {}
        amount = for_goods(sale=sold, before=before, now=now, faulty=bad, already=sum(given))
        given.append(amount)
        before = {pk: before.get(pk, 0) + now.get(pk, 0) for pk in {*before, *now}}
    return given


@pytest.mark.parametrize(
    ("sold", "returns", "expected"),
    [
        # Nothing off: each piece is worth its price.
        (sale((3, 1000)), [{0: 1}, {0: 2}], [1000, 2000]),
        # 3 for 2 at 10.00: two cost 20.00 as three did, so the first gives nothing back.
        (sale((3, 1000), rules=(THREE_FOR_TWO,)), [{0: 1}, {0: 1}, {0: 1}], [0, 1000, 1000]),
        # Six for four: three for two stays.
        (sale((6, 1000), rules=(THREE_FOR_TWO,)), [{0: 3}, {0: 3}], [2000, 2000]),
        # 20 off from 100: 80 paid; the 10 piece breaks it, and is paid for by the next.
        (
            sale((1, 6000), (1, 3000), (1, 1000), rules=(OVER_HUNDRED,)),
            [{2: 1}, {1: 1}, {0: 1}],
            [0, 2000, 6000],
        ),
        # The same order sent back as a whole.
        (
            sale((1, 6000), (1, 3000), (1, 1000), rules=(OVER_HUNDRED,)),
            [{0: 1, 1: 1, 2: 1}],
            [8000],
        ),
        # A gift for 50.00: who keeps it without the rest has bought it, for 7.00.
        (sale((1, 6000), rules=(GIFT,)), [{0: 1}], [5300]),
        (sale((1, 6000), rules=(GIFT,)), [{0: 1, 1: 1}], [6000]),
        # 21 % are added: 12.10 each.
        (sale((2, 1000), percent=21), [{0: 1}, {0: 1}], [1210, 1210]),
    ],
)
def test_worked_examples(sold, returns, expected):
    assert history(sold, *returns) == expected


def test_what_was_our_fault_breaks_no_promotion():
    sold = sale((3, 1000), rules=(THREE_FOR_TWO,))
    assert history(sold, {0: 1}, faulty=True) == [666]
    assert history(sold, {0: 1}, {0: 1}, {0: 1}, faulty=True) == [666, 667, 667]


def test_without_the_rules_pieces_are_worth_their_share():
    sold = sale((3, 1000), rules=(THREE_FOR_TWO,))
    plain = Sale(sold.lines, None)
    assert history(plain, {0: 1}, {0: 1}, {0: 1}) == [666, 667, 667]


def test_fees_are_by_line_and_never_more_than_what_is_given_back():
    sold = sale((3, 999), (1, 500))
    fees = {0: Fee(Decimal("12.5"), 100), 1: Fee(fixed=9_999)}

    def fee(now: dict[int, int], most: int) -> int:
        return fee_for(sale=sold, before={}, now=now, fees=fees, most=most)

    assert fee({0: 2}, 1998) == 250 + 100
    assert fee({1: 1}, 500) == 500
    assert fee({0: 3, 1: 1}, 700) == 700


SELECTIONS = st.sampled_from([Selection(), Selection((frozenset({"sku:SKU-0"}),))])
EFFECTS = st.one_of(
    st.integers(1, 100).map(lambda p: Percentage(Decimal(p))),
    st.integers(1, 100).map(lambda p: Percentage(Decimal(p), "order")),
    st.integers(1, 9_000).map(AmountOff),
    st.integers(1, 900).map(lambda amount: AmountOff(amount, "item")),
    st.integers(0, 2_000).map(FixedPrice),
    st.builds(BuyXGetY, st.integers(1, 3), st.integers(1, 2)),
    st.integers(1, 90).map(lambda p: QuantityTiers(((2, Decimal(p)), (4, Decimal(p + 5))))),
    st.just(FreeGift("GIFT")),
)


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    lines = draw(
        st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4_000)), min_size=1, max_size=4)
    )
    rules = tuple(
        Rule(
            f"r{i}",
            "Rule",
            effect,
            min_spend=draw(st.sampled_from([0, 0, 5_000])),
            min_quantity=draw(st.sampled_from([0, 0, 3])),
            max_per_order=draw(st.sampled_from([None, None, 1])),
            exclusive=draw(st.booleans()) and i == 0,
        )
        for i, effect in enumerate(draw(st.lists(EFFECTS, max_size=3)))
    )
    return sale(*lines, rules=rules, percent=draw(st.sampled_from([0, 0, 21])))


@settings(max_examples=EXAMPLES)
@given(sales(), st.randoms(use_true_random=False), st.booleans())
def test_all_pieces_one_by_one_give_back_exactly_what_was_paid(sold, dice, faulty):
    pieces = [line.pk for line in sold.lines for _n in range(line.quantity)]
    dice.shuffle(pieces)
    # The last is no fault of ours: it settles the account.
    before: dict[int, int] = {}
    given: list[int] = []
    for number, pk in enumerate(pieces):
        bad = {pk: 1} if faulty and dice.random() < 0.3 and number < len(pieces) - 1 else {}
        amount = for_goods(sale=sold, before=before, now={pk: 1}, faulty=bad, already=sum(given))
        before[pk] = before.get(pk, 0) + 1
        assert amount >= 0
        given.append(amount)
        assert sum(given) <= paid_for(sold, before)
    assert sum(given) == sum(line.total for line in sold.lines)


@settings(max_examples=EXAMPLES)
@given(sales())
def test_keeping_everything_costs_what_was_paid(sold):
    assert cost_of(sold, {line.pk: line.quantity for line in sold.lines}) == sum(
        line.total for line in sold.lines
    )


@settings(max_examples=EXAMPLES)
@given(EFFECTS | st.just(FreeShipping(frozenset({"post"}), 500)), SELECTIONS)
def test_a_rule_survives_being_written_down(effect, items):
    one = Rule("r", "R", effect, items, "CODE", min_spend=5, group="g", priority=3, exclusive=True)
    assert rule_of(rule_json(one)) == one
    choosy = Rule("c", "C", BuyXGetY(1, 1, get_items=items))
    assert rule_of(rule_json(choosy)) == choosy
