"""From rows to the till: gathers prices, promotions, shipping tables and taxes, and asks for
the sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.customers.selectors import segments_of
from apps.inventory.selectors import availability
from apps.pricing.engines import till
from apps.pricing.selectors import ResolvedPrice, prices_for
from apps.pricing.services.lines import GivenGift, Item, Lines, Situation, rates_of
from apps.pricing.services.parcels import methods_for, parts_for, shipping_by
from apps.products.models import Variant
from apps.promotions.engines.rules import FreeGift, Rule, Shopper
from apps.promotions.selectors import Offered, offered
from apps.promotions.services import Use
from apps.shipping.engines.tables import Table
from apps.shipping.selectors import Estimate, estimate_for
from apps.taxes.selectors import TaxAnswer, decide


class ShippingUnavailable(Conflict):
    code = "shipping_unavailable"
    message = _("This shipping method doesn't serve the address.")


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order keeps of its sale when it is quoted again.

    `reference` is the order whose redemptions are its own; `shipping_price` what the method costs
    before promotions (None: as its table says now). Gifts given stay, new ones aren't added.
    """

    reference: str
    shipping_name: str = ""
    shipping_price: int | None = None
    gifts: tuple[GivenGift, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A shipping method with its price for this basket, in minor units."""

    code: str
    name: str
    price: int
    min_days: int
    max_days: int
    kind: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Quotation:
    """The till's answer. `unpriced` are the keys of items that have no price here, left out.

    `gifts` are the variants of lines that promotions added, by key; `uses` what the order will
    redeem; `unknown_codes` are typed codes that name nothing usable.
    """

    quote: till.Quote
    basket: till.Basket
    prices: Mapping[int, ResolvedPrice]
    unpriced: tuple[str, ...]
    # The chosen method doesn't serve the address (any more): the quote is without shipping.
    shipping_unavailable: bool
    gifts: Mapping[str, Variant]
    uses: tuple[Use, ...]
    unknown_codes: tuple[str, ...]
    tax: TaxAnswer
    items: tuple[Item, ...]

    @property
    def exchange_rates(self) -> list[dict[str, str]]:
        """The rates that made prices of the basket, for the order to keep."""
        used = {price.rate for price in self.prices.values() if price.rate is not None}
        return [
            {
                "base": rate.base,
                "currency": rate.currency,
                "value": str(rate.value),
                "date": rate.date.isoformat(),
            }
            for rate in sorted(used, key=lambda rate: rate.base)
        ]

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        """What became of each promotion: code, name, coupon, reason, amount, facts."""
        return [step.facts for step in self.quote.trace if step.step == "promotion"]


def quote_items(
    *,
    situation: Situation,
    items: Sequence[Item],
    shipping_method: str = "",
    explain: bool = False,
    amend: Callable[[Offered], Offered] = lambda offered: offered,
    terms: Terms | None = None,
) -> Quotation:
    """Price a basket with the store's own rules. Never raises for what a shopper may fix.

    `amend` changes what is offered: for a look at a promotion that isn't saved. `terms` are those
    of an order that is quoted again.
    The number of queries depends neither on the basket nor on the catalogue or the promotions.
    """
    promotions = amend(_offered(situation, terms, explain))
    given = terms.gifts if terms else ()
    gifts = _gift_variants(promotions.rules)
    prices = prices_for(
        store=situation.store,
        currency=situation.currency,
        variant_ids=[item.variant.pk for item in items] + [variant.pk for variant in gifts],
        group_id=situation.group_id,
        at=situation.at,
    )
    tax = decide(situation.tax_question)
    everything = [*items, *(gift.item for gift in given)]
    lines = Lines(situation, prices, tax, promotions.rules, everything, gifts)
    priced = tuple(item for item in items if item.agreed or item.variant.pk in prices)
    basket = till.Basket(
        currency=situation.currency,
        lines=tuple(lines.of(item) for item in priced),
        tax_included=situation.store.prices_include_tax,
        tax_rounding=situation.store.tax_rounding,
        rules=promotions.rules,
        shopper=_shopper(situation, promotions.rules),
        gifts=_gift_lines(situation, items, gifts, lines),
        notes=tuple(till.Step(name, facts) for name, facts in tax.steps),
        given=tuple(lines.given(gift) for gift in given),
    )
    quote, lost = (
        _quoted(situation, basket, tax, shipping_method, priced)
        if terms is None or terms.shipping_price is None
        else (_agreed(situation, basket, tax, shipping_method, terms), False)
    )
    return Quotation(
        quote=quote,
        basket=basket,
        prices=prices,
        unpriced=tuple(item.key for item in items if item not in priced),
        shipping_unavailable=lost,
        gifts={f"gift:{d.code}": v for d in quote.discounts for v in _given(d, quote, gifts)},
        uses=_uses(quote, promotions),
        unknown_codes=promotions.unknown,
        tax=tax,
        items=priced,
    )


def _offered(situation: Situation, terms: Terms | None, explain: bool) -> Offered:
    """The promotions; of an order that is quoted again, without gifts."""
    found = offered(
        store=situation.store,
        currency=situation.currency,
        at=situation.at,
        codes=situation.codes,
        customer_key=situation.customer_key,
        explain=explain,
        reference=terms.reference if terms else "",
    )
    if terms is None:
        return found
    kept = tuple(rule for rule in found.rules if not isinstance(rule.effect, FreeGift))
    return replace(found, rules=kept)


def shipping_offers(*, situation: Situation, quotation: Quotation) -> list[Offer]:
    """Every method that serves the address, with its price for a quoted basket.

    Prices are as the store shows them: with tax where its prices include tax, less what
    promotions take off.
    """
    offers: list[Offer] = []
    if not quotation.quote.requires_shipping or not situation.address.get("country"):
        return offers
    methods = methods_for(situation)
    parts = parts_for(methods, situation, quotation.items)
    for method in methods:
        try:
            shipping = shipping_by(method, situation, quotation.basket, quotation.tax, parts)
            price = till.quote(replace(quotation.basket, shipping=shipping)).shipping
        except till.NoShippingRate:
            continue
        offers.append(
            Offer(
                method.code,
                method.name,
                price,
                method.min_days,
                method.max_days,
                method.kind,
                estimate_for(method, situation.at),
            )
        )
    return offers


def _quoted(
    situation: Situation,
    basket: till.Basket,
    tax: TaxAnswer,
    shipping_method: str,
    items: Sequence[Item],
) -> tuple[till.Quote, bool]:
    """The quote, and whether the chosen method was lost."""
    if not shipping_method or not any(line.requires_shipping for line in basket.lines):
        return till.quote(basket), False
    method = next((m for m in methods_for(situation) if m.code == shipping_method), None)
    if method is not None:
        try:
            parts = parts_for([method], situation, items)
            shipping = shipping_by(method, situation, basket, tax, parts)
            return till.quote(replace(basket, shipping=shipping)), False
        except till.NoShippingRate:
            pass
    return till.quote(basket), True


def _agreed(
    situation: Situation, basket: till.Basket, tax: TaxAnswer, code: str, terms: Terms
) -> till.Quote:
    """The quote with shipping at the agreed price."""
    tax_class = situation.store.shipping_tax_class
    table = Table(code, terms.shipping_name, (), quoted=terms.shipping_price)
    shipping = till.Shipping(table, rates=rates_of(tax, tax_class) if tax_class else None)
    return till.quote(replace(basket, shipping=shipping if code else None))


def _shopper(situation: Situation, rules: Sequence[Rule]) -> Shopper:
    return Shopper(
        at=situation.at,
        local=situation.at.astimezone(situation.store.zone),
        group=situation.group,
        segments=segments_of(situation.customer_id)
        if any(rule.segments for rule in rules)
        else frozenset(),
        first_order=any(rule.first_order for rule in rules) and situation.is_first_order(),
    )


def _gift_variants(rules: Sequence[Rule]) -> list[Variant]:
    skus = {rule.effect.sku for rule in rules if isinstance(rule.effect, FreeGift)}
    if not skus:
        return []
    found = Variant.objects.filter(sku__in=skus, is_active=True).select_related("product")
    return list(found.order_by("pk"))


def _gift_lines(
    situation: Situation, items: Sequence[Item], gifts: Sequence[Variant], lines: Lines
) -> dict[str, tuple[till.Line, int]]:
    """What may be given away: lines of one piece, with what the cart itself leaves of the stock."""
    priced = [variant for variant in gifts if variant.pk in lines.prices]
    if not priced:
        return {}
    free = availability(
        store_id=situation.store.pk, variant_ids=[v.pk for v in priced if v.track_inventory]
    )
    for item in items:
        if item.variant.pk in free:
            free[item.variant.pk] -= item.quantity
    return {
        variant.sku: (lines.of(Item(variant.sku, variant, 1)), free.get(variant.pk, 1_000_000))
        for variant in priced
    }


def _given(
    discount: till.QuoteDiscount, quote: till.Quote, gifts: Sequence[Variant]
) -> list[Variant]:
    if discount.target != "gift":
        return []
    sku = next(line.sku for line in quote.lines if line.key == f"gift:{discount.code}")
    return [variant for variant in gifts if variant.sku == sku]


def _uses(quote: till.Quote, promotions: Offered) -> tuple[Use, ...]:
    return tuple(
        Use(*promotions.ids[discount.code, discount.coupon], discount.amount, quote.currency)
        for discount in quote.discounts
        # A gift was given by a promotion that may have become another one since.
        if (discount.code, discount.coupon) in promotions.ids
    )
