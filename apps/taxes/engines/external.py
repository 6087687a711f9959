"""What a tax engine is: one call, plain data in and out. It says the rates, the till does the sums.

An engine never touches the database. It is called outside of any transaction, in a thread of its
own, and goes out by `apps.core.http` alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings

from apps.core.providers import provider
from apps.core.remote import RemoteError


@dataclass(frozen=True, slots=True)
class Place:
    """Country (ISO 3166-1), region (ISO 3166-2 without the country) and what is known beyond."""

    country: str
    region: str = ""
    postal_code: str = ""
    city: str = ""
    line1: str = ""


@dataclass(frozen=True, slots=True)
class RatesQuestion:
    """Which taxes do goods of these classes bear, sent from there to here on that day?"""

    origin: Place
    destination: Place
    on: date
    tax_classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineRate:
    """One tax: its name as on the invoice, and 0 to 100 percent with at most four decimals."""

    name: str
    percent: Decimal


class TaxEngineError(RemoteError):
    """The engine refused (permanent), or its answer is unknown."""


class TaxEngine(ABC):
    @abstractmethod
    def rates(self, question: RatesQuestion) -> Mapping[str, Sequence[EngineRate]]:
        """The taxes of every class asked for, none being an empty list.

        Raises TaxEngineError.
        """


def tax_engine(code: str) -> TaxEngine | None:
    """The engine of that code (settings.TAX_ENGINES), or None."""
    path = settings.TAX_ENGINES.get(code)
    found: TaxEngine | None = provider(path) if path else None
    return found


def checked(
    answer: Mapping[str, Sequence[EngineRate]], tax_classes: Sequence[str]
) -> dict[str, list[tuple[str, str]]]:
    """An engine's answer as JSON values; raises TaxEngineError for one that can't be taken."""
    found: dict[str, list[tuple[str, str]]] = {}
    for code in tax_classes:
        if code not in answer:
            raise TaxEngineError(f"No rates for the class {code}.", permanent=False)
        found[code] = []
        for rate in answer[code]:
            percent = Decimal(rate.percent)
            exact = percent.is_finite() and percent == round(percent, 4)
            if not (exact and 0 <= percent <= 100 and rate.name):
                raise TaxEngineError(f"A rate that can't be: {rate!r}"[:200], permanent=False)
            found[code].append((rate.name[:60], str(percent)))
    return found
