"""The till: worked examples whose results are known, and what holds for every basket."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.money import MoneyError, exponent
from apps.pricing.engines import till
from apps.pricing.engines.till import Basket, Line, NoShippingRate, Rate, Shipping
from apps.shipping.engines.tables import Band, Table

IVA = Rate("IVA 21 %", Decimal("21"))
REDUCED = Rate("IVA 10 %", Decimal("10"))


def line(unit_price, quantity=1, rates=(IVA,), **kwargs):
    return Line(f"k{unit_price}", "SKU", quantity, unit_price, rates, **kwargs)


def quote(*lines, included=True, currency="EUR", **kwargs):
    keyed = tuple(
        Line(str(i), li.sku, li.quantity, li.unit_price, li.rates, li.weight, li.requires_shipping)
        for i, li in enumerate(lines)
    )
    return till.quote(Basket(currency, keyed, included, **kwargs))


def test_included_tax_is_taken_out_of_the_price():
    # 29.97 / 1.21 = 24.7686 → base 24.77, tax 5.20.
    found = quote(line(999, 3))
    assert (found.subtotal, found.tax, found.total) == (2997, 520, 2997)
    assert found.lines[0].taxes == (till.TaxAmount("IVA 21 %", "21", 2477, 520),)
    assert found.lines[0].total == 2997


def test_excluded_tax_is_added():
    # 29.97 x 0.21 = 6.2937.
    found = quote(line(999, 3), included=False)
    assert (found.subtotal, found.tax, found.total) == (2997, 629, 3626)
    assert found.lines[0].taxes == (till.TaxAmount("IVA 21 %", "21", 2997, 629),)
    assert found.lines[0].total == 3626


def test_halves_are_rounded_up():
    # 0.50 x 0.21 = 0.105.
    assert quote(line(50), included=False).tax == 11


def test_rounding_by_line_and_by_document_differ():
    # 0.99 x 21 % = 0.2079 a line: 0.21 three times, or 0.6237 together.
    lines = [line(99)] * 3
    by_line = quote(*lines, included=False)
    document = quote(*lines, included=False, tax_rounding="document")
    assert (by_line.tax, document.tax) == (63, 62)
    assert [li.tax for li in document.lines] == [21, 21, 20]
    assert document.total == 297 + 62


def test_rates_are_shown_once_each_over_the_document():
    found = quote(line(1210), line(1100, rates=(REDUCED,)), line(2420))
    assert found.taxes == (
        till.TaxAmount("IVA 21 %", "21", 3000, 630),
        till.TaxAmount("IVA 10 %", "10", 1000, 100),
    )


def test_two_taxes_on_one_line_share_its_tax():
    # Canada: GST 5 % and QST 9.975 % on 100.00 are 14.975, rounded once.
    rates = (Rate("GST", Decimal("5")), Rate("QST", Decimal("9.975")))
    found = quote(line(10000, rates=rates), included=False, currency="CAD")
    assert found.tax == 1498
    assert [(t.name, t.percent, t.amount) for t in found.taxes] == [
        ("GST", "5", 500),
        ("QST", "9.975", 998),
    ]


def test_without_rates_nothing_is_taxed():
    found = quote(line(1000, rates=()), included=False)
    assert (found.tax, found.total, found.taxes) == (0, 1000, ())


@pytest.mark.parametrize(
    ("currency", "price", "tax"), [("JPY", 1100, 100), ("EUR", 1100, 100), ("KWD", 1100, 100)]
)
def test_minor_units_are_those_of_the_currency(currency, price, tax):
    assert quote(line(price, rates=(REDUCED,)), currency=currency).tax == tax


def test_an_unknown_currency_is_refused():
    with pytest.raises(MoneyError):
        quote(line(1), currency="EEK")


def _table(**kwargs):
    bands = (Band(495, 0, 2000, free_above=5000), Band(995, 2000, 10_000))
    return Shipping(Table("standard", "Standard", bands), **kwargs)


def test_shipping_is_taxed_at_its_own_rates():
    found = quote(line(1210), shipping=_table(rates=(IVA,)))
    assert (found.shipping, found.total) == (495, 1705)
    assert found.shipping_choice.tax == 86
    assert found.tax == 210 + 86
    excluded = quote(line(1000), included=False, shipping=_table(rates=(IVA,)))
    assert excluded.total == 1000 + 210 + 495 + 104


@pytest.mark.parametrize(
    ("grams", "price"), [(0, 495), (1999, 495), (2000, 995), (9999, 995), (10_000, None)]
)
def test_shipping_goes_by_weight(grams, price):
    items = line(100, weight=grams)
    if price is None:
        with pytest.raises(NoShippingRate):
            quote(items, shipping=_table())
    else:
        assert quote(items, shipping=_table()).shipping == price


def test_shipping_is_free_from_a_value_of_goods():
    assert quote(line(4999), shipping=_table()).shipping == 495
    assert quote(line(5000), shipping=_table()).shipping == 0
    # The second band has no such value.
    assert quote(line(5000, weight=2000), shipping=_table()).shipping == 995


def test_only_what_is_shipped_weighs():
    found = quote(
        line(100, weight=500), line(100, weight=9000, requires_shipping=False), shipping=_table()
    )
    assert (found.weight, found.shipping) == (500, 495)


def test_a_basket_that_is_not_shipped_has_no_shipping():
    found = quote(line(100, requires_shipping=False), shipping=_table())
    assert (found.requires_shipping, found.shipping_choice, found.total) == (False, None, 100)


def test_an_empty_basket_costs_nothing():
    found = quote()
    assert (found.total, found.lines, found.requires_shipping) == (0, (), False)


def test_the_hash_is_of_everything_in_the_quote():
    first = quote(line(1000))
    assert first.hash == quote(line(1000)).hash == first.as_json()["hash"]
    assert first.hash != quote(line(1001)).hash
    assert first.hash != quote(line(1000), included=False).hash
    assert first.hash != quote(line(1000), currency="USD").hash


RATES = st.lists(
    st.builds(
        Rate,
        st.sampled_from(["A", "B", "C", "D", "E"]),
        st.decimals(0, 100, places=4, allow_nan=False, allow_infinity=False),
    ),
    max_size=5,
    unique_by=lambda rate: rate.name,
).map(tuple)


@st.composite
def baskets(draw):
    """Up to 12 lines that share a few sets of rates, as tax classes do."""
    sets = draw(st.lists(RATES, min_size=1, max_size=3))
    lines = tuple(
        Line(
            str(number),
            f"SKU-{number}",
            draw(st.integers(1, 1000)),
            draw(st.integers(0, 10**7)),
            draw(st.sampled_from(sets)),
            draw(st.integers(0, 5000)),
            draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 12)))
    )
    shipping = None
    if draw(st.booleans()):
        free_above = draw(st.none() | st.integers(0, 10**8))
        band = Band(draw(st.integers(0, 10**5)), free_above=free_above)
        shipping = Shipping(Table("s", "S", (band,)), draw(st.sampled_from(sets)))
    return Basket(
        currency=draw(st.sampled_from(["JPY", "EUR", "KWD"])),
        lines=lines,
        tax_included=draw(st.booleans()),
        tax_rounding=draw(st.sampled_from(["line", "document"])),
        shipping=shipping,
    )


@settings(max_examples=400)
@given(baskets())
def test_parts_add_up_to_the_total_to_the_unit(basket):
    found = till.quote(basket)
    shipping_tax = found.shipping_choice.tax if found.shipping_choice else 0
    assert found.subtotal == sum(li.subtotal for li in found.lines)
    assert found.discount == sum(li.discount for li in found.lines)
    assert found.tax == sum(li.tax for li in found.lines) + shipping_tax
    assert found.tax == sum(t.amount for t in found.taxes)
    added = 0 if basket.tax_included else found.tax
    assert found.total == found.subtotal - found.discount + found.shipping + added
    shipped = found.shipping + (0 if basket.tax_included else shipping_tax)
    assert found.total == sum(li.total for li in found.lines) + shipped
    for li in found.lines:
        assert li.subtotal == li.unit_price * li.quantity
        assert li.tax == sum(t.amount for t in li.taxes)
        if basket.tax_included and li.taxes:
            assert {t.base + li.tax for t in li.taxes} == {li.total}


@settings(max_examples=400)
@given(baskets())
def test_nothing_is_ever_negative_or_fractional(basket):
    found = till.quote(basket)
    amounts = [found.subtotal, found.discount, found.shipping, found.tax, found.total]
    for li in found.lines:
        amounts += [li.subtotal, li.discount, li.tax, li.total]
        amounts += [part for t in li.taxes for part in (t.base, t.amount)]
    assert all(type(amount) is int and amount >= 0 for amount in amounts)
    assert exponent(found.currency) in (0, 2, 3)


@settings(max_examples=200)
@given(baskets())
def test_line_rounding_is_at_most_half_a_unit_off(basket):
    found = till.quote(basket)
    off = Decimal(0)
    for li, asked in zip(found.lines, basket.lines, strict=True):
        percent = sum((rate.percent for rate in asked.rates), Decimal(0))
        per = 100 + percent if basket.tax_included else Decimal(100)
        exact = Decimal(li.subtotal) * percent / per
        off += li.tax - exact
        if basket.tax_rounding == "line":
            assert abs(li.tax - exact) <= Decimal("0.5")
        else:
            assert abs(li.tax - exact) < 2
    if basket.tax_rounding == "document" and basket.shipping is None:
        sets = {asked.rates for asked in basket.lines}
        assert abs(off) <= Decimal("0.5") * len(sets)


@settings(max_examples=100)
@given(baskets())
def test_the_same_basket_has_the_same_hash(basket):
    copy = Basket(
        basket.currency,
        tuple(basket.lines),
        basket.tax_included,
        basket.tax_rounding,
        basket.shipping,
    )
    assert till.quote(basket).hash == till.quote(copy).hash
    assert till.quote(basket).as_json() == till.quote(copy).as_json()
