from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class PriceChanged(Event):
    """Prices of these products changed (their public ids)."""

    name: ClassVar[str] = "price.changed"
    product_ids: list[str]


@dataclass(frozen=True)
class CurrencyRuleChanged(Event):
    """A store (its code) derives its prices in a currency otherwise than before."""

    name: ClassVar[str] = "currency_rule.changed"
    store: str
    currency: str
