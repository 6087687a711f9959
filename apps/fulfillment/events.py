from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class FulfillmentShipped(Event):
    name: ClassVar[str] = "fulfillment.shipped"
    fulfillment_id: str
    order_number: str


@dataclass(frozen=True)
class FulfillmentDelivered(Event):
    name: ClassVar[str] = "fulfillment.delivered"
    fulfillment_id: str
    order_number: str


@dataclass(frozen=True)
class FulfillmentFailed(Event):
    """The carrier couldn't deliver it; it may try again."""

    name: ClassVar[str] = "fulfillment.failed"
    fulfillment_id: str
    order_number: str


@dataclass(frozen=True)
class FulfillmentReturned(Event):
    """It is back, or on its way back, to its sender."""

    name: ClassVar[str] = "fulfillment.returned"
    fulfillment_id: str
    order_number: str


@dataclass(frozen=True)
class LabelUnwanted(Event):
    """A bought label is to be given back to its carrier."""

    name: ClassVar[str] = "fulfillment.label_unwanted"
    label_id: str


@dataclass(frozen=True)
class TrackingAnnounced(Event):
    """A carrier says that it has news of a parcel."""

    name: ClassVar[str] = "fulfillment.tracking_announced"
    carrier: str
    tracking_number: str


@dataclass(frozen=True)
class PrintQueued(Event):
    name: ClassVar[str] = "fulfillment.print_queued"
    job_id: str
