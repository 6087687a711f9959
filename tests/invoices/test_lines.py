"""The arithmetic of credit notes: parts of lines always add up to what was given back."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.invoices.engines.lines import gross, per_rate, remaining, share, sums

EXAMPLES = int(os.environ.get("INVOICE_EXAMPLES", "100"))


def line(n: int, net: int, *taxes: tuple[str, int], quantity: int = 1) -> dict[str, Any]:
    return {
        "n": n,
        "sku": f"SKU-{n}",
        "name": f"Thing {n}",
        "options": {},
        "quantity": quantity,
        "unit_price": net,
        "discount": 0,
        "net": net,
        "taxes": [{"name": f"VAT {p}", "percent": p, "amount": amount} for p, amount in taxes],
    }


def test_part_is_split_by_what_lines_cost_and_in_them_by_rate():
    lines = [line(1, 1000, ("21", 210)), line(2, 500, ("4", 20)), line(3, 300)]
    # 1210 + 520 + 300 = 2030; half of it.
    credit = share(lines, lines, 1015)
    assert [(each["credits"], each["net"], gross(each)) for each in credit] == [
        (1, 500, 605),
        (2, 250, 260),
        (3, 150, 150),
    ]
    assert {each["quantity"] for each in credit} == {1}
    assert sums(credit) == (900, 115)
    assert per_rate(credit) == [
        {"name": "VAT 21", "percent": "21", "net": 500, "tax": 105},
        {"name": "VAT 4", "percent": "4", "net": 250, "tax": 10},
        {"name": "", "percent": "0", "net": 150, "tax": 0},
    ]


def test_whole_line_is_credited_by_its_pieces():
    lines = [line(1, 1000, ("21", 210), quantity=3)]
    [credit] = share(lines, lines, 1210)
    assert (credit["quantity"], credit["unit_price"], credit["net"]) == (3, 1000, 1000)


def test_free_lines_are_in_no_credit_note():
    lines = [line(1, 1000, ("21", 210)), line(2, 0, ("21", 0)), line(3, 0)]
    assert [each["credits"] for each in share(lines, lines, 1210)] == [1]


@st.composite
def invoices(draw: Any) -> list[dict[str, Any]]:
    amounts = st.integers(0, 100_000)
    taxes = st.lists(st.tuples(st.sampled_from(["21", "4", "9.975"]), amounts), max_size=2)
    parts = draw(st.lists(st.tuples(amounts, taxes), min_size=1, max_size=6))
    return [line(n, net, *taxes) for n, (net, taxes) in enumerate(parts, 1)]


@settings(max_examples=EXAMPLES)
@given(invoices(), st.lists(st.integers(1, 150_000), max_size=5))
def test_credit_notes_take_off_what_they_say_and_leave_nothing_at_the_end(lines, refunds):
    credited: list[dict[str, Any]] = []
    whole = sum(map(gross, lines))
    left_over = whole
    for wanted in [*refunds, whole]:
        amount = min(wanted, left_over)
        credit = share(lines, remaining(lines, credited), amount)
        assert sum(sums(credit)) == amount
        assert all(each["net"] >= 0 for each in credit)
        assert all(tax["amount"] >= 0 for each in credit for tax in each["taxes"])
        credited += credit
        left_over -= amount
        left = remaining(lines, credited)
        assert all(each["net"] >= 0 for each in left)
        assert all(tax["amount"] >= 0 for each in left for tax in each["taxes"])
        assert sum(map(gross, left)) == left_over
    assert left_over == 0
    assert [gross(each) for each in remaining(lines, credited)] == [0] * len(lines)
