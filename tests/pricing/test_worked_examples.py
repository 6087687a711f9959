"""What others have published comes out of the till, to the unit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.core.money import allocate, to_minor
from apps.pricing.engines import till
from apps.pricing.engines.till import Basket, Line, Shipping
from apps.promotions.engines.rules import Rule
from apps.shipping.engines.tables import Band, Table
from tests.pricing import worked_promotions, worked_taxes
from tests.pricing.worked_examples import Example

EXAMPLES = [*worked_taxes.EXAMPLES, *worked_promotions.EXAMPLES]


def _basket(example: Example) -> Basket:
    def minor(amount: str) -> int:
        return to_minor(amount, example.currency)

    lines = tuple(
        Line(
            key=str(place),
            sku=f"SKU-{place}",
            quantity=sold.pieces,
            unit_price=minor(sold.price),
            rates=sold.rates,
            facts=frozenset({sold.fact}),
            reprice=(Decimal(sold.reprice[0]), Decimal(sold.reprice[1])) if sold.reprice else None,
        )
        for place, sold in enumerate(example.sold)
    )
    shipping = None
    if example.shipping:
        price, rates = example.shipping
        shipping = Shipping(Table("post", "Post", (Band(minor(price)),)), rates)
    rules = tuple(
        Rule(f"r{number}", f"R{number}", effect, items, catalogue=listed)
        for number, (effect, items, listed) in enumerate(example.promotions)
    )
    return Basket(
        currency=example.currency,
        lines=lines,
        tax_included=example.included,
        tax_rounding=example.rounding,
        shipping=shipping,
        rules=rules,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_published_sum_comes_out_to_the_unit(example):
    def minor(*amounts: str) -> list[int]:
        return [to_minor(amount, example.currency) for amount in amounts]

    found = till.quote(_basket(example))
    assert [line.tax for line in found.lines] == minor(*example.tax)
    assert [line.discount for line in found.lines] == minor(
        *(example.off or ["0"] * len(found.lines))
    )
    assert [(row.name, row.base, row.amount) for row in found.taxes] == [
        (name, *minor(base, amount)) for name, base, amount in example.rows
    ]
    prices = example.unit_prices or [sold.price for sold in example.sold]
    assert [line.unit_price for line in found.lines] == minor(*prices)
    assert found.shipping == (minor(example.shipping[0])[0] if example.shipping else 0)
    shipping_tax = found.shipping_choice.tax if found.shipping_choice else 0
    assert [shipping_tax] == minor(example.shipping_tax)
    assert found.tax == sum(minor(*example.tax, example.shipping_tax))
    assert [found.total] == minor(example.total)


@pytest.mark.parametrize(
    ("source", "split"), worked_promotions.SPLITS, ids=lambda value: getattr(value, "title", "")
)
def test_a_published_split_comes_out_to_the_unit(source, split):
    total, weights, parts = split
    assert allocate(total, weights) == parts, source.address


def test_every_example_names_its_source_and_no_two_are_one():
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES) >= 40
    for example in EXAMPLES:
        source = example.source
        assert "" not in (source.title, source.publisher, example.arithmetic)
        assert source.address.startswith("http")
