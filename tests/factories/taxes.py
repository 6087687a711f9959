from __future__ import annotations

from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from apps.taxes.models import TaxClass, TaxExemption, TaxRate, TaxSettings, VATCheck
from tests.factories.customers import CustomerFactory
from tests.factories.stores import StoreFactory


class TaxClassFactory(DjangoModelFactory[TaxClass]):
    class Meta:
        model = TaxClass
        django_get_or_create = ("code",)

    code = "standard"
    name = "Standard"


class TaxRateFactory(DjangoModelFactory[TaxRate]):
    """IVA 21 % on standard goods in Spain."""

    class Meta:
        model = TaxRate

    tax_class = factory.SubFactory(TaxClassFactory)
    country = "ES"
    name = "IVA 21 %"
    percent = Decimal("21")


class TaxSettingsFactory(DjangoModelFactory[TaxSettings]):
    class Meta:
        model = TaxSettings

    store = factory.SubFactory(StoreFactory)


class TaxExemptionFactory(DjangoModelFactory[TaxExemption]):
    """For all of Spain, without an end."""

    class Meta:
        model = TaxExemption

    customer = factory.SubFactory(CustomerFactory)
    country = "ES"
    certificate = factory.Sequence(lambda n: f"EX-{n}")


class VATCheckFactory(DjangoModelFactory[VATCheck]):
    """A German number that VIES knows."""

    class Meta:
        model = VATCheck

    country = "DE"
    number = "136695976"
    verdict = VATCheck.Verdict.VALID
