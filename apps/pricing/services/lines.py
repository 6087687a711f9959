"""What is priced, and the till's lines of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from apps.pricing.engines import till
from apps.pricing.selectors import ResolvedPrice
from apps.products.models import Variant
from apps.promotions.engines.rules import Rule, Selection
from apps.promotions.selectors import facts_of
from apps.stores.models import Store
from apps.taxes.selectors import PlaceRate, TaxAnswer, TaxQuestion


@dataclass(frozen=True, slots=True)
class AgreedPrice:
    """A price that an order was sold at, as `till.QuoteLine` tells it.

    Without a `unit_price` the shelf price counts, repriced for the taxes that are due.
    """

    shelf_price: int
    list_price: int
    promotion: str = ""
    unit_price: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A wanted variant (with its product loaded). `key` names the line in the quote."""

    key: str
    variant: Variant
    quantity: int
    agreed: AgreedPrice | None = None


@dataclass(frozen=True, slots=True)
class GivenGift:
    """A gift that an order has had before. The key of `item` is "gift:<the promotion's code>"."""

    item: Item
    code: str
    coupon: str
    name: str


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


class Lines:
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
        reprice = home_and_due(self._tax, product.tax_class) if self._reprices else None
        return till.Line(
            key=item.key,
            sku=variant.sku,
            quantity=item.quantity,
            unit_price=0
            if item.agreed
            else self.prices[variant.pk].for_quantity(item.quantity).amount,
            rates=rates_of(self._tax, product.tax_class),
            weight=variant.weight,
            requires_shipping=variant.requires_shipping,
            facts=facts | {f"sku:{variant.sku}"} if self._facts else facts,
            volume=volume_of(variant),
            reprice=reprice,
            agreed=_settled(item.agreed, reprice) if item.agreed else None,
        )

    def given(self, gift: GivenGift) -> tuple[till.Line, till.QuoteDiscount]:
        line = self.of(gift.item)
        price = line.agreed.unit_price if line.agreed else line.unit_price
        worth = price * line.quantity
        paid = till.QuoteDiscount(
            gift.code, gift.coupon, gift.name, "gift", worth, ((line.key, worth),)
        )
        return replace(line, unit_price=price), paid


def _settled(agreed: AgreedPrice, reprice: tuple[Decimal, Decimal] | None) -> till.Agreed:
    price = agreed.unit_price
    if price is None:
        price = till.repriced(agreed.shelf_price, *reprice) if reprice else agreed.shelf_price
    before = max(price, agreed.list_price) if agreed.promotion else price
    return till.Agreed(price, before, agreed.shelf_price, agreed.promotion)


def _choosy(rules: Sequence[Rule]) -> bool:
    """Whether any promotion asks what an item is."""
    selections: list[Selection] = [rule.items for rule in rules]
    selections += [
        items for rule in rules if (items := getattr(rule.effect, "get_items", None)) is not None
    ]
    return any(selection.any_of or selection.none_of for selection in selections)


def rates_of(tax: TaxAnswer, tax_class: str) -> tuple[till.Rate, ...]:
    # Elsewhere each tax of several is rounded on its own.
    apart = tax.country != "US"
    return tuple(till.Rate(rate.name, rate.percent, apart) for rate in tax.rates.get(tax_class, ()))


def home_and_due(tax: TaxAnswer, tax_class: str) -> tuple[Decimal, Decimal]:
    return _percent(tax.home.get(tax_class, ())), _percent(tax.rates.get(tax_class, ()))


def _percent(rates: Sequence[PlaceRate]) -> Decimal:
    return sum((rate.percent for rate in rates), Decimal(0))


def volume_of(variant: Variant) -> int:
    return variant.length * variant.width * variant.height
