"""Baskets of every shape, for what has to hold for all of them.

Hypothesis draws how much there is and a seed; what there is comes from the seed, because drawing
every number of 12 lines and 8 promotions takes ten times as long as the sum. Line 3 of a seed is
the same however many lines there are, so a failure still shrinks to the few that matter.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import strategies as st

from apps.pricing.engines.till import Basket, Line, Rate, Shipping
from apps.promotions.engines.rules import (
    EVERYTHING,
    AmountOff,
    BuyXGetY,
    Effect,
    FixedPrice,
    FreeGift,
    FreeShipping,
    Percentage,
    QuantityTiers,
    Rule,
    Selection,
    Shopper,
    Window,
)
from apps.shipping.engines.tables import Band, Surcharge, Table

NOON = datetime(2030, 6, 5, 12, 0, tzinfo=UTC)
# Of none, two, three and four decimals.
CURRENCIES = ["JPY", "KRW", "EUR", "HUF", "KWD", "BHD", "CLF"]
KNOWN_PERCENTS = "2.6 4 5 7 8.1 9.975 10 19 21 25.5 100".split()
FACTS = [f"category:{c}" for c in "abc"] + [f"brand:{b}" for b in "xy"]
GIFTS = ["CUP", "PEN"]
Taxes = tuple[Rate, ...]


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    """Up to 12 lines of a few sets of taxes, up to 8 promotions of every effect, and shipping."""
    lines, rules = draw(st.integers(0, 12)), draw(st.integers(0, 8))
    shipping, included = draw(st.booleans()), draw(st.booleans())
    seed = draw(st.integers(0, 2**32))
    dice = Random(seed)
    sets = [_taxes(dice) for _ in range(dice.randint(1, 3))]
    most = dice.choice([0, 0, 0, 2])
    gifts = {
        sku: (replace(_line(dice, sku, sets, included, most), quantity=1), dice.randint(0, 4))
        for sku in GIFTS
    }
    return Basket(
        currency=dice.choice(CURRENCIES),
        lines=tuple(
            _line(Random(f"{seed} line {n}"), str(n), sets, included, most) for n in range(lines)
        ),
        tax_included=included,
        tax_rounding=draw(st.sampled_from(["unit", "line", "document"])),
        shipping=_shipping(dice, sets, included) if shipping else None,
        rules=tuple(_rule(Random(f"{seed} rule {n}"), n) for n in range(rules)),
        shopper=Shopper(NOON, NOON),
        gifts=gifts,
    )


def _price(dice: Random, most: int = 0) -> int:
    """Small ones, where a unit is much, and large ones."""
    return dice.randint(0, most or dice.choice([3, 20, 10**4, 10**7]))


def _percent(dice: Random) -> Decimal:
    if dice.random() < 0.7:
        return Decimal(dice.choice(KNOWN_PERCENTS))
    return Decimal(dice.randint(0, 1_000_000)) / 10_000


def _taxes(dice: Random) -> Taxes:
    """Up to five; all rounded apart, all together, or some of both."""
    apart = dice.choice([[True], [False], [True, False]])
    names = "ABCDE"[: dice.choice([0, 1, 1, 2, 3, 5])]
    high = Decimal(100) if dice.random() < 0.2 else None
    return tuple(
        Rate(name, high or _percent(dice), apart[n % len(apart)]) for n, name in enumerate(names)
    )


def _reprice(dice: Random, included: bool) -> tuple[Decimal, Decimal] | None:
    return (_percent(dice), _percent(dice)) if included and dice.random() < 0.3 else None


def _line(dice: Random, key: str, sets: list[Taxes], included: bool, most: int) -> Line:
    return Line(
        key=key,
        sku=f"SKU-{key}",
        quantity=dice.randint(1, dice.choice([1, 1, 3, 200])),
        unit_price=_price(dice, most),
        rates=dice.choice(sets),
        weight=dice.randint(0, 3000),
        requires_shipping=dice.random() < 0.8,
        facts=frozenset(dice.sample(FACTS, dice.randint(0, 3))),
        reprice=_reprice(dice, included),
    )


def _shipping(dice: Random, sets: list[Taxes], included: bool) -> Shipping:
    light = Band(_price(dice), max_weight=dice.choice([1, 1000, 5000]))
    free_above = dice.choice([None, dice.randint(0, 10**6)])
    heavy = Band(_price(dice), free_above=free_above, per_kg=dice.choice([0, 0, 150]))
    fuel = Surcharge("Fuel", dice.randint(0, 100), _percent(dice))
    table = Table("post", "Post", (light, heavy), surcharges=dice.choice([(), (fuel,)]))
    return Shipping(table, dice.choice([None, None, *sets]), _reprice(dice, included))


def _selection(dice: Random) -> Selection:
    wanted = [frozenset(dice.sample(FACTS, dice.randint(1, 4))) for _ in range(dice.randint(0, 2))]
    unwanted = frozenset(dice.sample(FACTS, dice.choice([0, 0, 1])))
    return Selection(tuple(wanted), unwanted, dice.random() < 0.8)


def _off(dice: Random) -> Decimal:
    return Decimal(dice.choice([100, 500_000, 1_000_000, dice.randint(1, 1_000_000)])) / 10_000


def _effect(dice: Random) -> Effect:
    makers = [
        lambda: Percentage(_off(dice), dice.choice(["items", "order"])),
        lambda: AmountOff(1 + _price(dice), dice.choice(["item", "order"])),
        lambda: FixedPrice(_price(dice)),
        lambda: QuantityTiers(((1, _off(dice)), (5, _off(dice)))),
        lambda: BuyXGetY(
            dice.randint(1, 4),
            dice.randint(1, 4),
            _off(dice),
            dice.choice([None, _selection(dice)]),
        ),
        lambda: FreeShipping(up_to=dice.choice([None, dice.randint(1, 1000)])),
        lambda: FreeShipping(frozenset({"express"})),
        lambda: FreeGift(dice.choice(GIFTS), dice.randint(1, 3)),
    ]
    return dice.choice(makers)()


def _rule(dice: Random, number: int) -> Rule:
    effect = _effect(dice)
    # What a list can show: a price of one piece.
    shown = isinstance(effect, Percentage | FixedPrice | AmountOff)
    return Rule(
        code=f"r{number}",
        name=f"R{number}",
        effect=effect,
        items=dice.choice([EVERYTHING, _selection(dice)]),
        coupon=dice.choice(["", "", "CODE"]),
        window=dice.choice([Window()] * 9 + [Window(starts_at=NOON + timedelta(1))]),
        min_spend=dice.choice([0, 0, 5000]),
        min_quantity=dice.choice([0, 0, 3]),
        max_per_order=dice.choice([None, None, dice.randint(1, 9)]),
        group=dice.choice(["", "", "g", "h"]),
        priority=dice.randint(-1, 1),
        exclusive=dice.random() < 0.05,
        catalogue=shown and dice.random() < 0.4,
    )
