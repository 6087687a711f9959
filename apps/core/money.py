"""Money as integer minor units of an ISO 4217 currency.

Stored amounts, balances and ledgers are integers; `Decimal` appears only where an amount is
calculated with a rate or shown to somebody; floats never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import total_ordering

from django.utils.translation import gettext as _

# ISO 4217 (table A.1): currencies whose minor unit isn't 2 decimals.
_EXPONENTS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
_TWO_DECIMALS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF
IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR
MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG
SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES
WST XCD YER ZAR ZMW ZWG
""".split()

CURRENCIES = tuple(sorted({*_EXPONENTS, *_TWO_DECIMALS}))
CURRENCY_CHOICES = tuple((code, code) for code in CURRENCIES)
_KNOWN = frozenset(CURRENCIES)

# BIGINT's upper bound: an amount beyond it can't be stored on any of the engines.
MAX_AMOUNT = 2**63 - 1


class MoneyError(ValueError):
    """An amount or currency that isn't money: unknown code, too many decimals, mixed currencies."""


def exponent(currency: str) -> int:
    """The number of decimals of `currency` (ISO 4217): EUR 2, JPY 0, KWD 3.

    Raises MoneyError for a code that isn't an active ISO 4217 currency.
    """
    if currency not in _KNOWN:
        raise MoneyError(_("%(code)r is not an ISO 4217 currency.") % {"code": currency})
    return _EXPONENTS.get(currency, 2)


def round_half_up(value: Decimal) -> int:
    """`value` to the nearest integer, halves away from zero (the rounding invoices use)."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def to_minor(value: Decimal | str | int, currency: str) -> int:
    """A decimal amount ("12.50") as minor units (1250).

    Raises MoneyError when it isn't a finite number, has more decimals than the currency, or is
    too large to store: rounding somebody's input silently would be a cent off.
    """
    try:
        scaled = Decimal(value).scaleb(exponent(currency))
        whole = scaled.to_integral_value()
    except (ArithmeticError, TypeError, ValueError) as error:
        raise MoneyError(_("%(value)r is not an amount.") % {"value": value}) from error
    if not scaled.is_finite() or abs(whole) > MAX_AMOUNT:
        raise MoneyError(_("%(value)r is not an amount.") % {"value": value})
    if whole != scaled:
        raise MoneyError(
            _("%(currency)s has %(decimals)d decimals.")
            % {"currency": currency, "decimals": exponent(currency)}
        )
    return int(whole)


def to_decimal(amount: int, currency: str) -> Decimal:
    """Minor units (1250) as the exact decimal (12.50)."""
    return Decimal(amount).scaleb(-exponent(currency))


def decimal_string(amount: int, currency: str) -> str:
    """Minor units as the API's decimal string, with the currency's own number of decimals."""
    return f"{to_decimal(amount, currency):.{exponent(currency)}f}"


def money_json(amount: int, currency: str) -> dict[str, str]:
    """The API's shape of money: `{"amount": "12.50", "currency": "EUR"}`."""
    return {"amount": decimal_string(amount, currency), "currency": currency}


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` minor units in proportion to `weights`; the parts always sum to `total`.

    Largest remainder method: every part is the floor of its exact share, and the units left over
    go to the largest remainders, earlier parts first. All-zero weights split evenly. Works for
    negative totals (a refund) by symmetry. Raises MoneyError for no or negative weights.
    """
    if not weights or min(weights) < 0:
        raise MoneyError("allocate() needs weights of zero or more.")
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units with its currency. Arithmetic across currencies is refused."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)

    @classmethod
    def of(cls, value: Decimal | str | int, currency: str) -> Money:
        """From a decimal amount, as a person writes it: `Money.of("12.50", "EUR")`."""
        return cls(to_minor(value, currency), currency)

    @property
    def decimal(self) -> Decimal:
        return to_decimal(self.amount, self.currency)

    def _same(self, other: Money) -> int:
        if not isinstance(other, Money) or other.currency != self.currency:
            raise MoneyError(f"Cannot mix {self} with {other}.")
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, quantity: int) -> Money:
        return Money(self.amount * quantity, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """`allocate()` for money."""
        return [Money(part, self.currency) for part in allocate(self.amount, weights)]

    def json(self) -> dict[str, str]:
        return money_json(self.amount, self.currency)

    def __str__(self) -> str:
        return f"{decimal_string(self.amount, self.currency)} {self.currency}"
