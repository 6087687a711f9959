"""A quote in two, by arithmetic alone: whatever the till can answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apps.orders.services.combining import combined_quote
from apps.orders.services.dividing import divided_quote
from apps.pricing.engines import till
from tests.pricing.baskets import baskets

SUMS = ("subtotal", "discount", "shipping", "tax", "total", "weight")


def _rows(quote: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    choice = quote["shipping_choice"] or {"taxes": []}
    return [*(row for line in quote["lines"] for row in line["taxes"]), *choice["taxes"]]


def _adds_up(quote: Mapping[str, Any]) -> None:
    lines, choice = quote["lines"], quote["shipping_choice"] or {"tax": 0}
    for line in lines:
        goods = line["subtotal"] - line["discount"]
        assert line["subtotal"] == line["unit_price"] * line["quantity"]
        assert line["total"] == goods + (0 if quote["tax_included"] else line["tax"])
        assert line["tax"] == sum(row["amount"] for row in line["taxes"])
        base = goods - line["tax"] if quote["tax_included"] else goods
        assert {row["base"] for row in line["taxes"]} <= {base}
        assert min(goods, base, line["tax"], *(row["amount"] for row in line["taxes"]), 0) == 0
        off = [n for d in quote["discounts"] for key, n in d["lines"] if key == line["key"]]
        assert line["discount"] == sum(off)
    for name in ("subtotal", "discount"):
        assert quote[name] == sum(line[name] for line in lines)
    assert quote["tax"] == sum(line["tax"] for line in lines) + choice["tax"]
    added = 0 if quote["tax_included"] else quote["tax"]
    assert quote["total"] == quote["subtotal"] - quote["discount"] + quote["shipping"] + added
    for told in quote["taxes"]:
        same = [
            r for r in _rows(quote) if (r["name"], r["percent"]) == (told["name"], told["percent"])
        ]
        for name in ("base", "amount"):
            assert told[name] == sum(row[name] for row in same)


def _by(rows: list[Mapping[str, Any]], same: tuple[str, ...], name: str) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for row in rows:
        key = tuple(row[each] for each in same)
        found[key] = found.get(key, 0) + row[name]
    return {key: value for key, value in found.items() if value}


def _same(quote: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    assert {name: quote[name] for name in SUMS} == {name: other[name] for name in SUMS}
    for name in ("base", "amount"):
        taxes = [_by(each["taxes"], ("name", "percent"), name) for each in (quote, other)]
        assert taxes[0] == taxes[1]
    off = [
        _by(each["discounts"], ("code", "coupon", "target"), "amount") for each in (quote, other)
    ]
    assert off[0] == off[1]
    sold = [_by(each["lines"], ("sku", "unit_price"), "quantity") for each in (quote, other)]
    assert sold[0] == sold[1]


@settings(max_examples=400)
@given(data=st.data())
def test_every_amount_of_both_adds_up_to_what_it_was(data: st.DataObject) -> None:
    basket = data.draw(baskets())
    quote = till.quote(basket).as_json()
    assume(quote["lines"])
    weight = {line.key: line.weight for line in basket.lines}
    pieces = {
        index: n
        for index, line in enumerate(quote["lines"])
        if (n := data.draw(st.integers(0, 1 if line["quantity"] == 1 else line["quantity"])))
    }
    grams = sum(weight.get(quote["lines"][index]["key"], 0) * n for index, n in pieces.items())
    keys = {
        index: f"part-{index}"
        for index, n in pieces.items()
        if n < quote["lines"][index]["quantity"]
    }
    rest, part = divided_quote(quote, pieces, keys, grams)

    _adds_up(rest)
    _adds_up(part)
    assert part["shipping"] == 0
    _same(combined_quote(rest, part), quote)
