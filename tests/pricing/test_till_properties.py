"""What holds for every quote there can be. TILL_EXAMPLES says how many are tried."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.money import allocate, round_half_up
from apps.payments.selectors import plan_tenders
from apps.pricing.engines import till
from apps.pricing.engines.taxes import split_pro_rata
from apps.pricing.engines.till import Basket, Line, Quote, Rate, Shipping, repriced
from apps.promotions.engines.rules import AmountOff, FreeGift, FreeShipping, Percentage, Rule
from apps.shipping.engines.tables import Band, Parcel, Table, cost
from tests.factories.payments import gift_card
from tests.pricing.baskets import baskets

EXAMPLES = int(os.environ.get("TILL_EXAMPLES", "1500"))
FEWER = max(EXAMPLES // 5, 1)
HALF = Decimal("0.5")


def _each(examples: int) -> settings:
    return settings(max_examples=examples)


def _shipping_tax(found: Quote) -> int:
    return found.shipping_choice.tax if found.shipping_choice else 0


def _goods(found: Quote) -> list[int]:
    return [line.subtotal - line.discount for line in found.lines]


def _numbers(value: object) -> Iterator[object]:
    """Every number of a quote, however deep."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _numbers(getattr(value, field.name))
    elif isinstance(value, tuple):
        for member in value:
            yield from _numbers(member)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        yield value


def _adds_up(basket: Basket, found: Quote) -> None:
    added = 0 if basket.tax_included else 1
    assert found.subtotal == sum(line.unit_price * line.quantity for line in found.lines)
    assert found.subtotal == sum(line.subtotal for line in found.lines)
    assert found.total == sum(_goods(found)) + found.shipping + added * found.tax
    shipped = found.shipping + added * _shipping_tax(found)
    assert found.total == sum(line.total for line in found.lines) + shipped


def _taxes_add_up(basket: Basket, found: Quote) -> None:
    assert found.tax == sum(line.tax for line in found.lines) + _shipping_tax(found)
    assert found.tax == sum(row.amount for row in found.taxes)
    rows = [row for line in found.lines for row in line.taxes]
    if found.shipping_choice:
        rows += found.shipping_choice.taxes
        assert found.shipping_choice.tax == sum(row.amount for row in found.shipping_choice.taxes)
    for shown in found.taxes:
        same = [row for row in rows if (row.name, row.percent) == (shown.name, shown.percent)]
        assert (shown.base, shown.amount) == (
            sum(r.base for r in same),
            sum(r.amount for r in same),
        )
    for line, goods in zip(found.lines, _goods(found), strict=True):
        assert line.tax == sum(row.amount for row in line.taxes)
        base = goods - line.tax if basket.tax_included else goods
        assert {row.base for row in line.taxes} <= {base}


def _discounts_add_up(found: Quote) -> None:
    of_goods = [d for d in found.discounts if d.target != "shipping"]
    of_shipping = [d for d in found.discounts if d.target == "shipping"]
    assert found.discount == sum(d.amount for d in of_goods)
    for discount in of_goods:
        assert discount.amount == sum(part for _key, part in discount.lines)
        # A gift may be of something that costs nothing anyway.
        assert discount.amount > 0 or discount.target == "gift"
    for line in found.lines:
        parts = [part for d in of_goods for key, part in d.lines if key == line.key]
        assert line.discount == sum(parts)
    assert [d.lines for d in of_shipping] == [()] * len(of_shipping)
    choice = found.shipping_choice
    assert sum(d.amount for d in of_shipping) == (choice.discount if choice else 0)
    if choice:
        assert choice.price == choice.list_price - choice.discount == found.shipping


def _nothing_is_negative(basket: Basket, found: Quote) -> None:
    sums = replace(found, trace=(), promoted=(), facts=())
    assert [x for x in _numbers(sums) if type(x) is not int or x < 0] == []
    for line in found.lines:
        assert line.discount <= line.subtotal
        if basket.tax_included:
            assert line.tax <= line.subtotal - line.discount == line.total
    if basket.tax_included:
        assert _shipping_tax(found) <= found.shipping


def _prices_come_from_the_basket(basket: Basket, found: Quote) -> None:
    for asked, line in zip(basket.lines, found.lines, strict=False):
        assert (line.key, line.sku, line.quantity) == (asked.key, asked.sku, asked.quantity)
        shelf, listed = line.shelf_price, asked.unit_price
        assert shelf <= listed
        assert bool(line.promotion) == (shelf < listed)
        if asked.reprice:
            shelf, listed = repriced(shelf, *asked.reprice), repriced(listed, *asked.reprice)
        assert (line.unit_price, line.list_price) == (shelf, listed)


