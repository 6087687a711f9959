"""A shop that can sell, a Stripe that can be told to fail, and a shopper's clicks."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.core.providers import provider
from apps.inventory import services as inventory
from apps.inventory.models import Location
from apps.payments.gateways.paypal.simulator import PayPalSimulator
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.pricing.services import set_price
from apps.products.models import Variant
from apps.shipping.models import ShippingMethod, ShippingRate, Zone
from apps.stores.models import Store
from apps.taxes.models import TaxClass, TaxRate
from tests.factories.products import ProductFactory

ADDRESS = {
    "first_name": "Ana",
    "last_name": "García",
    "line1": "Calle Mayor 1",
    "city": "Madrid",
    "region": "M",
    "postal_code": "28013",
    "country": "ES",
}
WEBHOOK_SECRET = "whsec_tests"


@dataclass(frozen=True)
class Shop:
    """`mug` costs 12.00 with 5 pieces in two locations; `book` 20.00 with reduced tax and 100."""

    store: Store
    mug: Variant
    book: Variant
    near: Location
    far: Location


def build_shop(store: Store) -> Shop:
    near = Location.objects.create(code="near", name="Near", priority=1)
    far = Location.objects.create(code="far", name="Far", priority=2)
    for code, percent in (("standard", 21), ("reduced", 4)):
        tax_class = TaxClass.objects.create(code=code, name=code)
        TaxRate.objects.create(
            tax_class=tax_class, country="ES", name=f"IVA {percent} %", percent=percent
        )
    zone = Zone.objects.create(name="Spain", places=["ES"])
    method = ShippingMethod.objects.create(store=store, zone=zone, code="post", name="Post")
    ShippingRate.objects.create(method=method, currency="EUR", price=495, free_above=10_000)
    variants = []
    for sku, price, tax_class, stock in (
        ("MUG", 1200, "standard", {near: 3, far: 2}),
        ("BOOK", 2000, "reduced", {near: 100}),
    ):
        product = ProductFactory(
            slug=sku.lower(), name=sku.title(), stores=[store], variants=0, tax_class=tax_class
        )
        variant = Variant.objects.create(product=product, sku=sku, weight=300)
        set_price(variant=variant, currency="EUR", amount=price)
        for location, quantity in stock.items():
            inventory.receive(variant=variant, location=location, quantity=quantity)
        variants.append(variant)
    return Shop(store, *variants, near, far)


@pytest.fixture
def shop(store: Store) -> Shop:
    return build_shop(store)


@pytest.fixture
def simulator(settings: Any) -> Iterator[StripeSimulator]:
    with StripeSimulator(settle_seconds=0.02, refuse_retired=True) as running:
        settings.STRIPE_SECRET_KEY = running.secret_key
        settings.STRIPE_API_BASE = running.url
        settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
        provider.cache_clear()
        yield running
    provider.cache_clear()


@pytest.fixture
def paypal(settings: Any) -> Iterator[PayPalSimulator]:
    with PayPalSimulator(settle_seconds=0.02) as running:
        settings.PAYPAL_CLIENT_ID = running.client_id
        settings.PAYPAL_CLIENT_SECRET = running.client_secret
        settings.PAYPAL_WEBHOOK_ID = running.webhook_id
        settings.PAYPAL_API_BASE = running.url
        provider.cache_clear()
        yield running
    provider.cache_clear()


class Buyer:
    """One shopper at a storefront, speaking the REST contract."""

    def __init__(self, client: APIClient) -> None:
        self.client = client
        self.cart_id = ""

    def fill(
        self, *lines: tuple[str, int], currency: str = "EUR", **changes: Any
    ) -> dict[str, Any]:
        """A cart that lacks nothing, unless `changes` say otherwise."""
        wanted = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
        body = {"currency": currency, "lines": wanted}
        made = self.client.post("/api/v1/carts/", body)
        assert made.status_code == 201, made.json()
        self.cart_id = made.json()["id"]
        known = {
            "email": "ana@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "post",
            **changes,
        }
        changed = self.client.patch(f"/api/v1/carts/{self.cart_id}/", known)
        assert changed.status_code == 200, changed.json()
        return changed.json()

    def checkout(self, gateway: str = "manual", *, key: str | None = None, **body: Any) -> Any:
        """POST the checkout; what isn't about the payment goes beside it."""
        payment = {"gateway": gateway} if gateway else {}
        about = ("method", "return_url", "save_method", "saved_method")
        payment |= {name: body.pop(name) for name in about if name in body}
        headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        return self.client.post(
            f"/api/v1/carts/{self.cart_id}/checkout/", {"payment": payment, **body}, **headers
        )


@pytest.fixture
def buyer(api: APIClient, shop: Shop) -> Buyer:
    return Buyer(api)


def sign(body: bytes, secret: str = WEBHOOK_SECRET, at: int | None = None) -> str:
    """Stripe's signature of a body (https://docs.stripe.com/webhooks#verify-manually)."""
    at = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


@pytest.fixture
def deliver(api: APIClient) -> Callable[..., Any]:
    """Post one of the simulator's events to our door, signed."""

    def post(event: dict[str, Any], *, signature: str | None = None) -> Any:
        body = json.dumps(event).encode()
        return api.generic(
            "POST",
            "/api/v1/webhooks/stripe/",
            body,
            content_type="application/json",
            HTTP_STRIPE_SIGNATURE=sign(body) if signature is None else signature,
        )

    return post
