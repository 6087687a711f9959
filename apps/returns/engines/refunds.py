"""What is given back for pieces of a sale. Pure: the sale's snapshot in, minor units out.

For all pieces returned so far: what the goods cost, less what the kept ones would have cost under
the promotions that applied to the sale; never more than was paid for the returned ones, never less
than nothing. A return gives the rise of that since the last one, so that the last piece settles
what earlier ones left open, and all of them together give back exactly what was paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.core.money import round_half_up
from apps.pricing.engines.quote import NOBODY
from apps.promotions.engines.evaluate import GiftStock, evaluate
from apps.promotions.engines.rules import Item, Rule

Pieces = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line as it was sold. `total` was paid for all its pieces, with tax; `net` without tax that
    was added; `percent` is the sum of its rates where tax is added, else 0."""

    pk: int
    sku: str
    quantity: int
    unit_price: int
    list_price: int
    net: int
    total: int
    percent: Decimal = Decimal(0)
    facts: frozenset[str] = frozenset()
    is_gift: bool = False


@dataclass(frozen=True, slots=True)
class Sale:
    """`rules` are the promotions that applied. With `rules` None nobody kept them: pieces are
    worth their share of what was paid."""

    lines: tuple[SoldLine, ...]
    rules: tuple[Rule, ...] | None


@dataclass(frozen=True, slots=True)
class Fee:
    """Of one line: a part of what was paid for its pieces, and an amount once."""

    percent: Decimal = Decimal(0)
    fixed: int = 0


def share(line: SoldLine, pieces: int) -> int:
    """What was paid for the first `pieces` of a line: all of them are the line's total."""
    return line.total * pieces // line.quantity


def paid_for(sale: Sale, pieces: Pieces) -> int:
    """What was paid for pieces (by line)."""
    return sum(share(line, pieces.get(line.pk, 0)) for line in sale.lines)


def cost_of(sale: Sale, kept: Pieces) -> int:
    """What the kept pieces would have cost, under the promotions that applied to the sale."""
    if sale.rules is None:
        return sum(line.total - share(line, line.quantity - kept[line.pk]) for line in sale.lines)
    wanted = [line for line in sale.lines if kept[line.pk] and not line.is_gift]
    gifts = [line for line in sale.lines if kept[line.pk] and line.is_gift]
    outcome = evaluate(
        items=[_item(line, kept[line.pk]) for line in wanted],
        # For whom and when they were was met at the sale.
        shopper=NOBODY,
        rules=sale.rules,
        gifts={line.sku: GiftStock(line.unit_price, line.quantity) for line in gifts},
    )
    cost = 0
    for index, line in enumerate(wanted):
        off = sum(applied.amounts[index] for applied in outcome.applied)
        cost += _with_tax(line, line.unit_price * kept[line.pk] - off, kept[line.pk])
    for line in gifts:
        free = sum(gift.quantity for gift in outcome.gifts if gift.sku == line.sku)
        cost += _with_tax(line, line.unit_price * max(0, kept[line.pk] - free), kept[line.pk])
    return cost


def _item(line: SoldLine, quantity: int) -> Item:
    return Item(str(line.pk), line.sku, quantity, line.unit_price, line.list_price, line.facts)


def _with_tax(line: SoldLine, net: int, kept: int) -> int:
    if kept == line.quantity and net == line.net:
        return line.total
    return net + round_half_up(net * line.percent / 100)


def for_goods(*, sale: Sale, before: Pieces, now: Pieces, faulty: Pieces, already: int) -> int:
    """What a return of `now` gives back for the goods, after returns of `before` that gave
    `already`.

    For `faulty` pieces (of `now`) it is never less than what was paid for them: a promotion that
    they break isn't the customer's doing.
    """
    after = _sum(before, now)
    kept = {line.pk: line.quantity - after.get(line.pk, 0) for line in sale.lines}
    paid = sum(line.total for line in sale.lines)
    due = min(paid - cost_of(sale, kept), paid_for(sale, after))
    least = paid_for(sale, _sum(before, faulty)) - paid_for(sale, before)
    return min(max(due - already, least, 0), paid_for(sale, after) - already)


def fee_for(*, sale: Sale, before: Pieces, now: Pieces, fees: Mapping[int, Fee], most: int) -> int:
    """The restocking fee of a return: at most `most`, what it gives back for the goods."""
    total = 0
    for line in sale.lines:
        fee, pieces = fees.get(line.pk), now.get(line.pk, 0)
        if fee is None or not pieces:
            continue
        first = before.get(line.pk, 0)
        worth = share(line, first + pieces) - share(line, first)
        total += min(worth, round_half_up(worth * fee.percent / 100) + fee.fixed)
    return min(total, most)


def _sum(one: Pieces, other: Pieces) -> dict[int, int]:
    return {pk: one.get(pk, 0) + other.get(pk, 0) for pk in {*one, *other}}