def _shipping_is_what_the_table_says(basket: Basket, found: Quote) -> None:
    sent = [line for line in basket.lines if line.requires_shipping]
    assert bool(found.shipping_choice) == bool(basket.shipping and sent)
    if not (found.shipping_choice and basket.shipping):
        return
    # A gift that is sent along costs no shipping.
    price = cost(
        basket.shipping.table,
        Parcel(
            weight=sum(line.weight * line.quantity for line in sent),
            goods=sum(_goods(found)),
            pieces=sum(line.quantity for line in sent),
        ),
    )
    if basket.shipping.reprice:
        price = repriced(price, *basket.shipping.reprice)
    assert found.shipping_choice.list_price == price


def _gifts_are_free_and_in_stock(basket: Basket, found: Quote) -> None:
    given_away = found.lines[len(basket.lines) :]
    assert all(line.is_gift and line.subtotal == line.discount for line in given_away)
    assert all((line.total, line.tax) == (0, 0) for line in given_away)
    assert not any(line.is_gift for line in found.lines[: len(basket.lines)])
    for sku, (line, stock) in basket.gifts.items():
        assert sum(g.quantity for g in given_away if g.sku == line.sku) <= stock, sku


@_each(EXAMPLES)
@given(baskets())
def test_the_parts_of_a_quote_add_up_and_nothing_is_negative(basket):
    found = till.quote(basket)
    _adds_up(basket, found)
    _taxes_add_up(basket, found)
    _discounts_add_up(found)
    _nothing_is_negative(basket, found)
    _prices_come_from_the_basket(basket, found)
    _shipping_is_what_the_table_says(basket, found)
    _gifts_are_free_and_in_stock(basket, found)
    _rounding_is_half_a_unit_a_time(basket, found)
    _refunds_give_back_what_was_taken(found)


def _taxed(basket: Basket, found: Quote) -> list[tuple[int, tuple[Rate, ...], int]]:
    """What was taxed, as it was: goods, gifts and shipping."""
    sold = {line.key: line for line in basket.lines}
    offered = {line.sku: line for line, _stock in basket.gifts.values()}
    rates = [(sold.get(line.key) or offered[line.sku]).rates for line in found.lines]
    pieces = [line.quantity for line in found.lines]
    taxed = list(zip(_goods(found), rates, pieces, strict=True))
    if found.shipping_choice and basket.shipping:
        parts = [(found.shipping, basket.shipping.rates)]
        if basket.shipping.rates is None:
            parts = split_pro_rata(found.shipping, taxed)
        taxed += [(value, own or (), 1) for value, own in parts]
    return taxed


def _rounding_is_half_a_unit_a_time(basket: Basket, found: Quote) -> None:
    """Off the exact tax by half a unit for each rounding: pieces, lines, or sets of rates."""
    exact, roundings, sets = Decimal(0), 0, set()
    for value, rates, pieces in _taxed(basket, found):
        percent = sum((rate.percent for rate in rates), Decimal(0))
        exact += value * percent / (100 + percent if basket.tax_included else 100)
        times = sum(rate.separate for rate in rates) + any(not rate.separate for rate in rates)
        if basket.tax_rounding == "document" and rates not in sets:
            sets.add(rates)
            roundings += times
        elif basket.tax_rounding != "document":
            roundings += times * (pieces if basket.tax_rounding == "unit" else 1)
    assert abs(found.tax - exact) <= HALF * roundings + Decimal("1e-9")


def _refunds_give_back_what_was_taken(found: Quote) -> None:
    """Every piece of every line, one after the other, then shipping with its tax."""
    back = 0
    for line in found.lines:
        pieces = allocate(line.total, [1] * line.quantity)
        assert max(pieces) - min(pieces) <= 1
        back += sum(pieces)
    shipped = found.shipping + (0 if found.tax_included else _shipping_tax(found))
    assert back + shipped == found.total


