"""Sums that others have published, as data: what goes into the till and what has to come out.

`quoted` figures stand in the source as they stand here. The others are arithmetic by the rule that
the source publishes, with numbers chosen so that the rule shows. Amounts are decimals of the
currency, so that an entry reads as its source does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from apps.pricing.engines.till import Rate
from apps.promotions.engines.rules import AmountOff, Effect, Percentage, Selection


@dataclass(frozen=True)
class Source:
    title: str
    publisher: str
    address: str
    place: str = ""


@dataclass(frozen=True)
class Sold:
    """A line: price of a piece, its taxes, pieces; `fact` is what promotions may choose it by."""

    price: str
    rates: tuple[Rate, ...] = ()
    pieces: int = 1
    fact: str = ""
    reprice: tuple[str, str] | None = None


@dataclass(frozen=True)
class Example:
    """`rows` are (tax, base, amount); `off` what is taken off each line, `shipping_tax` and
    `shipping` (price, its rates; None: as the goods) of the delivery."""

    name: str
    source: Source
    arithmetic: str
    currency: str
    sold: tuple[Sold, ...]
    tax: tuple[str, ...]
    rows: tuple[tuple[str, str, str], ...]
    total: str
    included: bool = False
    rounding: str = "line"
    promotions: tuple[tuple[Effect, Selection, bool], ...] = ()
    off: tuple[str, ...] = ()
    shipping: tuple[str, tuple[Rate, ...] | None] | None = None
    shipping_tax: str = "0"
    quoted: bool = False
    unit_prices: tuple[str, ...] = field(default=())


def rate(name: str, percent: str, *, apart: bool = False) -> Rate:
    return Rate(name, Decimal(percent), apart)


ALL = Selection()


def only(fact: str) -> Selection:
    return Selection((frozenset({fact}),))


def amount_off(minor: int, items: Selection = ALL) -> tuple[Effect, Selection, bool]:
    return AmountOff(minor), items, False


def each_off(minor: int, items: Selection) -> tuple[Effect, Selection, bool]:
    return AmountOff(minor, "item"), items, False


def percent_off(percent: str, items: Selection = ALL, of: str = "items", listed: bool = False):
    return Percentage(Decimal(percent), of), items, listed
