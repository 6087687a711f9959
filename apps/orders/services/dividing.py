"""One quote as two, as JSON: every amount of theirs adds up to what it was, to the unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from apps.core.money import allocate

Row = dict[str, Any]
# A row and another one that were one.
Halves = tuple[Row, Row]

_SUMS = ("subtotal", "discount", "shipping", "tax", "total", "weight")
_LINE = ("quantity", "subtotal", "discount", "tax", "total")


def divided_quote(
    quote: Mapping[str, Any], pieces: Mapping[int, int], keys: Mapping[int, str], weight: int
) -> Halves:
    """What is left of a quote, and a quote of so many `pieces` of its lines, by their index.

    `keys` are the new keys of lines that stand in both; `weight` is that of the pieces, in grams.
    Shipping stays where it was: the other one's costs nothing. The rules that the quote was made
    by go: none of them would make a part of it.
    """
    halves = [
        divided_line(line, pieces.get(index, 0), included=quote["tax_included"])
        for index, line in enumerate(quote["lines"])
    ]
    renamed = {quote["lines"][index]["key"]: key for index, key in keys.items()}
    rest: Row = {name: value for name, value in quote.items() if name != "promotions"}
    part = {**rest, "trace": [], "hash": ""}
    rest |= {"lines": [row for row, _part in halves if row["quantity"]], "hash": ""}
    moved = {row["key"]: row["discount"] for _rest, row in halves if row["quantity"]}
    rest["discounts"], part["discounts"] = _discounts(quote["discounts"], moved, renamed)
    part_lines = [
        {**row, "key": renamed.get(row["key"], row["key"])}
        for _rest, row in halves
        if row["quantity"]
    ]
    part["lines"] = part_lines
    part["taxes"] = _taxes(part_lines)
    rest["taxes"] = _less(quote["taxes"], part["taxes"])
    part |= {name: sum(row[name] for row in part_lines) for name in _LINE if name != "quantity"}
    part |= {"shipping": 0, "weight": min(weight, quote["weight"])}
    rest |= {name: quote[name] - part[name] for name in _SUMS}
    if quote["shipping_choice"]:
        nothing = {"price": 0, "list_price": 0, "discount": 0, "tax": 0}
        part["shipping_choice"] = {
            **quote["shipping_choice"],
            **nothing,
            "taxes": [],
            "parcels": [],
        }
    return rest, part


def divided_line(line: Mapping[str, Any], taken: int, *, included: bool) -> Halves:
    """A quoted line without `taken` of its pieces, and these: they bear their share of the
    discount and of each tax, rounded down; what that leaves over stays."""
    value = line["subtotal"] - line["discount"]
    part: Row = {**line, "quantity": taken, "subtotal": line["unit_price"] * taken}
    part["discount"] = line["discount"] * taken // line["quantity"]
    part_value = part["subtotal"] - part["discount"]
    tax = line["tax"] * taken // line["quantity"]
    # A tax that prices contain is never more than the price it is in.
    part["tax"] = max(tax, line["tax"] - (value - part_value)) if included else tax
    part["total"] = part_value if included else part_value + part["tax"]
    rest: Row = {**line, **{name: line[name] - part[name] for name in _LINE}}
    rows = line["taxes"]
    amounts = allocate(part["tax"], [row["amount"] for row in rows]) if rows else []
    net = part_value - part["tax"] if included else part_value
    was = value - line["tax"] if included else value
    part["taxes"] = [
        {
            **row,
            "amount": amount,
            "base": net if row["base"] == was else row["base"] * taken // line["quantity"],
        }
        for row, amount in zip(rows, amounts, strict=True)
    ]
    rest["taxes"] = [_minus(row, other) for row, other in zip(rows, part["taxes"], strict=True)]
    return rest, part


def _discounts(
    rows: Sequence[Mapping[str, Any]], moved: Mapping[str, int], renamed: Mapping[str, str]
) -> tuple[list[Row], list[Row]]:
    """What each promotion took off, less what of it goes with the lines that are `moved` (their
    discount by key); and that."""
    gone: dict[tuple[int, str], int] = {}
    for key, discount in moved.items():
        shares = [
            (n, amount)
            for n, row in enumerate(rows)
            for name, amount in row["lines"]
            if name == key
        ]
        if sum(amount for _n, amount in shares):
            parts = allocate(discount, [amount for _n, amount in shares])
            gone |= {(n, key): part for (n, _amount), part in zip(shares, parts, strict=True)}
    rest, part = [], []
    for n, row in enumerate(rows):
        goes = {key: gone[n, key] for key, _amount in row["lines"] if gone.get((n, key))}
        stays = [[key, amount - goes.get(key, 0)] for key, amount in row["lines"]]
        left = row["amount"] - sum(goes.values())
        if left or not goes:
            stays = [[key, amount] for key, amount in stays if amount or key not in moved]
            rest.append({**row, "amount": left, "lines": stays})
        if goes:
            lines = [[renamed.get(key, key), amount] for key, amount in goes.items()]
            part.append({**row, "amount": sum(goes.values()), "lines": lines})
    return rest, part


def _taxes(lines: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The taxes of `lines` by name and rate."""
    found: dict[tuple[str, str], Row] = {}
    for row in (tax for line in lines for tax in line["taxes"]):
        known = found.setdefault(_rate(row), {**row, "base": 0, "amount": 0})
        known["base"] += row["base"]
        known["amount"] += row["amount"]
    return list(found.values())


def _less(rows: Sequence[Mapping[str, Any]], parts: Sequence[Mapping[str, Any]]) -> list[Row]:
    taken = {_rate(row): row for row in parts}
    left = [_minus(row, taken.get(_rate(row), {"base": 0, "amount": 0})) for row in rows]
    # A rate that nothing is left of goes.
    return [row for row in left if row["base"] or row["amount"] or _rate(row) not in taken]


def _rate(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["name"], row["percent"]


def _minus(row: Mapping[str, Any], other: Mapping[str, Any]) -> Row:
    return {**row, **{name: row[name] - other[name] for name in ("base", "amount")}}
