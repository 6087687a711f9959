"""A product on sale: published, priced, stocked and listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.inventory.models import Location
from apps.inventory.services.stock import receive
from apps.pricing.services.prices import set_price
from apps.products.models import Product
from apps.storefront.services.listing import rebuild
from apps.stores.models import Store
from tests.factories.products import ProductFactory

Sell = Callable[..., Product]


@pytest.fixture
def location(db: None) -> Location:
    return Location.objects.create(code="main", name="Main")


@pytest.fixture
def sell(store: Store, location: Location) -> Sell:
    """`sell(1250, stock=3, **product)`: one variant, in the default store, listed."""

    def on_sale(amount: int, *, stock: int = 0, compare_at: int | None = None, **product: Any):
        made = ProductFactory(**{"stores": [store], **product})
        for variant in made.variants.all():
            set_price(variant=variant, currency="EUR", amount=amount, compare_at=compare_at)
            if stock:
                receive(variant=variant, location=location, quantity=stock)
        rebuild(product_ids=[made.pk])
        return made

    return on_sale


@pytest.fixture
def slugs(api: Any) -> Callable[..., list[str]]:
    """The slugs a shopper sees: `slugs(brand="acme")`."""

    def seen(**query: Any) -> list[str]:
        response = api.get("/api/v1/products/", query)
        assert response.status_code == 200, response.content
        return [item["slug"] for item in response.json()["results"]]

    return seen
