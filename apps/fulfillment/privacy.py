"""What is personal of parcels. Papers are files of a day."""

from apps.core.personal import Where, emptied, impersonal, impersonal_texts
from apps.fulfillment.models import (
    Fulfillment,
    Parcel,
    PickList,
    PrintJob,
    PrintRow,
    ShippingLabel,
    TrackingEvent,
)

impersonal(PickList)
emptied(
    Fulfillment,
    Where(customer="order__customer", email="order__email"),
    forgets={"tracking_number": "", "tracking_url": ""},
    plain="carrier",
    waits=True,
)
emptied(
    Parcel,
    Where(customer="fulfillment__order__customer", email="fulfillment__order__email"),
    forgets={"tracking_number": ""},
    plain="carrier",
    waits=True,
)
emptied(
    ShippingLabel,
    Where(
        customer="parcel__fulfillment__order__customer", email="parcel__fulfillment__order__email"
    ),
    forgets={"document": b"", "tracking_number": "", "tracking_url": "", "error": ""},
    plain="carrier service provider_id carrier_name currency content_type",
    waits=True,
)
emptied(
    TrackingEvent,
    Where(
        customer="parcel__fulfillment__order__customer", email="parcel__fulfillment__order__email"
    ),
    forgets={"message": "", "location": ""},
    plain="status",
    waits=True,
)
impersonal_texts(PrintJob, "file requested_by")
impersonal_texts(PrintRow, "result")
