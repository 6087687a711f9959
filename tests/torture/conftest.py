"""A real server on the test's database, a Stripe beside it, and carts by the hundred."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from apps.checkout.models import Cart, CartLine
from apps.core.addresses import clean_address
from apps.core.providers import provider
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.products.models import Variant
from apps.stores.models import Store
from tests.flows.conftest import ADDRESS, WEBHOOK_SECRET, Shop, build_shop
from tests.torture.serving import Server, serving

MakeCarts = Callable[..., list[str]]


@pytest.fixture(scope="session")
def account() -> Iterator[StripeSimulator]:
    with StripeSimulator(settle_seconds=0.02, refuse_retired=True) as running:
        yield running


@pytest.fixture(scope="session")
def server_environment(django_db_setup: None, account: StripeSimulator) -> dict[str, str]:
    """Production settings, the test's database, the simulator."""
    named = urlsplit(os.environ["DATABASE_URL"])
    database = named._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return {
        **os.environ,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "tests.torture.settings",
        "ALLOWED_HOSTS": "*",
        "STRIPE_SECRET_KEY": account.secret_key,
        "STRIPE_API_BASE": account.url,
        "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
    }


@pytest.fixture(scope="session")
def server(server_environment: dict[str, str]) -> Iterator[Server]:
    """Two workers with four threads each, as in production."""
    with serving(server_environment) as running:
        yield running


@pytest.fixture
def simulator(account: StripeSimulator, settings: Any) -> Iterator[StripeSimulator]:
    """An empty account, which this process asks as well (relay and reconciler run here)."""
    account.reset()
    settings.STRIPE_SECRET_KEY = account.secret_key
    settings.STRIPE_API_BASE = account.url
    settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
    provider.cache_clear()
    yield account
    provider.cache_clear()


@pytest.fixture
def shop(store: Store) -> Shop:
    return build_shop(store)


@pytest.fixture
def make_carts(shop: Shop) -> MakeCarts:
    """`make_carts(n, ("MUG", 1), …)`: the ids of carts that only have to be ordered."""

    def make(count: int, *lines: tuple[str, int]) -> list[str]:
        address = clean_address(ADDRESS)
        carts = Cart.objects.bulk_create(
            Cart(
                store=shop.store,
                currency="EUR",
                email=f"buyer{number}@example.com",
                shipping_address=address,
                shipping_method="post",
            )
            for number in range(count)
        )
        variants = {v.sku: v for v in Variant.objects.filter(sku__in=[sku for sku, _n in lines])}
        CartLine.objects.bulk_create(
            CartLine(cart=cart, variant=variants[sku], quantity=quantity)
            for cart in carts
            for sku, quantity in lines
        )
        return [cart.public_id for cart in carts]

    return make
