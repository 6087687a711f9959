"""Duties that customs will probably take. Pure: no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.money import round_half_up

WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Goods:
    """Pieces of one kind: `value` in minor units for all of them, the HS code as it is written,
    the country they were made in; "" where they aren't known."""

    sku: str
    value: int
    hs_code: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    hs_prefix: str
    origin: str
    region: str
    basis_points: int


@dataclass(frozen=True, slots=True)
class Duties:
    """An estimate: `amount` in minor units of `currency`, without what is `unknown` (the SKUs of
    goods that no rate is known for). `is_free`: worth too little to pay any."""

    amount: int
    currency: str
    unknown: tuple[str, ...] = ()
    is_free: bool = False


def estimate(goods: Sequence[Goods], rates: Iterable[Rate], currency: str) -> Duties:
    """The duties of goods by the rates of their destination, each kind rounded half up."""
    known = list(rates)
    amount, unknown = 0, []
    for each in goods:
        rate = closest(each, known)
        if rate is None:
            unknown.append(each.sku)
            continue
        amount += round_half_up(Decimal(each.value * rate.basis_points) / WHOLE)
    return Duties(amount, currency, tuple(dict.fromkeys(unknown)))


def closest(goods: Goods, rates: Iterable[Rate]) -> Rate | None:
    """The rate of the longest HS prefix; of those the one that names the origin, the region."""
    code = digits(goods.hs_code)
    fitting = [
        rate
        for rate in rates
        if code.startswith(rate.hs_prefix) and rate.origin in ("", goods.origin)
    ]
    return max(
        fitting,
        key=lambda rate: (len(rate.hs_prefix), bool(rate.origin), bool(rate.region)),
        default=None,
    )


def digits(code: str) -> str:
    """An HS code as it is compared. "6912.00" → "691200"."""
    return "".join(c for c in code if c.isascii() and c.isdigit())
