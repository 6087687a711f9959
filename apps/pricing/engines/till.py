"""The only sum in the house: a basket as plain data in, a quote out.

Pure and deterministic: no database, no clock, no settings. The steps are a fixed sequence:
unit prices → discounts → shipping → taxes → totals. Amounts are minor units of one currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from apps.core.money import exponent, round_half_up
from apps.pricing.engines.quote import (
    ENGINE_VERSION,
    Agreed,
    Basket,
    Line,
    Quote,
    QuoteDiscount,
    QuoteLine,
    QuoteParcel,
    QuoteShipping,
    Shipping,
    Step,
)
from apps.pricing.engines.taxes import (
    Rate,
    TaxAmount,
    split_pro_rata,
    summary,
    taxes_of,
    without_tax,
)
from apps.promotions.engines.evaluate import (
    Delivery,
    GiftStock,
    Outcome,
    evaluate,
    reduced_price,
)
from apps.promotions.engines.rules import Item
from apps.shipping.engines.tables import NoShippingRate, Parcel, cost

__all__ = [
    "ENGINE_VERSION",
    "Agreed",
    "Basket",
    "Line",
    "NoShippingRate",
    "Quote",
    "QuoteDiscount",
    "QuoteLine",
    "QuoteParcel",
    "QuoteShipping",
    "Rate",
    "Shipping",
    "Step",
    "TaxAmount",
    "parcel_of",
    "quote",
    "repriced",
]


def quote(basket: Basket) -> Quote:
    """Sum a basket up. Raises NoShippingRate, and MoneyError for an unknown currency."""
    exponent(basket.currency)
    priced = _priced(basket)
    lines = [entry.line for entry in priced]
    method = basket.shipping if any(line.requires_shipping for line in lines) else None
    outcome = _promote(basket, priced, method)
    lines, discounts = _with_gifts(basket, lines, outcome)
    off = _per_line(lines, discounts)
    goods = [line.unit_price * line.quantity - less for line, less in zip(lines, off, strict=True)]
    # A gift that is sent along costs no shipping.
    wanted = [entry.line for entry in priced]
    shipping_price = _shipping_price(wanted, method, sum(goods))
    shipping_off = sum(d.amount for d in discounts if d.target == "shipping")
    taxes, shipping_taxes = _tax(basket, lines, goods, method, shipping_price - shipping_off)
    # What a gift would cost is no price of a list: it comes after the lines that were wanted.
    priced += [_Priced(x, x.unit_price, x.unit_price) for x in lines[len(priced) :]]
    quoted = tuple(_quote_line(basket, entry, off[i], taxes[i]) for i, entry in enumerate(priced))
    choice = None
    if method:
        choice = QuoteShipping(
            method.table.code,
            method.table.name,
            shipping_price - shipping_off,
            shipping_price,
            shipping_off,
            sum(t.amount for t in shipping_taxes),
            shipping_taxes,
            _parcels(method, sum(goods)),
        )
    return _total(basket, quoted, choice, discounts, outcome, lines)


def _total(
    basket: Basket,
    lines: tuple[QuoteLine, ...],
    choice: QuoteShipping | None,
    discounts: tuple[QuoteDiscount, ...],
    outcome: Outcome,
    wanted: Sequence[Line],
) -> Quote:
    subtotal, discount = sum(x.subtotal for x in lines), sum(x.discount for x in lines)
    shipping = choice.price if choice else 0
    tax = sum(x.tax for x in lines) + (choice.tax if choice else 0)
    total = subtotal - discount + shipping + (0 if basket.tax_included else tax)
    amounts = [line.taxes for line in lines] + ([choice.taxes] if choice else [])
    return Quote(
        currency=basket.currency,
        tax_included=basket.tax_included,
        lines=lines,
        shipping_choice=choice,
        subtotal=subtotal,
        discount=discount,
        shipping=shipping,
        tax=tax,
        total=total,
        taxes=summary(amounts),
        weight=parcel_of(wanted).weight,
        requires_shipping=any(line.requires_shipping for line in wanted),
        discounts=discounts,
        trace=_trace(basket, lines, choice, outcome),
        **_promoted(basket, outcome, wanted),
    )


def _promoted(basket: Basket, outcome: Outcome, lines: Sequence[Line]) -> dict[str, Any]:
    """The rules that gave something in the cart, and what they chose the lines by."""
    gave = {(v.code, v.coupon) for v in outcome.verdicts if v.reason == "applied"}
    found = [rule for rule in basket.rules if (rule.code, rule.coupon) in gave]
    rules = tuple(sorted(found, key=lambda rule: (rule.code, rule.coupon)))
    facts = tuple((line.key, line.facts) for line in lines) if rules else ()
    return {"promoted": rules, "facts": facts}


def _trace(
    basket: Basket,
    lines: tuple[QuoteLine, ...],
    choice: QuoteShipping | None,
    outcome: Outcome,
) -> tuple[Step, ...]:
    steps = list(basket.notes)
    steps += [
        Step("catalogue_price", {"line": x.key, "promotion": x.promotion, "from": x.list_price})
        for x in lines
        if x.promotion
    ]
    steps += [
        Step(
            "promotion",
            {
                "code": verdict.code,
                "name": verdict.name,
                "coupon": verdict.coupon,
                "reason": verdict.reason,
                "amount": verdict.amount,
                "facts": verdict.facts,
            },
        )
        for verdict in outcome.verdicts
    ]
    if choice:
        facts: dict[str, Any] = {
            "method": choice.code,
            "price": choice.list_price,
            "discount": choice.discount,
        }
        if choice.parcels:
            facts["parcels"] = [asdict(parcel) for parcel in choice.parcels]
        steps.append(Step("shipping", facts))
    taxed: list[tuple[str, tuple[TaxAmount, ...]]] = [(x.key, x.taxes) for x in lines]
    if choice:
        taxed.append(("shipping", choice.taxes))
    steps += [
        Step("tax", {"on": key, "rounding": basket.tax_rounding, **asdict(amount)})
        for key, amounts in taxed
        for amount in amounts
    ]
    return tuple(steps)


def repriced(amount: int, home: Decimal, due: Decimal) -> int:
    """A price that contains `home` percent of tax, as one that contains `due` percent.

    The price without tax stays the same; rounded half up, once.
    """
    return round_half_up(without_tax(amount, home) * (100 + due) / 100)


def parcel_of(lines: Sequence[Line], goods: int = 0) -> Parcel:
    """What has to be sent of the lines."""
    sent = [line for line in lines if line.requires_shipping]
    return Parcel(
        weight=sum(line.weight * line.quantity for line in sent),
        goods=goods,
        pieces=sum(line.quantity for line in sent),
        volume=sum(line.volume * line.quantity for line in sent),
    )


def _shipping_price(lines: Sequence[Line], method: Shipping | None, goods: int) -> int:
    if method is None:
        return 0
    if method.parts:
        price = sum(parcel.price for parcel in _parcels(method, goods))
    else:
        price = cost(method.table, parcel_of(lines, goods))
    return repriced(price, *method.reprice) if method.reprice else price


def _parcels(method: Shipping, goods: int) -> tuple[QuoteParcel, ...]:
    """Each location's parcel; what the whole order is worth counts for all of them."""
    return tuple(
        QuoteParcel(
            part.location,
            part.parcel.pieces,
            part.parcel.weight,
            cost(table, replace(part.parcel, goods=goods)),
        )
        for part, table in method.parts
    )


