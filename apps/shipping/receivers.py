"""Which kept answers a change of shipping makes untrue."""

from apps.core.outdated import outdated_by
from apps.shipping.models import (
    PickupPoint,
    ShippingMethod,
    ShippingRate,
    ShippingSurcharge,
    Zone,
)

outdated_by(PickupPoint, lambda row: ("pickup-points",))
outdated_by(ShippingMethod, lambda row: ("shipping", "pickup-points"))
outdated_by(Zone, lambda row: ("shipping",))
outdated_by(ShippingRate, lambda row: ("shipping",))
outdated_by(ShippingSurcharge, lambda row: ("shipping",))
