"""What we ask Stripe for, and what its simulator answers, held against Stripe's OpenAPI."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from apps.orders.models import Order
from apps.payments import services
from apps.payments.gateways import gateway
from apps.payments.gateways.base import GatewayError
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.payments.models import Payment, SavedMethod
from tests.flows.conftest import Buyer, Shop, shop, simulator
from tests.flows.test_stripe import DECLINED, SECURE
from tests.payments.test_saved_methods import BACK, buy, keep, owing

__all__ = ["shop", "simulator"]
pytestmark = [pytest.mark.django_db, pytest.mark.once]


@cache
def _spec() -> dict[str, Any]:
    root = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("COMMERCE_SHARED", root.parent / "shared"))
    path = shared / "specs" / "stripe" / "spec3_2023-09-12.yaml.gz"
    if not path.exists():
        pytest.skip("Stripe's OpenAPI is not here (set COMMERCE_SHARED)")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with gzip.open(path) as packed:
        found: dict[str, Any] = yaml.load(packed, Loader=loader)  # noqa: S506
    _allow_null(found["components"]["schemas"])
    return found


def _allow_null(node: Any) -> None:
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own."""
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            _allow_null(inner)
    if isinstance(node, dict) and node.get("nullable") is True:
        inner = {name: node.pop(name) for name in list(node)}
        node["anyOf"] = [{**inner, "nullable": False}, {"type": "null"}]


def _wrong(label: str, sent: Any, status: int, answer: Any) -> list[str]:
    """What of one exchange isn't as Stripe's OpenAPI says."""
    method, path = label.split(" ")
    shape = path.split("/")
    known = next(
        known
        for known in _spec()["paths"]
        if len(parts := known.split("/")) == len(shape)
        and all(a == b or (a == ":id" and b[0] == "{") for a, b in zip(shape, parts, strict=True))
    )
    operation = _spec()["paths"][known][method.lower()]
    found = []
    if method == "POST":
        [body] = operation["requestBody"]["content"].values()
        found += _against(body["schema"], _typed(body["schema"], sent), "request")
    said = operation["responses"].get(str(status), operation["responses"]["default"])
    found += _against(said["content"]["application/json"]["schema"], answer, f"answer {status}")
    return [f"{label} {line}" for line in found]


def _against(schema: Any, value: Any, what: str) -> list[str]:
    whole = {**schema, "components": _spec()["components"]}
    errors = Draft202012Validator(whole).iter_errors(value)
    return [f"{what}: {'/'.join(map(str, e.path))}: {e.message[:160]}" for e in errors]


def _typed(schema: Any, value: Any) -> Any:
    """A form's value, all of it text, as the type that is meant."""
    options = [schema, *schema.get("anyOf", ())]
    if isinstance(value, dict) and value and all(name.isdecimal() for name in value):
        # A list, in a form.
        value = list(value.values())
    if isinstance(value, dict):
        fields = {n: s for one in options for n, s in one.get("properties", {}).items()}
        return {name: _typed(fields.get(name, {}), inner) for name, inner in value.items()}
    if isinstance(value, list):
        items = next((one["items"] for one in options if "items" in one), {})
        return [_typed(items, inner) for inner in value]
    kinds = {one.get("type") for one in options}
    if "boolean" in kinds and value in ("true", "false"):
        return value == "true"
    return int(value) if "integer" in kinds and value.lstrip("-").isdecimal() else value


def _report(simulator: StripeSimulator) -> list[str]:
    exchanges = simulator.application.exchanges
    return sorted({line for exchange in exchanges for line in _wrong(*exchange)})


def test_saving_and_charging_later_are_as_the_openapi_says(
    as_shopper: APIClient, shop: Shop, simulator: StripeSimulator, drain: Callable[[], int]
) -> None:
    simulator.application.is_recording = True
    sam = Buyer(as_shopper)
    method = keep(sam)
    buy(sam, method=SECURE, save_method=True, return_url=BACK)
    simulator.complete_action(Payment.objects.latest("pk").provider_id or "")
    services.look_again(order=Order.objects.latest("pk"))
    buy(sam, gateway="", saved_method=str(method.public_id), return_url=BACK)
    buy(sam, method=DECLINED, save_method=True)
    order = owing(sam, drain)
    with pytest.raises(services.ChargeDeclined):
        # The newest card, about which the bank always asks.
        services.charge_saved(order=order)
    services.set_default_method(method=method, is_default=True)
    services.charge_saved(order=order)
    services.refund(payment=Payment.objects.latest("pk"), amount=100)
    for kept in SavedMethod.objects.all():
        services.remove_method(method=kept)
    services.remove_method(method=method)
    begun = buy(sam, save_method=True)
    assert begun.json()["payment"]["status"] == "requires_action"
    services.void(payment=Payment.objects.latest("pk"))

    labels = {label for label, *_rest in simulator.application.exchanges}
    assert labels == {
        "POST /v1/customers",
        "POST /v1/payment_intents",
        "POST /v1/payment_intents/:id/cancel",
        "GET /v1/payment_intents/:id",
        "GET /v1/payment_methods/:id",
        "POST /v1/payment_methods/:id/detach",
        "POST /v1/refunds",
    }
    assert _report(simulator) == []


def test_wrong_request_is_found(simulator: StripeSimulator) -> None:
    """The proof that the comparison finds something."""
    simulator.application.is_recording = True
    client: Any = gateway("stripe")
    body = {"amount": 100, "currency": "eur", "setup_future_usage": "someday", "colour": "red"}
    with pytest.raises(GatewayError):
        client._call(lambda: client.client.v1.payment_intents.create(body))
    assert len([line for line in _report(simulator) if "request" in line]) == 2
