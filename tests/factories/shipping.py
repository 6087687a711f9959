from __future__ import annotations

from datetime import date

import factory
from factory.django import DjangoModelFactory

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
from tests.factories.stores import StoreFactory


class ZoneFactory(DjangoModelFactory[Zone]):
    class Meta:
        model = Zone

    name = factory.Sequence(lambda n: f"Zone {n}")
    places = ["ES"]


class ShippingMethodFactory(DjangoModelFactory[ShippingMethod]):
    """A method without rates: see ShippingRateFactory."""

    class Meta:
        model = ShippingMethod

    store = factory.SubFactory(StoreFactory)
    zone = factory.SubFactory(ZoneFactory)
    code = factory.Sequence(lambda n: f"method-{n}")
    name = factory.Sequence(lambda n: f"Method {n}")


class ShippingRateFactory(DjangoModelFactory[ShippingRate]):
    """A flat rate of 4.95 euro."""

    class Meta:
        model = ShippingRate

    method = factory.SubFactory(ShippingMethodFactory)
    currency = "EUR"
    price = 495


class ShippingSurchargeFactory(DjangoModelFactory[ShippingSurcharge]):
    """3 euro more."""

    class Meta:
        model = ShippingSurcharge

    method = factory.SubFactory(ShippingMethodFactory)
    name = "Islands"
    currency = "EUR"
    amount = 300


class DutyRateFactory(DjangoModelFactory[DutyRate]):
    """12 % on whatever comes to the United States."""

    class Meta:
        model = DutyRate

    country = "US"
    basis_points = 1200


class DutyThresholdFactory(DjangoModelFactory[DutyThreshold]):
    class Meta:
        model = DutyThreshold

    country = "GB"
    currency = "GBP"
    amount = 13500


class HolidayFactory(DjangoModelFactory[Holiday]):
    class Meta:
        model = Holiday

    country = "ES"
    date = date(2027, 1, 6)
    name = "Epifanía del Señor"


class PickupPointFactory(DjangoModelFactory[PickupPoint]):
    """An open point in Madrid."""

    class Meta:
        model = PickupPoint

    method = factory.SubFactory(ShippingMethodFactory, kind="pickup")
    name = factory.Sequence(lambda n: f"Point {n}")
    address = factory.LazyFunction(
        lambda: {"line1": "Gran Vía 1", "city": "Madrid", "postal_code": "28013", "country": "ES"}
    )
