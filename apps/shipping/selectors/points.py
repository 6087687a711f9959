"""Where parcels can be fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from uuid import UUID

from apps.core.errors import NotFound
from apps.shipping.engines.zones import Place
from apps.shipping.models import PickupPoint, ShippingMethod

MAX_POINTS = 50


def points_for(methods: Sequence[ShippingMethod], address: Mapping[str, str]) -> list[PickupPoint]:
    """The methods' active points in the address's country, at most 50; one query.

    Nearest first, as far as postcodes tell: the more of its beginning a point's postcode shares,
    the nearer it is taken to be; then by name.
    """
    place = Place.of(address)
    points = PickupPoint.objects.filter(
        method__in=methods, is_active=True, address__country=place.country
    )
    return sorted(points, key=lambda point: (-_shared(place, point), point.name))[:MAX_POINTS]


def _shared(place: Place, point: PickupPoint) -> int:
    pairs = zip(place.postal_code, Place.of(point.address).postal_code, strict=False)
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], pairs))


def pickup_point(public_id: UUID) -> PickupPoint:
    """An active point of an active method, with its method. Raises NotFound."""
    points = PickupPoint.objects.select_related("method").filter(
        method__is_active=True, method__kind=ShippingMethod.Kind.PICKUP
    )
    found = points.filter(public_id=public_id, is_active=True).first()
    if found is None:
        raise NotFound(field="pickup_point")
    return found
