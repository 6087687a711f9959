"""Prices in a currency that has none of its own: another currency's, by the day's rate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from django.db.models import QuerySet, Subquery

from apps.core.money import exponent, round_half_up
from apps.pricing.models import MAX_PRICE, CurrencyRule
from apps.stores.models import Store
from apps.stores.selectors import NoRate, rate


@dataclass(frozen=True, slots=True)
class FrozenRate:
    """The rate that made a price: units of `currency` for one `base`, and the day it is of."""

    base: str
    currency: str
    value: Decimal
    date: date


@dataclass(frozen=True, slots=True)
class Conversion:
    """A rule with its rate. `surcharge` is a percentage; the rest as `rounded()` takes it."""

    rate: FrozenRate
    surcharge: Decimal
    round_to: int
    minus: int

    def amount(self, base: int) -> int | None:
        """Minor units of the base currency in minor units of the other.

        What costs nothing costs nothing anywhere; None is beyond any price that can be kept.
        """
        decimals = exponent(self.rate.currency) - exponent(self.rate.base)
        exact = Decimal(base) * self.rate.value * (100 + self.surcharge)
        amount = rounded(exact.scaleb(decimals - 2), round_to=self.round_to, minus=self.minus)
        return amount if amount <= MAX_PRICE else None


def rounded(value: Decimal, *, round_to: int = 1, minus: int = 0) -> int:
    """The nearest `n × round_to - minus` with n ≥ 1, halves upwards; 0 only for 0.

    All in minor units, so that every currency rounds in its own: 100 less 1 ends euros in .99,
    5 less 0 rounds francs to .05, 1000 less 20 ends yen in 980, 1000 less 10 Kuwaiti dinars in
    .990. Needs 0 ≤ minus < round_to. A greater value never gives a smaller price.
    """
    if value <= 0:
        return 0
    steps = round_half_up((value + minus) / round_to)
    return max(1, steps) * round_to - minus


def base_of(*, store: Store, currency: str) -> Subquery:
    """The currency that prices in `currency` are derived from here; NULL where they aren't."""
    return Subquery(_rules(store, currency).values("base"))


def conversion_for(*, store: Store, currency: str, at: datetime) -> Conversion | None:
    """How a store derives prices in `currency`; None without a rule or a rate. Two queries."""
    rule = _rules(store, currency).first()
    if rule is None:
        return None
    try:
        found = rate(rule.base, currency, at.astimezone(UTC).date())
    except NoRate:
        return None
    frozen = FrozenRate(rule.base, currency, found.value, found.date)
    return Conversion(frozen, rule.surcharge, rule.round_to, rule.minus)


def derived_currencies() -> list[CurrencyRule]:
    """Where prices follow the exchange rates: the rules in force, with their stores."""
    rules = CurrencyRule.objects.filter(mode=CurrencyRule.Mode.DERIVED, store__is_active=True)
    return list(rules.select_related("store").order_by("pk"))


def _rules(store: Store, currency: str) -> QuerySet[CurrencyRule]:
    # At most one (unique), so that no LIMIT is needed, which MariaDB refuses in places.
    rules = CurrencyRule.objects.filter(mode=CurrencyRule.Mode.DERIVED)
    return rules.filter(store=store, currency=currency).order_by()
