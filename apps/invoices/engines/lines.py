"""The arithmetic of invoices: what lines add up to, what is left of them, how a part is split.

A line is a dict as an invoice's `content["lines"]` has it: `n` (1, 2, …), `sku`, `name`,
`options`, `quantity`, `unit_price`, `discount`, `net` and `taxes`, each with `name`, `percent`
(text) and `amount`. Amounts are minor units. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from apps.core.money import allocate

Line = dict[str, Any]


def gross(line: Line) -> int:
    """What a line costs, with its taxes."""
    return int(line["net"]) + sum(tax["amount"] for tax in line["taxes"])


def sums(lines: Iterable[Line]) -> tuple[int, int]:
    """What lines cost without taxes, and their taxes."""
    net = tax = 0
    for line in lines:
        net += line["net"]
        tax += gross(line) - line["net"]
    return net, tax


def per_rate(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """One row for each tax: `name`, `percent`, the `net` it is on, the `tax`. What bears none is
    a row of 0 percent."""
    rows: dict[tuple[str, str], list[int]] = {}
    for line in lines:
        for tax in line["taxes"] or [{"name": "", "percent": "0", "amount": 0}]:
            row = rows.setdefault((tax["name"], tax["percent"]), [0, 0])
            row[0] += line["net"]
            row[1] += tax["amount"]
    return [
        {"name": name, "percent": percent, "net": net, "tax": tax}
        for (name, percent), (net, tax) in rows.items()
    ]


def remaining(lines: Sequence[Line], credited: Iterable[Line]) -> list[Line]:
    """What is left of an invoice's lines after its credit notes' lines (`credits`: which one)."""
    left = {line["n"]: [line["net"], *(tax["amount"] for tax in line["taxes"])] for line in lines}
    for line in credited:
        gone = [line["net"], *(tax["amount"] for tax in line["taxes"])]
        pairs = zip(left[line["credits"]], gone, strict=True)
        left[line["credits"]] = [have - off for have, off in pairs]
    return [_with(line, left[line["n"]]) for line in lines]


def share(lines: Sequence[Line], left: Sequence[Line], amount: int) -> list[Line]:
    """The lines of a credit note over `amount`, out of what is `left` of an invoice's `lines`.

    Every line, and in it what is without tax and each tax, gives in proportion to what is left of
    it, to the unit: a last credit note leaves nothing. A line that is credited whole is credited
    by its pieces, a part of one as such. `amount` is at most the gross of what is left.
    """
    parts = allocate(amount, [gross(line) for line in left])
    credit = []
    for line, rest, part in zip(lines, left, parts, strict=True):
        if not part:
            continue
        split = allocate(part, [rest["net"], *(tax["amount"] for tax in rest["taxes"])])
        note = {**_with(line, split), "n": len(credit) + 1, "credits": line["n"]}
        if part != gross(line):
            note |= {"quantity": 1, "unit_price": None, "discount": 0, "is_part": True}
        credit.append(note)
    return credit


def _with(line: Line, amounts: Sequence[int]) -> Line:
    """The line with other amounts: without tax, then each tax."""
    net, *taxes = amounts
    pairs = zip(line["taxes"], taxes, strict=True)
    return {**line, "net": net, "taxes": [{**tax, "amount": amount} for tax, amount in pairs]}
