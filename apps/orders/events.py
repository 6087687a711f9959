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


@dataclass(frozen=True)
class OrderFundsChanged(Event):
    """More was taken for it, or something went back, and it isn't `order.paid` that tells it."""

    name: ClassVar[str] = "order.funds_changed"
    order_id: str
    number: str


@dataclass(frozen=True)
class PiecesShipped(Event):
    """Some of its pieces left, or all of them."""

    name: ClassVar[str] = "order.pieces_shipped"
    order_id: str
    number: str


@dataclass(frozen=True)
class OrderReleased(Event):
    """It was held, and goes its way now."""

    name: ClassVar[str] = "order.released"
    order_id: str
    number: str


@dataclass(frozen=True)
class ExportQueued(Event):
    """A file of orders is to be written."""

    name: ClassVar[str] = "order_export.queued"
    run_id: str


@dataclass(frozen=True)
class BulkQueued(Event):
    """Many orders are to be changed."""

    name: ClassVar[str] = "order_bulk.queued"
    job_id: str


@dataclass(frozen=True)
class OrderEdited(Event):
    """A confirmed order was changed; what it costs differs by `delta` minor units of `currency`.

    Whoever holds the money settles the difference between the order's total and what was taken.
    """

    name: ClassVar[str] = "order.edited"
    order_id: str
    number: str
    delta: int
    currency: str
    # The document of it (`OrderEdit`).
    edit_id: str = ""


@dataclass(frozen=True)
class OrderSplit(Event):
    """A part of `number` is the order `new_number` now, with its part of the money."""

    name: ClassVar[str] = "order.split"
    order_id: str
    number: str
    new_id: str
    new_number: str


@dataclass(frozen=True)
class OrdersCombined(Event):
    """`number` took in everything of `other_number`, its payments too; the other is cancelled."""

    name: ClassVar[str] = "order.combined"
    order_id: str
    number: str
    other_number: str
