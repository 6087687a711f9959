"""What shipping would cost, method by method, and why: for those who set it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.shipping.engines.estimates import Estimate
from apps.shipping.engines.tables import NoShippingRate, Parcel, explain
from apps.shipping.engines.zones import Level, Place, level
from apps.shipping.models import ShippingMethod, Zone
from apps.shipping.selectors.estimates import estimate_for
from apps.shipping.selectors.methods import methods_to
from apps.shipping.selectors.rates import table_for
from apps.stores.models import Store


@dataclass(frozen=True, slots=True)
class Tried:
    """A method at an address. `price` is None, and `reason` tells why, if it has none."""

    method: ShippingMethod
    price: int | None
    steps: tuple[dict[str, Any], ...]
    estimate: Estimate | None
    reason: str = ""


def tried(
    *, store: Store, currency: str, address: Mapping[str, str], parcel: Parcel, at: datetime
) -> list[Tried]:
    """Every active method of a store, those that serve the address first.

    Reasons: not_here (other zones), no_rate (no band fits, no rate in the currency, or the
    carrier doesn't take it). Five queries, whatever the number of methods.
    """
    here = methods_to(store=store, currency=currency, address=address)
    known = {method.pk for method in here}
    others = ShippingMethod.objects.filter(store=store, is_active=True).exclude(pk__in=known)
    place = Place.of(address)
    levels = [(m, level(m.zone.places, place, m.zone.exclusions)) for m in _zoned(others)]
    served = [level(m.zone.places, place, m.zone.exclusions) for m in here]
    best = max([*served, *(found for _m, found in levels)], default=Level.NOWHERE)
    answers = [_try(method, currency, address, parcel, at) for method in here]
    for method, found in levels:
        priceless = found is best and found is not Level.NOWHERE
        answers.append(Tried(method, None, (), None, "no_rate" if priceless else "not_here"))
    return answers


def _zoned(methods: Any) -> Sequence[ShippingMethod]:
    return list(methods.select_related("zone"))


def _try(
    method: ShippingMethod, currency: str, address: Mapping[str, str], parcel: Parcel, at: datetime
) -> Tried:
    try:
        table = table_for(method=method, currency=currency, address=address, parcel=parcel)
        steps = explain(table, parcel)
    except NoShippingRate:
        return Tried(method, None, (), None, "no_rate")
    price = sum(step.amount for step in steps)
    return Tried(method, price, tuple(step.json for step in steps), estimate_for(method, at))


def belongs(zone: Zone, address: Mapping[str, str]) -> str:
    """How closely a zone names an address: nowhere, everywhere, country, region or postcode."""
    return level(zone.places, Place.of(address), zone.exclusions).name.lower()
