"""From rows to the till: gathers prices, promotions, shipping tables and taxes, and asks for
the sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.inventory.selectors import Source, availability, sources
from apps.pricing.engines import till
from apps.pricing.selectors import ResolvedPrice, prices_for
from apps.products.models import Variant
from apps.promotions.engines.rules import FreeGift, Rule, Selection, Shopper
from apps.promotions.selectors import Offered, facts_of, offered
from apps.promotions.services import Use
from apps.shipping.engines.tables import Parcel, Part, Table
from apps.shipping.models import ShippingMethod
from apps.shipping.selectors import Estimate, estimate_for, methods_to, table_for
from apps.stores.models import Store
from apps.taxes.selectors import PlaceRate, TaxAnswer, TaxQuestion, decide


class ShippingUnavailable(Conflict):
    code = "shipping_unavailable"
    message = _("This shipping method doesn't serve the address.")


@dataclass(frozen=True, slots=True)
class Item:
    """A wanted variant (with its product loaded). `key` names the line in the quote."""

    key: str
    variant: Variant
    quantity: int


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
class Situation:
    """Where, when and for whom a basket is priced.

    `codes` are what the shopper typed, `customer_key` tells customers apart for limits, and
    `is_first_order` is asked only where a promotion wants to know.
    """

    store: Store
    currency: str
    at: datetime
    address: Mapping[str, str]
    group_id: int | None = None
    group: str = ""
    customer_id: int | None = None
    customer_key: str = ""
    codes: tuple[str, ...] = ()
    is_first_order: Callable[[], bool] = lambda: False

    @property
    def tax_question(self) -> TaxQuestion:
        return TaxQuestion(self.store, self.address, self.at.date(), self.customer_id)


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
) -> Quotation:
    """Price a basket with the store's own rules. Never raises for what a shopper may fix.

    `amend` changes what is offered: for a look at a promotion that isn't saved.
    The number of queries depends neither on the basket nor on the catalogue or the promotions.
    """
    promotions = amend(
        offered(
            store=situation.store,
            currency=situation.currency,
            at=situation.at,
            codes=situation.codes,
            customer_key=situation.customer_key,
            explain=explain,
        )
    )
    gifts = _gift_variants(promotions.rules)
    prices = prices_for(
        store=situation.store,
        currency=situation.currency,
        variant_ids=[item.variant.pk for item in items] + [variant.pk for variant in gifts],
        group_id=situation.group_id,
        at=situation.at,
    )
    tax = decide(situation.tax_question)
    lines = _Lines(situation, prices, tax, promotions.rules, items, gifts)
    priced = tuple(item for item in items if item.variant.pk in prices)
    basket = till.Basket(
        currency=situation.currency,
        lines=tuple(lines.of(item) for item in priced),
        tax_included=situation.store.prices_include_tax,
        tax_rounding=situation.store.tax_rounding,
        rules=promotions.rules,
        shopper=_shopper(situation, promotions.rules),
        gifts=_gift_lines(situation, items, gifts, lines),
        notes=tuple(till.Step(name, facts) for name, facts in tax.steps),
    )
    quote, lost = _quoted(situation, basket, tax, shipping_method, priced)
    return Quotation(
        quote=quote,
        basket=basket,
        prices=prices,
        unpriced=tuple(item.key for item in items if item.variant.pk not in prices),
        shipping_unavailable=lost,
        gifts={f"gift:{d.code}": v for d in quote.discounts for v in _given(d, quote, gifts)},
        uses=_uses(quote, promotions),
        unknown_codes=promotions.unknown,
        tax=tax,
        items=priced,
    )


def shipping_offers(*, situation: Situation, quotation: Quotation) -> list[Offer]:
    """Every method that serves the address, with its price for a quoted basket.

    Prices are as the store shows them: with tax where its prices include tax, less what
    promotions take off.
    """
    offers: list[Offer] = []
    if not quotation.quote.requires_shipping or not situation.address.get("country"):
        return offers
    methods = _methods(situation)
    parts = _parts_for(methods, situation, quotation.items)
    for method in methods:
        try:
            shipping = _shipping(method, situation, quotation.basket, quotation.tax, parts)
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


def parts_of(*, situation: Situation, items: Sequence[Item]) -> tuple[Part, ...]:
    """What each location would send of the items now, the one that sends most of them first.

    What has no stock, or too little, comes from that one too. One query.
    """
    sent = [item for item in items if item.variant.requires_shipping]
    variants = {item.variant.pk: item.variant for item in sent}
    wanted: Counter[int] = Counter()
    for item in sent:
        wanted[item.variant.pk] += item.quantity
    takes: dict[Source, Counter[int]] = {}
    stocked = {pk: n for pk, n in wanted.items() if variants[pk].track_inventory}
    for variant_id, source, pieces in sources(store_id=situation.store.pk, wanted=stocked):
        takes.setdefault(source, Counter())[variant_id] += pieces
    if not takes:
        return ()
    most = max(takes, key=lambda source: takes[source].total())
    takes[most] += wanted - sum(takes.values(), Counter())
    return tuple(
        Part(source.code, source.country, _parcel(takes[source], variants))
        for source in sorted(takes, key=lambda source: (source is not most, source.code))
    )


def _parcel(pieces: Mapping[int, int], variants: Mapping[int, Variant]) -> Parcel:
    each = [(variants[pk], count) for pk, count in pieces.items()]
    return till.parcel_of(
        [till.Line("", v.sku, count, 0, weight=v.weight, volume=_volume(v)) for v, count in each]
    )


def _volume(variant: Variant) -> int:
    return variant.length * variant.width * variant.height


def _parts_for(
    methods: Sequence[ShippingMethod], situation: Situation, items: Sequence[Item]
) -> tuple[Part, ...]:
    """The parts, if any of the methods asks for them."""
    asked = any(method.per_location for method in methods)
    return parts_of(situation=situation, items=items) if asked else ()


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
    method = next((m for m in _methods(situation) if m.code == shipping_method), None)
    if method is not None:
        try:
            parts = _parts_for([method], situation, items)
            shipping = _shipping(method, situation, basket, tax, parts)
            return till.quote(replace(basket, shipping=shipping)), False
        except till.NoShippingRate:
            pass
    return till.quote(basket), True


def _methods(situation: Situation) -> list[ShippingMethod]:
    return methods_to(store=situation.store, currency=situation.currency, address=situation.address)


def _shopper(situation: Situation, rules: Sequence[Rule]) -> Shopper:
    return Shopper(
        at=situation.at,
        local=situation.at.astimezone(situation.store.zone),
        group=situation.group,
        first_order=any(rule.first_order for rule in rules) and situation.is_first_order(),
    )


def _gift_variants(rules: Sequence[Rule]) -> list[Variant]:
    skus = {rule.effect.sku for rule in rules if isinstance(rule.effect, FreeGift)}
    if not skus:
        return []
    found = Variant.objects.filter(sku__in=skus, is_active=True).select_related("product")
    return list(found.order_by("pk"))


def _gift_lines(
    situation: Situation, items: Sequence[Item], gifts: Sequence[Variant], lines: _Lines
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
    )


class _Lines:
    """Makes the till's lines of one basket."""

    def __init__(
        self,
        situation: Situation,
        prices: Mapping[int, ResolvedPrice],
        tax: TaxAnswer,
        rules: Sequence[Rule],
        items: Sequence[Item],
        gifts: Sequence[Variant],
    ) -> None:
        self.prices, self._tax = prices, tax
        self._reprices = tax.reprices and situation.store.prices_include_tax
        products = {item.variant.product for item in items} | {v.product for v in gifts}
        self._facts = facts_of(products) if _choosy(rules) else {}

    def of(self, item: Item) -> till.Line:
        variant, product = item.variant, item.variant.product
        facts = self._facts.get(product.pk, frozenset())
        return till.Line(
            key=item.key,
            sku=variant.sku,
            quantity=item.quantity,
            unit_price=self.prices[variant.pk].for_quantity(item.quantity).amount,
            rates=_rates(self._tax, product.tax_class),
            weight=variant.weight,
            requires_shipping=variant.requires_shipping,
            facts=facts | {f"sku:{variant.sku}"} if self._facts else facts,
            volume=_volume(variant),
            reprice=_home_and_due(self._tax, product.tax_class) if self._reprices else None,
        )


