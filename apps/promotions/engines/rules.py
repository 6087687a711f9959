"""What a promotion is, as plain data: for which items, for whom, when, and what it gives.

Amounts are minor units of the basket's currency. An item is described by facts, texts of
`kind:value`: product:mug, sku:MUG-1, category:kitchen (and every category above it), brand:acme,
collection:summer, tag:new, attribute:colour=red, vendor:anna.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

# A fixed time zone of a store is nothing the engine knows: it gets the store's own clock.
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Item:
    """A line as promotions see it. `list_price` is the price of a piece before any promotion."""

    key: str
    sku: str
    quantity: int
    unit_price: int
    list_price: int
    facts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Shopper:
    """For whom and when: `local` is the store's wall clock at the moment `at`."""

    at: datetime
    local: datetime
    group: str = ""
    segments: frozenset[str] = frozenset()
    first_order: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Items that have, of every kind named, at least one of the facts, and none of `none_of`.

    Without anything named: all items. `reduced=False` leaves out what has a catalogue price.
    """

    any_of: tuple[frozenset[str], ...] = ()
    none_of: frozenset[str] = frozenset()
    reduced: bool = True

    def matches(self, item: Item) -> bool:
        for wanted in self.any_of:
            if wanted.isdisjoint(item.facts):
                return False
        return self.none_of.isdisjoint(item.facts) and (
            self.reduced or item.unit_price >= item.list_price
        )


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Percentage:
    """Off each item, or off the whole of them once (`of` = "order")."""

    percent: Decimal
    of: str = "items"


@dataclass(frozen=True, slots=True)
class AmountOff:
    """Off each piece (`per` = "item"), or once off the matching items together ("order")."""

    amount: int
    per: str = "order"


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """Each piece costs this, if it costs more."""

    price: int


@dataclass(frozen=True, slots=True)
class QuantityTiers:
    """Off the matching items, by how many pieces there are together: (from pieces, percent)."""

    tiers: tuple[tuple[int, Decimal], ...]


@dataclass(frozen=True, slots=True)
class BuyXGetY:
    """For every `buy` pieces of the promotion's items, `get` pieces of `get_items` for less.

    Without `get_items` they are of the same items. The cheapest pieces are reduced, and a piece
    that is reduced doesn't count as bought.
    """

    buy: int
    get: int
    percent: Decimal = Decimal(100)
    get_items: Selection | None = None


@dataclass(frozen=True, slots=True)
class FreeShipping:
    """Shipping for nothing; with `methods` only by those, with `up_to` at most that much."""

    methods: frozenset[str] = frozenset()
    up_to: int | None = None


@dataclass(frozen=True, slots=True)
class FreeGift:
    """`quantity` pieces of a variant for nothing, as far as there are any."""

    sku: str
    quantity: int = 1


Effect = Percentage | AmountOff | FixedPrice | QuantityTiers | BuyXGetY | FreeShipping | FreeGift


@dataclass(frozen=True, slots=True)
class Window:
    """When it applies: from `starts_at` until just before `ends_at`, on some weekdays and hours.

    Weekdays are 0 (Monday) to 6; minutes of the day from `from_minute` until just before
    `to_minute`, which may lie past midnight (22:00 to 02:00 belongs to the day it began on).
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    weekdays: frozenset[int] = frozenset()
    from_minute: int = 0
    to_minute: int = MINUTES_A_DAY

    def refusal(self, shopper: Shopper) -> str:
        """Why it doesn't apply now: not_started, ended or wrong_time; "" when it does."""
        if self.starts_at is not None and shopper.at < self.starts_at:
            return "not_started"
        if self.ends_at is not None and shopper.at >= self.ends_at:
            return "ended"
        return "" if self._is_open(shopper.local) else "wrong_time"

    def _is_open(self, local: datetime) -> bool:
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.from_minute < self.to_minute:
            return self._on(day) and self.from_minute <= minute < self.to_minute
        if minute >= self.from_minute:
            return self._on(day)
        return minute < self.to_minute and self._on((day - 1) % 7)

    def _on(self, day: int) -> bool:
        return not self.weekdays or day in self.weekdays


@dataclass(frozen=True, slots=True)
class Rule:
    """One promotion, or one code of it, ready to be evaluated.

    `refusal` is set by who loaded it when limits or the currency rule it out already. In a
    stacking `group` only the best one counts; "" stacks with everything. Where an `exclusive`
    one applies, nothing else does. The highest `priority` goes first.
    """

    code: str
    name: str
    effect: Effect
    items: Selection = EVERYTHING
    coupon: str = ""
    window: Window = field(default_factory=Window)
    min_spend: int = 0
    min_quantity: int = 0
    customer_groups: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    first_order: bool = False
    max_per_order: int | None = None
    group: str = ""
    priority: int = 0
    exclusive: bool = False
    refusal: str = ""
    # Sets the price that lists show, instead of giving something in the cart.
    catalogue: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """What a rule took off: minor units of each item, in their order, and of shipping."""

    code: str
    coupon: str
    name: str
    amounts: tuple[int, ...]
    shipping: int = 0

    @property
    def amount(self) -> int:
        return sum(self.amounts) + self.shipping


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a rule. `reason` is "applied" or a stable code; `facts` are JSON values."""

    code: str
    name: str
    coupon: str
    reason: str
    amount: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gift:
    """Pieces to be added for nothing by the promotion `code`."""

    code: str
    sku: str
    quantity: int
