from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class StockChanged(Event):
    """What may be sold of these products changed (their public ids)."""

    name: ClassVar[str] = "stock.changed"
    product_ids: list[str]
