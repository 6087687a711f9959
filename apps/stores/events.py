from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class RatesChanged(Event):
    """Exchange rates were added or corrected; the newest of them is of this day (ISO 8601)."""

    name: ClassVar[str] = "exchange_rates.changed"
    date: str
