from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from apps.customers.models import Address, Customer, CustomerGroup, Segment
from tests.factories.accounts import UserFactory


class CustomerGroupFactory(DjangoModelFactory[CustomerGroup]):
    class Meta:
        model = CustomerGroup

    code = factory.Sequence(lambda n: f"group-{n}")
    name = factory.Sequence(lambda n: f"Group {n}")


class SegmentFactory(DjangoModelFactory[Segment]):
    """A segment that nobody was looked up for yet."""

    class Meta:
        model = Segment

    code = factory.Sequence(lambda n: f"segment-{n}")
    name = factory.Sequence(lambda n: f"Segment {n}")
    conditions = factory.LazyFunction(lambda: [{"field": "registered", "is": True}])


class CustomerFactory(DjangoModelFactory[Customer]):
    """A customer who can sign in; `user=None` makes a guest."""

    class Meta:
        model = Customer

    user = factory.SubFactory(UserFactory)
    email = factory.LazyAttributeSequence(
        lambda o, n: o.user.email if o.user else f"guest-{n}@example.com"
    )
    first_name = "Pat"
    last_name = "Person"
    language = "en"


class AddressFactory(DjangoModelFactory[Address]):
    class Meta:
        model = Address

    customer = factory.SubFactory(CustomerFactory)
    first_name = "Pat"
    last_name = "Person"
    line1 = "Calle Mayor 1"
    city = "Madrid"
    region = "Madrid"
    postal_code = "28013"
    country = "ES"
    phone = "+34911234567"
