"""The currencies Stripe charges in, and what an amount in them may be.

Amounts are integers in the currency's minor unit (Stripe: "Supported currencies").
"""

from __future__ import annotations

from .errors import StripeError, invalid

SUPPORTED = tuple(
    """
    usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp
    byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip
    gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt
    lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr
    nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd
    std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar
    zmw
    """.split()
)
ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
# Zero-decimal in the world, still two-decimal in the API, so that the cents must be 00.
WHOLE_UNITS_IN_HUNDREDTHS = frozenset(("isk", "ugx"))
MAX_AMOUNT = 99_999_999

_SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "inr": "₹"}


def exponent(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def check_currency(value: str, param: str = "currency") -> str:
    """The currency in lower case. Raises StripeError (400) for one that Stripe does not charge."""
    currency = value.lower()
    if currency not in SUPPORTED:
        known = ", ".join(SUPPORTED)
        raise invalid(
            f"Invalid currency: {value}. Stripe currently supports these currencies: {known}", param
        )
    return currency


def check_amount(amount: int, currency: str, param: str = "amount") -> int:
    """The amount, if Stripe would charge it. Raises StripeError (400) otherwise."""
    if amount > MAX_AMOUNT:
        raise invalid(
            f"{param.capitalize()} must be no more than {display(MAX_AMOUNT, currency)}",
            param,
            "amount_too_large",
        )
    if currency in THREE_DECIMAL and amount % 10:
        raise _indivisible(param, currency, 10)
    if currency in WHOLE_UNITS_IN_HUNDREDTHS and amount % 100:
        raise _indivisible(param, currency, 100)
    return amount


def display(amount: int, currency: str) -> str:
    """The amount as Stripe's messages write it: $10.99, 10.99 CHF."""
    places = exponent(currency)
    number = f"{amount / 10**places:,.{places}f}"
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency.upper()}"


def _indivisible(param: str, currency: str, step: int) -> StripeError:
    return invalid(f"Invalid {param}: {currency} amounts must be a multiple of {step}.", param)
