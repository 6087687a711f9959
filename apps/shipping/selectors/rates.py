"""Carriers' prices, as far as they are known: nothing here waits for a carrier."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from django.core.cache import cache

from apps.shipping.carriers import TABLE, carrier
from apps.shipping.carriers.base import Address, Package, RateRequest
from apps.shipping.engines.tables import NoShippingRate, Parcel, Table, cost
from apps.shipping.engines.zones import Place
from apps.shipping.models import ShippingMethod

UNAVAILABLE = "carrier_unavailable"


def request_of(
    *,
    method: ShippingMethod,
    currency: str,
    address: Mapping[str, str],
    parcel: Parcel,
    origin: str = "",
) -> RateRequest:
    """What a carrier is asked; equal for equal places and parcels.

    `origin` is the country it is sent from, if that isn't the store's.
    """
    place = Place.of(address)
    return RateRequest(
        currency=currency,
        origin=Address(origin or method.store.country),
        destination=Address(
            place.country, place.region, place.postal_code, address.get("city", "")
        ),
        packages=(Package(parcel.weight, parcel.pieces, parcel.volume),),
    )


def rate_key(code: str, request: RateRequest) -> str:
    """Under which key a carrier's answer to the request is cached."""
    asked = json.dumps([code, asdict(request)])
    return f"shipping:rates:{hashlib.sha256(asked.encode()).hexdigest()}"


def read_rates(key: str) -> dict[str, Any] | None:
    """A carrier's cached answer: `at` (epoch), `rates` (service → amount; None: it refused)."""
    found = cache.get(key)
    return found if isinstance(found, dict) else None


def cached_rate(
    *,
    method: ShippingMethod,
    currency: str,
    address: Mapping[str, str],
    parcel: Parcel,
    origin: str = "",
) -> int | None:
    """What the method's carrier asks for the parcel, in minor units before surcharges.

    None if that isn't known (any more): never asked, too long ago, or not answered.
    Raises NoShippingRate if the carrier said that the service doesn't take it.
    """
    request = request_of(
        method=method, currency=currency, address=address, parcel=parcel, origin=origin
    )
    answer = read_rates(rate_key(method.carrier, request))
    if answer is None or answer["rates"] is None:
        return None
    if method.service not in answer["rates"]:
        raise NoShippingRate(method.code)
    return int(answer["rates"][method.service])


def table_for(
    *,
    method: ShippingMethod,
    currency: str,
    address: Mapping[str, str],
    parcel: Parcel,
    origin: str = "",
) -> Table:
    """The method's table (of `methods_to()`) with its carrier's price, if it has one.

    Where that isn't known, the method's own rates stand for it, and the explanation says so.
    Raises NoShippingRate if the carrier doesn't take the parcel.
    """
    table: Table = method.table
    if method.carrier == TABLE:
        return table
    found = carrier(method.carrier)
    if found is None:
        return replace(table, fallback=UNAVAILABLE)
    if not found.remote:
        plain = replace(table, surcharges=())
        # What the goods are worth waives the price later on.
        bands = tuple(replace(band, free_above=None) for band in plain.bands)
        own = cost(replace(plain, bands=bands), parcel)
        request = request_of(
            method=method, currency=currency, address=address, parcel=parcel, origin=origin
        )
        for rate in found.rates(replace(request, own_price=own)):
            return replace(table, quoted=rate.amount)
        raise NoShippingRate(method.code)
    price = cached_rate(
        method=method, currency=currency, address=address, parcel=parcel, origin=origin
    )
    if price is None:
        return replace(table, fallback=UNAVAILABLE)
    return replace(table, quoted=price)
