"""What happens to orders. The names are the public webhook names."""

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class OrderPlaced(Event):
    """Confirmed: paid, authorized, or accepted on account."""

    name: ClassVar[str] = "order.placed"
    order_id: str
    number: str


@dataclass(frozen=True)
class OrderCancelled(Event):
    name: ClassVar[str] = "order.cancelled"
    order_id: str
    number: str
    # What the order had been made from ("cart:<id>"), and whether it had been confirmed.
    source: str
    was_confirmed: bool


@dataclass(frozen=True)
class OrderPaid(Event):
    name: ClassVar[str] = "order.paid"
    order_id: str
    number: str