@dataclass(frozen=True, slots=True)
class _Priced:
    """A line at its unit price, with the prices it came from."""

    line: Line
    list_price: int
    shelf_price: int
    promotion: str = ""


def _priced(basket: Basket) -> list[_Priced]:
    """The lines at their catalogue prices, and then at those that count at this place."""
    rules = [rule for rule in basket.rules if rule.catalogue]
    priced = []
    for line in basket.lines:
        if agreed := line.agreed:
            kept = replace(line, unit_price=agreed.unit_price)
            entry = _Priced(kept, agreed.list_price, agreed.shelf_price, agreed.promotion)
            priced.append(entry)
            continue
        price, rule = line.unit_price, None
        if rules:
            item = _item(line, line.unit_price)
            price, rule = reduced_price(item=item, shopper=basket.shopper, rules=rules)
        before, unit = line.unit_price, price
        if line.reprice:
            before, unit = repriced(before, *line.reprice), repriced(price, *line.reprice)
        code = rule.code if rule else ""
        priced.append(_Priced(replace(line, unit_price=unit), before, price, code))
    return priced


def _item(line: Line, list_price: int) -> Item:
    return Item(line.key, line.sku, line.quantity, line.unit_price, list_price, line.facts)


def _promote(basket: Basket, priced: list[_Priced], method: Shipping | None) -> Outcome:
    if not basket.rules:
        return Outcome()
    lines = [entry.line for entry in priced]
    delivery = None
    if method is not None:
        delivery = Delivery(method.table.code, lambda goods: _shipping_price(lines, method, goods))
    return evaluate(
        items=[_item(entry.line, entry.list_price) for entry in priced],
        shopper=basket.shopper,
        rules=basket.rules,
        delivery=delivery,
        gifts={
            sku: GiftStock(_gift_price(line), available)
            for sku, (line, available) in basket.gifts.items()
            # What isn't shipped at all isn't shipped for a gift.
            if method is not None or not line.requires_shipping
        },
    )


