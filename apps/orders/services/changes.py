"""What an edit changes of an order, what it would make of it, and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError
from apps.orders import states
from apps.orders.models import Order, OrderLine
from apps.pricing import services as pricing
from apps.pricing.engines.till import QuoteLine
from apps.products.models import Variant

EDITABLE = (states.CONFIRMED, states.PROCESSING)
MAX_LINES = 200


class NotEditable(Conflict):
    code = "order_not_editable"
    message = _("Only confirmed orders that haven't shipped whole can be changed.")


class BeingPacked(Conflict):
    code = "being_packed"
    message = _("A shipment of it is being packed: send it off, or cancel it first.")


class InvalidChange(DomainError):
    """`code` is stable: "nothing_to_change", "unknown_line", "unknown_sku", "no_price", …"""

    def __init__(self, code: str, message: Any, **extra: Any) -> None:
        super().__init__(message, field="lines", extra=extra)
        self.code = code


class AlreadyShipped(Conflict):
    """`extra["lines"]`: the lines of which more pieces have shipped than would be left."""

    code = "already_shipped"
    message = _("These pieces have shipped already.")


@dataclass(frozen=True, slots=True)
class LineChange:
    """What becomes of a line (its public id), or a variant that is added (its SKU).

    `quantity` 0 takes the line out, None leaves it; `unit_price` is in minor units.
    """

    line: str = ""
    sku: str = ""
    quantity: int | None = None
    unit_price: int | None = None


@dataclass(frozen=True, slots=True)
class OrderChanges:
    """What an edit changes; what is None stays."""

    lines: Sequence[LineChange] = ()
    shipping_address: Mapping[str, Any] | None = None
    billing_address: Mapping[str, Any] | None = None
    shipping_method: str | None = None

    @property
    def sets_price(self) -> bool:
        return any(line.unit_price is not None for line in self.lines)

    def as_json(self) -> dict[str, Any]:
        return orjson.loads(orjson.dumps(asdict(self)))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> OrderChanges:
        lines = tuple(LineChange(**line) for line in data["lines"])
        return cls(**{**data, "lines": lines})


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A line as it will be; `line` is None for a new one."""

    line: OrderLine | None
    variant: Variant | None
    quoted: QuoteLine


@dataclass(frozen=True, slots=True)
class Plan:
    """The order after an edit. `problems` are those of stock, as the API tells them.

    `version` is that of the order now.
    """

    order: Order
    version: str
    lines: tuple[PlannedLine, ...]
    removed: tuple[OrderLine, ...]
    quotation: pricing.Quotation
    shipping_address: dict[str, Any]
    billing_address: dict[str, Any]
    problems: tuple[dict[str, Any], ...]

    @property
    def total(self) -> int:
        return int(self.quotation.quote.total)

    @property
    def delta(self) -> int:
        return self.total - self.order.total

    @property
    def wanted(self) -> dict[int, int]:
        """Pieces that are to be shipped yet, by variant id."""
        pieces: dict[int, int] = {}
        for planned in self.lines:
            if planned.variant is not None:
                shipped = planned.line.fulfilled_quantity if planned.line else 0
                rest = planned.quoted.quantity - shipped
                pieces[planned.variant.pk] = pieces.get(planned.variant.pk, 0) + rest
        return pieces
