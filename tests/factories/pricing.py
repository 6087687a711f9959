from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from apps.pricing.models import CurrencyRule, Price, PriceList
from apps.pricing.services import PriceData, add_price, save_currency_rule
from tests.factories.customers import CustomerGroupFactory
from tests.factories.products import VariantFactory
from tests.factories.stores import StoreFactory


class PriceListFactory(DjangoModelFactory[PriceList]):
    class Meta:
        model = PriceList

    code = factory.Sequence(lambda n: f"list-{n}")
    name = factory.Sequence(lambda n: f"List {n}")
    group = factory.SubFactory(CustomerGroupFactory)


class PriceFactory(DjangoModelFactory[Price]):
    """A price in minor units, set as staff sets it: with its line in the history."""

    class Meta:
        model = Price

    variant = factory.SubFactory(VariantFactory)
    currency = "EUR"
    amount = 1000

    @classmethod
    def _create(cls, model_class: type[Price], *args: Any, **kwargs: Any) -> Price:
        return add_price(data=PriceData.of(model_class(**kwargs)))


class CurrencyRuleFactory(DjangoModelFactory[CurrencyRule]):
    """A rule as staff sets it; amounts in minor units. Without `store` dollars from euros."""

    class Meta:
        model = CurrencyRule

    store = factory.SubFactory(StoreFactory, currencies=["USD"])
    currency = "USD"
    base = "EUR"

    @classmethod
    def _create(cls, model_class: type[CurrencyRule], *args: Any, **kwargs: Any) -> CurrencyRule:
        return save_currency_rule(rule=model_class(), changes=kwargs)
