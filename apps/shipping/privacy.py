"""What is personal in shipping: nothing, it is the merchant's tables."""

from apps.core.personal import impersonal
from apps.shipping.models import (
    DutyRate,
    DutyThreshold,
    Holiday,
    PickupPoint,
    ShippingMethod,
    ShippingRate,
    ShippingSurcharge,
    Zone,
)

impersonal(
    DutyRate,
    DutyThreshold,
    Holiday,
    PickupPoint,
    ShippingMethod,
    ShippingRate,
    ShippingSurcharge,
    Zone,
)
