"""What a variant costs: one query for a whole basket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from apps.pricing.models import Price
from apps.pricing.selectors.derived import Conversion, FrozenRate, base_of, conversion_for
from apps.promotions.engines.rules import Rule
from apps.stores.models import Store

# A price list's price, the list's priority, a store's own price: the greater, the more specific.
_Scope = tuple[bool, int, bool]


@dataclass(frozen=True, slots=True)
class Tier:
    """One price that applies now, from `min_quantity` pieces. Minor units."""

    min_quantity: int
    amount: int
    compare_at: int | None


@dataclass(frozen=True, slots=True)
class ResolvedPrice:
    """The price of a piece now; `next_change_at` is when a window opens or closes next.

    `rate` is the one that a derived price was made with, None for a price of its own.
    `reduced_by` is the promotion that reduces it for everybody.
    """

    amount: int
    compare_at: int | None
    next_change_at: datetime | None
    tiers: tuple[Tier, ...] = ()
    rate: FrozenRate | None = None
    reduced_by: Rule | None = None

    def for_quantity(self, quantity: int) -> Tier:
        """The price that `quantity` pieces have each."""
        return max(
            (tier for tier in self.tiers if tier.min_quantity <= quantity),
            key=lambda tier: tier.min_quantity,
            default=Tier(1, self.amount, self.compare_at),
        )


def prices_for(
    *,
    store: Store,
    currency: str,
    variant_ids: Iterable[int],
    group_id: int | None = None,
    at: datetime,
) -> dict[int, ResolvedPrice]:
    """The prices of variants in a store, by variant id; variants without a price are left out.

    For each quantity the most specific row wins: the customer group's price list (highest
    priority) over everybody's, this store's over all stores', then the largest `min_quantity` that
    is reached, then the latest start.

    A variant without a price in `currency` gets its price in the currency that the store's rule
    names, by the latest rate on or before the day; without a rate it has none. One query, three
    where something is derived.
    """
    rows = (
        Price.objects.filter(
            Q(store__isnull=True) | Q(store=store),
            Q(price_list__isnull=True)
            | Q(price_list__group_id=group_id or 0, price_list__is_active=True),
            Q(valid_to__isnull=True) | Q(valid_to__gt=at),
            Q(currency=currency) | Q(currency=base_of(store=store, currency=currency)),
            variant_id__in=list(variant_ids),
        )
        .annotate(list_priority=F("price_list__priority"))
        .values_list(*_COLUMNS)
    )
    own, base = _Found(), _Found()
    for row in rows:
        (own if row[1] == currency else base).add(row, at)
    prices = own.resolve()
    rest = {pk: price for pk, price in base.resolve().items() if pk not in prices}
    if rest and (conversion := conversion_for(store=store, currency=currency, at=at)):
        for variant_id, price in rest.items():
            derived = _derived(price, conversion, own.changes.get(variant_id))
            if derived is not None:
                prices[variant_id] = derived
    return prices


_COLUMNS = (
    *("variant_id", "currency", "price_list_id", "list_priority", "store_id", "min_quantity"),
    *("amount", "compare_at", "valid_from", "valid_to", "pk"),
)


class _Found:
    """The rows of one currency: the best for each variant and quantity, and the next changes."""

    def __init__(self) -> None:
        self.best: dict[tuple[int, int], tuple[_Scope, float, int, Tier]] = {}
        self.changes: dict[int, datetime] = {}

    def add(self, row: tuple[Any, ...], at: datetime) -> None:
        variant_id, _currency, price_list_id, priority, store_id, min_quantity = row[:6]
        amount, compare_at, valid_from, valid_to, pk = row[6:]
        for moment in (valid_from, valid_to):
            if moment is not None and moment > at:
                self.changes[variant_id] = min(moment, self.changes.get(variant_id, moment))
        if valid_from is not None and valid_from > at:
            return
        scope = (price_list_id is not None, priority or 0, store_id is not None)
        start = valid_from.timestamp() if valid_from else float("-inf")
        candidate = scope, start, pk, Tier(min_quantity, amount, compare_at)
        key = variant_id, min_quantity
        if key not in self.best or candidate[:3] > self.best[key][:3]:
            self.best[key] = candidate

    def resolve(self) -> dict[int, ResolvedPrice]:
        return _resolve(self.best, self.changes)


def _derived(
    price: ResolvedPrice, conversion: Conversion, own_change: datetime | None
) -> ResolvedPrice | None:
    """A price of the base currency in the other; `own_change` is when one of its own opens."""
    tiers = []
    for tier in price.tiers:
        amount = conversion.amount(tier.amount)
        if amount is None:
            return None
        compare_at = None if tier.compare_at is None else conversion.amount(tier.compare_at)
        tiers.append(Tier(tier.min_quantity, amount, compare_at))
    changes = [moment for moment in (price.next_change_at, own_change) if moment is not None]
    return ResolvedPrice(
        tiers[0].amount,
        tiers[0].compare_at,
        min(changes, default=None),
        tuple(tiers),
        conversion.rate,
    )


def _resolve(
    best: dict[tuple[int, int], tuple[_Scope, float, int, Tier]], changes: dict[int, datetime]
) -> dict[int, ResolvedPrice]:
    tiers: dict[int, list[Tier]] = {}
    specific: dict[int, _Scope] = {}
    for (variant_id, min_quantity), (scope, _start, _pk, tier) in sorted(
        best.items(), key=lambda item: item[0]
    ):
        # Without a price for one piece a variant isn't for sale. And a tier for everybody must
        # not undercut, or overcharge, a more specific price for fewer pieces.
        if scope < specific.get(variant_id, scope) or (
            variant_id not in tiers and min_quantity > 1
        ):
            continue
        specific[variant_id] = scope
        tiers.setdefault(variant_id, []).append(tier)
    return {
        variant_id: ResolvedPrice(
            usable[0].amount, usable[0].compare_at, changes.get(variant_id), tuple(usable)
        )
        for variant_id, usable in tiers.items()
    }


def coming_change(at: datetime) -> Q:
    """Prices that begin or end after a moment."""
    return Q(valid_from__gt=at) | Q(valid_to__gt=at)


@dataclass(frozen=True, slots=True)
class ComingChange:
    """A price (with its variant, product, store and list) begins or ends at `moment`."""

    moment: datetime
    begins: bool
    price: Price


def coming_changes(*, at: datetime, limit: int) -> list[ComingChange]:
    """What changes next, the soonest first. Two queries."""
    prices = Price.objects.select_related("variant__product", "store", "price_list")
    begin = prices.filter(valid_from__gt=at).order_by("valid_from", "pk")[:limit]
    end = prices.filter(valid_to__gt=at).order_by("valid_to", "pk")[:limit]
    changes = [ComingChange(p.valid_from, True, p) for p in begin if p.valid_from]
    changes += [ComingChange(p.valid_to, False, p) for p in end if p.valid_to]
    return sorted(changes, key=lambda change: (change.moment, change.begins))[:limit]