def _choosy(rules: Sequence[Rule]) -> bool:
    """Whether any promotion asks what an item is."""
    selections: list[Selection] = [rule.items for rule in rules]
    selections += [
        items for rule in rules if (items := getattr(rule.effect, "get_items", None)) is not None
    ]
    return any(selection.any_of or selection.none_of for selection in selections)


def _rates(tax: TaxAnswer, tax_class: str) -> tuple[till.Rate, ...]:
    # Elsewhere each tax of several is rounded on its own.
    apart = tax.country != "US"
    return tuple(till.Rate(rate.name, rate.percent, apart) for rate in tax.rates.get(tax_class, ()))


def _home_and_due(tax: TaxAnswer, tax_class: str) -> tuple[Decimal, Decimal]:
    return _percent(tax.home.get(tax_class, ())), _percent(tax.rates.get(tax_class, ()))


def _percent(rates: Sequence[PlaceRate]) -> Decimal:
    return sum((rate.percent for rate in rates), Decimal(0))


def _shipping(
    method: ShippingMethod,
    situation: Situation,
    basket: till.Basket,
    tax: TaxAnswer,
    parts: Sequence[Part],
) -> till.Shipping:
    """The method as the till takes it. Raises NoShippingRate if its carrier doesn't take it."""
    store = situation.store
    tax_class = store.shipping_tax_class
    reprice = None
    # What shipping out of the tax area costs is set for its zone: it never held the tax.
    if tax.reprices and tax.scheme != "export" and store.prices_include_tax:
        reprice = _home_and_due(tax, tax_class or "standard")

    def table(parcel: Parcel, origin: str = "") -> Table:
        return table_for(
            method=method,
            currency=situation.currency,
            address=situation.address,
            parcel=parcel,
            origin=origin,
        )

    wanted = parts if method.per_location else ()
    apart = tuple((part, table(part.parcel, part.country)) for part in wanted)
    return till.Shipping(
        # Parts have their own; the whole parcel may be one that no carrier takes.
        table=apart[0][1] if apart else table(till.parcel_of(basket.lines)),
        rates=_rates(tax, tax_class) if tax_class else None,
        reprice=reprice,
        parts=apart,
    )
