from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class FulfillmentShipped(Event):
    name: ClassVar[str] = "fulfillment.shipped"
    fulfillment_id: str
    order_number: str
