"""The euro foreign exchange reference rates, as the European Central Bank publishes them.

Three files of one shape: the day's, the last 90 days', and everything since 1999.
https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from xml.parsers import expat

_CUBE = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube"
# What a column of rates can hold; a Decimal would also take "NaN" and "1e9".
_VALUE = re.compile(r"[0-9]{1,10}(\.[0-9]{1,8})?")


class RatesUnreadable(ValueError):
    """Not a file of reference rates, or one that is made to do harm."""


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """Units of `currency` for one euro on a day."""

    date: date
    currency: str
    value: Decimal


def read(body: bytes) -> list[ReferenceRate]:
    """The rates of a file, in its order. Raises RatesUnreadable.

    A document type is refused before its content is read: only there can entities be declared
    that expand without end or name other files, and the bank's files have none.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    try:
        parser.Parse(body, True)
    except RatesUnreadable:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise RatesUnreadable(f"This isn't XML: {error}") from error
    if not reader.rates:
        raise RatesUnreadable("There are no reference rates in it.")
    return reader.rates


class _Reader:
    def __init__(self) -> None:
        self.day: date | None = None
        self.rates: list[ReferenceRate] = []

    def refuse(self, *declaration: Any) -> None:
        raise RatesUnreadable("A document type is not accepted.")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name != _CUBE:
            return
        if "time" in attributes:
            try:
                self.day = date.fromisoformat(attributes["time"])
            except ValueError as error:
                raise RatesUnreadable(f"{attributes['time']!r} is not a day.") from error
        if "currency" in attributes:
            self.rates.append(self._rate(attributes["currency"], attributes.get("rate", "")))

    def _rate(self, currency: str, text: str) -> ReferenceRate:
        if self.day is None or not re.fullmatch("[A-Z]{3}", currency):
            raise RatesUnreadable(f"{currency!r} has no day, or is not a currency.")
        value = Decimal(text) if _VALUE.fullmatch(text) else Decimal(0)
        if value <= 0:
            raise RatesUnreadable(f"{text!r} is not a rate ({currency}, {self.day}).")
        return ReferenceRate(self.day, currency, value)