@_each(FEWER)
@given(baskets(), st.integers(1, 10**9), st.integers(1, 1_000_000))
def test_one_promotion_takes_off_exactly_what_it_says(basket, amount, ten_thousandths):
    percent = Decimal(ten_thousandths) / 10_000

    def off(effect) -> list[int]:
        rule = Rule("one", "One", effect)
        return [line.discount for line in till.quote(replace(basket, rules=(rule,))).lines]

    worth = [line.subtotal for line in till.quote(replace(basket, rules=())).lines]
    assert sum(off(AmountOff(amount))) == min(amount, sum(worth))
    whole = round_half_up(sum(worth) * percent / 100)
    assert sum(off(Percentage(percent, "order"))) == whole
    assert off(Percentage(percent)) == [round_half_up(x * percent / 100) for x in worth]
    # Shared in proportion: nobody's part is a whole unit off its exact share.
    for part, value in zip(off(Percentage(percent, "order")), worth, strict=True):
        assert abs(part - (Decimal(whole) * value / sum(worth) if value else 0)) < 1


@_each(FEWER)
@given(baskets(), st.randoms(use_true_random=False))
def test_a_quote_is_a_function_of_its_basket_and_the_order_of_promotions_is_none(basket, dice):
    found = till.quote(basket)
    rules = list(basket.rules)
    dice.shuffle(rules)
    for again in (replace(basket), replace(basket, rules=tuple(rules))):
        quoted = till.quote(again)
        assert quoted == found
        assert (quoted.hash, quoted.as_json()) == (found.hash, found.as_json())


def _one_thing_else(basket: Basket, dice) -> Basket:
    """The basket with one small thing changed, which may or may not show in its quote."""
    lines = list(basket.lines) or [Line("0", "SKU-0", 1, 1)]
    place = dice.randrange(len(lines))
    line = lines[place]
    changes: list[dict[str, object]] = [
        {"quantity": line.quantity + 1},
        {"unit_price": line.unit_price + 1},
        {"rates": (*line.rates, Rate("Z", Decimal("0.0001")))},
        {"rates": tuple(replace(rate, separate=not rate.separate) for rate in line.rates)},
        {"weight": line.weight + 1},
        {"facts": frozenset()},
        {"key": "other"},
    ]
    lines[place] = replace(line, **dice.choice(changes))
    others = [
        replace(basket, lines=tuple(lines)),
        replace(basket, tax_rounding="line"),
        replace(basket, currency="USD"),
        replace(basket, rules=basket.rules[1:]),
    ]
    return dice.choice(others)


@_each(FEWER)
@given(baskets(), st.randoms(use_true_random=False))
def test_two_hashes_are_equal_only_for_equal_quotes(basket, dice):
    one, other = till.quote(basket), till.quote(_one_thing_else(basket, dice))
    same = replace(one, trace=()) == replace(other, trace=())
    assert (one.hash == other.hash) == same


@pytest.mark.parametrize("rounding", ["unit", "line", "document"])
def test_tax_in_a_price_never_exceeds_it_however_it_is_rounded(rounding):
    # Five taxes of 100 % hold five sixths of a price; six lines of one unit hold one each of it.
    rates = tuple(Rate(name, Decimal(100), separate=True) for name in "ABCDE")
    lines = tuple(Line(str(n), "S", 1, 1, rates) for n in range(6))
    found = till.quote(Basket("JPY", lines, tax_included=True, tax_rounding=rounding))
    assert [line.tax for line in found.lines if not 0 <= line.tax <= 1] == []


def test_a_gift_never_makes_free_shipping_cost_less_than_nothing():
    # The gift's weight would lift the parcel into the cheap band, after 5.00 were taken off.
    table = Table("post", "Post", (Band(500, max_weight=1000), Band(100)))
    gift = Line("CUP", "CUP", 1, 300, weight=1000)
    basket = Basket(
        "EUR",
        (Line("1", "MUG", 1, 1000, weight=900),),
        tax_included=True,
        shipping=Shipping(table),
        rules=(Rule("free", "Free", FreeShipping()), Rule("cup", "Cup", FreeGift("CUP"))),
        gifts={"CUP": (gift, 1)},
    )
    found = till.quote(basket)
    assert (found.shipping_choice.list_price, found.shipping, found.total) == (500, 0, 1000)
    # The parcel still weighs what it weighs.
    assert found.weight == 1900


@pytest.mark.parametrize("total", [0, 1, 2, 999, 1000, 1001, 10_999, 11_000, 11_001, 50_000])
def test_gift_cards_never_pay_more_than_the_total(store, total):
    cards = [gift_card(amount) for amount in (1, 999, 10_000)]
    tenders = plan_tenders(
        total=total,
        currency="EUR",
        ids=[card.public_id for card in cards],
        customer_id=None,
        at=timezone.now(),
    )
    assert sum(tender.amount for tender in tenders) == min(total, 11_000)
    assert [t for t in tenders if not 0 <= t.amount <= t.balance] == []