def _with_gifts(
    basket: Basket, lines: list[Line], outcome: Outcome
) -> tuple[list[Line], tuple[QuoteDiscount, ...]]:
    """The lines with the gifts among them, and what each promotion took off which line."""
    keys = [line.key for line in lines]
    discounts = []
    for applied in outcome.applied:
        parts = tuple((key, off) for key, off in zip(keys, applied.amounts, strict=True) if off)
        target = "shipping" if applied.shipping else "items"
        discounts.append(
            QuoteDiscount(applied.code, applied.coupon, applied.name, target, applied.amount, parts)
        )
    names = {verdict.code: verdict for verdict in outcome.verdicts}
    result = [*lines, *(line for line, _discount in basket.given)]
    discounts += [discount for _line, discount in basket.given]
    for gift in outcome.gifts:
        line = basket.gifts[gift.sku][0]
        key, price = f"gift:{gift.code}", _gift_price(line)
        worth = price * gift.quantity
        given = names[gift.code]
        result.append(replace(line, key=key, quantity=gift.quantity, unit_price=price))
        discounts.append(
            QuoteDiscount(gift.code, given.coupon, given.name, "gift", worth, ((key, worth),))
        )
    return result, tuple(discounts)


def _gift_price(line: Line) -> int:
    return repriced(line.unit_price, *line.reprice) if line.reprice else line.unit_price


def _per_line(lines: Sequence[Line], discounts: Sequence[QuoteDiscount]) -> list[int]:
    off = dict.fromkeys((line.key for line in lines), 0)
    for discount in discounts:
        for key, amount in discount.lines:
            off[key] += amount
    return [off[line.key] for line in lines]


def _tax(
    basket: Basket,
    lines: Sequence[Line],
    goods: Sequence[int],
    method: Shipping | None,
    shipping: int,
) -> tuple[list[tuple[TaxAmount, ...]], tuple[TaxAmount, ...]]:
    """The taxes of each line, and those of shipping."""
    items = [(value, line.rates, line.quantity) for value, line in zip(goods, lines, strict=True)]
    parts: list[tuple[int, tuple[Rate, ...], int]] = []
    if method and method.rates is not None:
        parts = [(shipping, method.rates, 1)]
    elif method:
        parts = [(value, rates, 1) for value, rates in split_pro_rata(shipping, items)]
    taxes = taxes_of([*items, *parts], included=basket.tax_included, rounding=basket.tax_rounding)
    return taxes[: len(items)], summary(taxes[len(items) :])


def _quote_line(
    basket: Basket, priced: _Priced, discount: int, taxes: tuple[TaxAmount, ...]
) -> QuoteLine:
    line = priced.line
    subtotal = line.unit_price * line.quantity
    tax = sum(amount.amount for amount in taxes)
    return QuoteLine(
        key=line.key,
        sku=line.sku,
        quantity=line.quantity,
        unit_price=line.unit_price,
        list_price=priced.list_price,
        shelf_price=priced.shelf_price,
        subtotal=subtotal,
        discount=discount,
        tax=tax,
        total=subtotal - discount + (0 if basket.tax_included else tax),
        taxes=taxes,
        promotion=priced.promotion,
        is_gift=line.key.startswith("gift:"),
    )
