"""The tax step of the till: rates in, whole amounts out, to the last minor unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.money import allocate, round_half_up

# A value in minor units, the rates it bears, and how many pieces it is.
Taxed = tuple[int, "tuple[Rate, ...]", int]


@dataclass(frozen=True, slots=True)
class Rate:
    """One tax on a line or on shipping, e.g. IVA 21 %.

    Rates that are `separate` are rounded each on its own (CGST and SGST, GST and PST); the others
    together, as the United States' state and local rates are (Streamlined Sales and Use Tax
    Agreement, section 324).
    """

    name: str
    percent: Decimal
    separate: bool = False


@dataclass(frozen=True, slots=True)
class TaxAmount:
    name: str
    percent: str
    # What the tax is on, without it.
    base: int
    amount: int


def taxes_of(
    items: Sequence[Taxed], *, included: bool, rounding: str
) -> list[tuple[TaxAmount, ...]]:
    """The taxes of each item, in order.

    Rounded half up: for "unit" once per piece, for "line" once per item, for "document" once per
    set of rates, and then split over its items by largest remainder, so that they still add up.
    """
    if rounding != "document":
        return [
            _amounts(value, rates, _rounded(value, rates, included, _pieces(rounding, n)), included)
            for value, rates, n in items
        ]
    result: list[tuple[TaxAmount, ...]] = [()] * len(items)
    groups: dict[tuple[Rate, ...], list[int]] = {}
    for index, (_value, rates, _n) in enumerate(items):
        groups.setdefault(rates, []).append(index)
    for rates, indexes in groups.items():
        values = [items[i][0] for i in indexes]
        per_rate = _split(_rounded(sum(values), rates, included, 1), values, included)
        for place, i in enumerate(indexes):
            result[i] = _amounts(items[i][0], rates, [p[place] for p in per_rate], included)
    return result


def split_pro_rata(value: int, items: Sequence[Taxed]) -> list[tuple[int, tuple[Rate, ...]]]:
    """`value` split over the sets of rates of the items, in proportion to what they are worth."""
    worth: dict[tuple[Rate, ...], int] = {}
    for amount, rates, _n in items:
        worth[rates] = worth.get(rates, 0) + amount
    if not worth:
        return [(value, ())]
    return list(zip(allocate(value, list(worth.values())), worth, strict=True))


def summary(taxes: Sequence[tuple[TaxAmount, ...]]) -> tuple[TaxAmount, ...]:
    """One row per tax over all of them, as an invoice shows it."""
    rows: dict[tuple[str, str], list[int]] = {}
    for amounts in taxes:
        for amount in amounts:
            row = rows.setdefault((amount.name, amount.percent), [0, 0])
            row[0] += amount.base
            row[1] += amount.amount
    return tuple(TaxAmount(name, percent, *row) for (name, percent), row in rows.items())


def without_tax(value: int, percent: Decimal) -> Decimal:
    """A price that contains a tax of `percent`, without it; not rounded."""
    return Decimal(value) * 100 / (100 + percent)


def _split(amounts: Sequence[int], values: Sequence[int], included: bool) -> list[list[int]]:
    """Each amount over the values; what a value contains is never more than it is."""
    room, per_amount = list(values), []
    for amount in amounts:
        parts = allocate(amount, room)
        per_amount.append(parts)
        if included:
            room = [left - part for left, part in zip(room, parts, strict=True)]
    return per_amount


def _pieces(rounding: str, pieces: int) -> int:
    return pieces if rounding == "unit" else 1


def _rounded(value: int, rates: tuple[Rate, ...], included: bool, pieces: int) -> list[int]:
    """The amount of each rate on `value`, which is that of `pieces` equal pieces."""
    whole = sum((rate.percent for rate in rates), Decimal(0))
    per = Decimal(100) + whole if included else Decimal(100)

    def on(percent: Decimal) -> int:
        return round_half_up(Decimal(value) * percent / (per * pieces)) * pieces

    together = [rate for rate in rates if not rate.separate]
    # Percentages have at most four decimals, so these weights are exact.
    weights = [int(rate.percent * 10_000) for rate in together]
    shared = on(sum((rate.percent for rate in together), Decimal(0))) if together else 0
    parts = iter(allocate(shared, weights)) if together else iter(())
    amounts = [on(rate.percent) if rate.separate else next(parts) for rate in rates]
    return _within(amounts, value) if included else amounts


def _within(amounts: list[int], value: int) -> list[int]:
    """Taxes rounded apart never hold more than the price that contains them."""
    room = value
    for i, amount in enumerate(amounts):
        amounts[i] = min(amount, room)
        room -= amounts[i]
    return amounts


def _amounts(
    value: int, rates: tuple[Rate, ...], amounts: Sequence[int], included: bool
) -> tuple[TaxAmount, ...]:
    base = value - sum(amounts) if included else value
    return tuple(
        TaxAmount(rate.name, _percent(rate.percent), base, amount)
        for rate, amount in zip(rates, amounts, strict=True)
    )


def _percent(value: Decimal) -> str:
    return format(value.normalize(), "f")
