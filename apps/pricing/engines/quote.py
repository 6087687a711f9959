"""What the till takes and gives: a basket and a quote, as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from apps.pricing.engines.taxes import Rate, TaxAmount
from apps.promotions.engines.rules import Rule, Shopper
from apps.promotions.engines.snapshot import rule_json
from apps.shipping.engines.tables import Part, Table

# Stored with every order; raised whenever the same basket would be quoted differently.
ENGINE_VERSION = "2"
_NEVER = datetime.min.replace(tzinfo=UTC)
NOBODY = Shopper(_NEVER, _NEVER)


@dataclass(frozen=True, slots=True)
class Agreed:
    """The prices of a piece that was sold before: nothing makes another of them.

    See `QuoteLine` for what they are.
    """

    unit_price: int
    list_price: int
    shelf_price: int
    promotion: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What is wanted: `quantity` pieces at `unit_price` each, before any promotion.

    `key` comes back with the result; `facts` are what promotions choose items by. Grams and cubic
    millimetres of a piece.
    """

    key: str
    sku: str
    quantity: int
    unit_price: int
    rates: tuple[Rate, ...] = ()
    weight: int = 0
    requires_shipping: bool = True
    facts: frozenset[str] = frozenset()
    volume: int = 0
    # See `repriced`: the price is one that contains other taxes than those due.
    reprice: tuple[Decimal, Decimal] | None = None
    # In place of the unit price; neither repriced nor reduced by a catalogue promotion.
    agreed: Agreed | None = None


@dataclass(frozen=True, slots=True)
class Shipping:
    """The chosen method. Without `rates` of its own (None) it is taxed as the goods are.

    `reprice` turns a price of the table into the one that counts here (see `repriced`). With
    `parts` each of them is priced by its own table, and the sum is asked.
    """

    table: Table
    rates: tuple[Rate, ...] | None = ()
    reprice: tuple[Decimal, Decimal] | None = None
    parts: tuple[tuple[Part, Table], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the explanation: what was decided and the facts it was decided by (JSON)."""

    step: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Basket:
    """`gifts` are lines of one piece that promotions may add, by SKU, with what is in stock;
    `given` are gifts that an order has had before, each with the discount that pays for it.

    `notes` are steps decided before the till, that its explanation begins with.
    """

    currency: str
    lines: tuple[Line, ...]
    tax_included: bool
    # "unit": every piece's tax is rounded; "line": every line's; "document": the sum's, then
    # split over the lines.
    tax_rounding: str = "line"
    shipping: Shipping | None = None
    rules: tuple[Rule, ...] = ()
    shopper: Shopper = NOBODY
    gifts: Mapping[str, tuple[Line, int]] = field(default_factory=dict)
    notes: tuple[Step, ...] = ()
    given: tuple[tuple[Line, QuoteDiscount], ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """subtotal = unit_price x quantity; total = subtotal - discount (+ tax, if it is added).

    `list_price` is a piece's price before a catalogue promotion, `promotion` its code;
    `shelf_price` is what the shop's lists show: the unit price, unless other taxes than those in
    it are due here. A free gift is a line that a promotion added.
    """

    key: str
    sku: str
    quantity: int
    unit_price: int
    list_price: int
    shelf_price: int
    subtotal: int
    discount: int
    tax: int
    total: int
    taxes: tuple[TaxAmount, ...]
    promotion: str = ""
    is_gift: bool = False


@dataclass(frozen=True, slots=True)
class QuoteDiscount:
    """What one promotion took off, in all and of each line (key, amount).

    `target` is "items", "shipping" or "gift"; those of shipping aren't part of Quote.discount,
    they are off the shipping price already.
    """

    code: str
    coupon: str
    name: str
    target: str
    amount: int
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class QuoteParcel:
    """What one location sends: grams, and its part of the list price (before any repricing)."""

    location: str
    pieces: int
    weight: int
    price: int


@dataclass(frozen=True, slots=True)
class QuoteShipping:
    """`price` is list_price - discount, without tax where tax is added.

    `parcels` are told where each location's is priced on its own.
    """

    code: str
    name: str
    price: int
    list_price: int
    discount: int
    tax: int
    taxes: tuple[TaxAmount, ...]
    parcels: tuple[QuoteParcel, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """total = subtotal - discount + shipping (+ tax, unless tax_included). Always to the unit."""

    currency: str
    tax_included: bool
    lines: tuple[QuoteLine, ...]
    shipping_choice: QuoteShipping | None
    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int
    taxes: tuple[TaxAmount, ...]
    weight: int
    requires_shipping: bool
    discounts: tuple[QuoteDiscount, ...] = ()
    engine: str = ENGINE_VERSION
    # Why it is so; not part of what was quoted.
    trace: tuple[Step, ...] = ()
    # The promotions that applied, and by what they chose the lines (key, facts): neither.
    promoted: tuple[Rule, ...] = field(default=(), compare=False)
    facts: tuple[tuple[str, frozenset[str]], ...] = field(default=(), compare=False)

    def as_json(self) -> dict[str, Any]:
        """The whole quote as JSON values, as an order keeps it, with the steps that made it.

        Promotions that didn't apply and that nobody asked for by a code are left out. Under
        `promotions` are the rules of those that did, so that they can be asked for a part of it.
        """
        told = tuple(
            step
            for step in self.trace
            if step.step != "promotion" or step.facts["coupon"] or step.facts["amount"]
        )
        bare = replace(self, trace=told, promoted=(), facts=())
        values: dict[str, Any] = orjson.loads(orjson.dumps(bare))
        del values["promoted"], values["facts"]
        if self.promoted:
            values["promotions"] = {
                "rules": [rule_json(rule) for rule in self.promoted],
                "facts": {key: sorted(facts) for key, facts in self.facts},
            }
        return {**values, "hash": self.hash}

    @property
    def hash(self) -> str:
        """SHA-256 over everything in it: two quotes with one hash are the same quote."""
        bare = replace(self, trace=(), promoted=(), facts=())
        values = orjson.dumps(bare, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(values).hexdigest()
