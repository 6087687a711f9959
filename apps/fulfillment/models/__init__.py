from apps.fulfillment.models.documents import PrintJob, PrintRow
from apps.fulfillment.models.labels import (
    ALIVE_WHILE_IT_COUNTS,
    CarrierLabel,
    Parcel,
    ShippingLabel,
    TrackingEvent,
)
from apps.fulfillment.models.picking import PickLine, PickList
from apps.fulfillment.models.shipments import Fulfillment, FulfillmentLine

__all__ = [
    "ALIVE_WHILE_IT_COUNTS",
    "CarrierLabel",
    "Fulfillment",
    "FulfillmentLine",
    "Parcel",
    "PickLine",
    "PickList",
    "PrintJob",
    "PrintRow",
    "ShippingLabel",
    "TrackingEvent",
]
