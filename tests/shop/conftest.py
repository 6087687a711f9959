"""A visitor of the shop, whose forms carry their token, and goods in it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.storefront.services.listing import rebuild
from tests.flows.conftest import Shop, build_shop, simulator
from tests.storefront.conftest import location, sell

__all__ = ["Shop", "location", "sell", "simulator"]


@pytest.fixture
def goods(store: Any) -> Shop:
    """`mug` (12.00, 5 pieces) and `book` (20.00, 100 pieces), listed, sent by "post"."""
    built = build_shop(store)
    rebuild(product_ids=[built.mug.product_id, built.book.product_id])
    return built


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"accept": "text/html"})
