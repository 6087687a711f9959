from __future__ import annotations

from datetime import date
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from apps.stores.models import ExchangeRate, Seller, Store


class StoreFactory(DjangoModelFactory[Store]):
    """A Spanish shop in euro whose prices include tax."""

    class Meta:
        model = Store

    code = factory.Sequence(lambda n: f"store-{n}")
    name = factory.Sequence(lambda n: f"Store {n}")
    default_currency = "EUR"
    languages = ["en", "es"]
    country = "ES"
    prices_include_tax = True
    order_prefix = factory.Sequence(lambda n: f"S{n}-")
    email = "shop@example.com"


class SellerFactory(DjangoModelFactory[Seller]):
    class Meta:
        model = Seller

    name = factory.Sequence(lambda n: f"Seller {n}")
    slug = factory.Sequence(lambda n: f"seller-{n}")


class ExchangeRateFactory(DjangoModelFactory[ExchangeRate]):
    """A euro rate."""

    class Meta:
        model = ExchangeRate

    base = "EUR"
    currency = "USD"
    rate = Decimal("1.25")
    date = date(2030, 6, 1)
