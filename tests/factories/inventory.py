from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from apps.inventory import services
from apps.inventory.models import Location, StockLevel
from tests.factories.products import VariantFactory


class LocationFactory(DjangoModelFactory[Location]):
    class Meta:
        model = Location

    code = factory.Sequence(lambda n: f"location-{n}")
    name = factory.Sequence(lambda n: f"Location {n}")
    country = "ES"


class StockLevelFactory(DjangoModelFactory[StockLevel]):
    """A shelf; `on_hand=5` was received there, so that the ledger tells of it."""

    class Meta:
        model = StockLevel

    variant = factory.SubFactory(VariantFactory)
    location = factory.SubFactory(LocationFactory)

    @classmethod
    def _create(cls, model_class: type[StockLevel], *args: Any, **kwargs: Any) -> StockLevel:
        on_hand = kwargs.pop("on_hand", 0)
        level = super()._create(model_class, *args, **kwargs)
        if on_hand:
            services.receive(variant=level.variant, location=level.location, quantity=on_hand)
            level.refresh_from_db()
        return level
