from __future__ import annotations

import itertools
from typing import Any

import factory
from factory.django import DjangoModelFactory

from apps.customers.models import Customer
from apps.orders.models import Order, OrderLine
from apps.products.models import Product
from apps.reviews.models import Review, ReviewSettings
from apps.stores.models import Store
from tests.factories.customers import CustomerFactory
from tests.factories.products import ProductFactory
from tests.factories.stores import StoreFactory

_numbers = itertools.count(1)


class ReviewFactory(DjangoModelFactory[Review]):
    """A review that waits; what is published, a service has to publish."""

    class Meta:
        model = Review

    product = factory.SubFactory(ProductFactory)
    store = factory.SubFactory(StoreFactory)
    customer = factory.SubFactory(CustomerFactory)
    author_name = "Pat"
    language = "en"
    rating = 4
    title = "Fine"
    text = "It does what it should."


class ReviewSettingsFactory(DjangoModelFactory[ReviewSettings]):
    class Meta:
        model = ReviewSettings

    store = factory.SubFactory(StoreFactory)


def bought(customer: Customer, product: Product, store: Store, **order: Any) -> OrderLine:
    """A line of a confirmed order of theirs, which nobody has paid or shipped."""
    made = Order.objects.create(
        **{
            "number": f"BOUGHT-{next(_numbers)}",
            "store": store,
            "customer": customer,
            "email": customer.email,
            "status": Order.Status.CONFIRMED,
            "currency": "EUR",
            "subtotal": 1000,
            "total": 1000,
            **order,
        }
    )
    variant = product.variants.first()
    return OrderLine.objects.create(
        order=made,
        variant=variant,
        sku=variant.sku,
        name=product.name,
        quantity=1,
        unit_price=1000,
        subtotal=1000,
        total=1000,
    )
