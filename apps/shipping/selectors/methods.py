"""Which methods ship to an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from decimal import Decimal

from django.conf import settings

from apps.core.cache import ShortCache
from apps.shipping.carriers import TABLE
from apps.shipping.engines.tables import Band, Surcharge, Table, at
from apps.shipping.engines.zones import Level, Place, level
from apps.shipping.models import ShippingMethod, ShippingRate, ShippingSurcharge
from apps.shipping.selectors.estimates import Calendar
from apps.stores.models import Store


def _load() -> list[ShippingMethod]:
    active = ShippingMethod.objects.filter(is_active=True)
    return list(active.select_related("zone").prefetch_related("rates", "surcharges"))


# Few rows, read by every product page and checkout.
_methods: ShortCache[list[ShippingMethod]] = ShortCache(
    _load, key="shipping", seconds=5.0, enabled=lambda: settings.SHORT_CACHES
)


def methods_to(*, store: Store, currency: str, address: Mapping[str, str]) -> list[ShippingMethod]:
    """The active methods of a store to an address, with `.bands`, `.table` and `.calendar`.

    `.bands` are the rates in the currency; `.table` is all of what the method costs at the
    address, for `engines.tables.cost`. The most specific zones win: those that name the postcode,
    else the region, else the country, else "*". A method without a rate in the currency is left
    out, unless a carrier sets its price. At most three queries.
    """
    place = Place.of(address)
    # Copies: what they are offered for is written on them.
    methods = [copy(method) for method in _methods.get() if method.store_id == store.pk]
    levels = [level(m.zone.places, place, m.zone.exclusions) for m in methods]
    best = max(levels, default=Level.NOWHERE)
    if best is Level.NOWHERE:
        return []
    calendar = Calendar(store.country, place)
    offered = []
    for method in (m for m, found in zip(methods, levels, strict=True) if found is best):
        method.store = store
        method.bands = [rate for rate in method.rates.all() if rate.currency == currency]
        method.table = at(table_of(method, method.bands, currency), place)
        method.calendar = calendar
        if method.bands or method.carrier != TABLE:
            offered.append(method)
    return offered


def table_of(method: ShippingMethod, rates: Sequence[ShippingRate], currency: str) -> Table:
    """A method's rates (of one currency) and surcharges, for the till."""
    surcharges = [s for s in method.surcharges.all() if s.currency in ("", currency)]
    return Table(
        code=method.code,
        name=method.name,
        bands=tuple(_band(rate) for rate in rates),
        divisor=method.volume_divisor,
        weight_step=method.weight_step,
        surcharges=tuple(_surcharge(surcharge) for surcharge in surcharges),
    )


def _band(rate: ShippingRate) -> Band:
    return Band(
        price=rate.price,
        min_weight=rate.min_weight,
        max_weight=rate.max_weight,
        free_above=rate.free_above,
        free_max_weight=rate.free_max_weight,
        per_kg=rate.per_kg,
        min_value=rate.min_value,
        max_value=rate.max_value,
        min_pieces=rate.min_pieces,
        max_pieces=rate.max_pieces,
    )


def _surcharge(row: ShippingSurcharge) -> Surcharge:
    return Surcharge(
        name=row.name,
        amount=row.amount or 0,
        percent=row.percent or Decimal(0),
        places=tuple(row.places),
        over_weight=row.over_weight,
    )
