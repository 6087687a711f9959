from __future__ import annotations

import factory

from apps.fraud.models import Assessment, FraudRule
from tests.factories.stores import StoreFactory


class FraudRuleFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = FraudRule

    store = factory.SubFactory(StoreFactory)
    kind = "blocked"


class AssessmentFactory(factory.django.DjangoModelFactory):
    """A harmless checkout, of which no order came."""

    class Meta:
        model = Assessment

    store = factory.SubFactory(StoreFactory)
    source = factory.Sequence("cart:{}".format)
    email = factory.Sequence("buyer{}@example.com".format)
    currency = "EUR"
    total = 1000
    score = 0
    verdict = "allow"
