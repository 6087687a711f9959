"""PayPal alone: its page in the shop, its intents, its token, and the official OpenAPI."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from apps.orders.models import Order
from apps.payments import services
from apps.payments.gateways import gateway
from apps.payments.gateways.base import GatewayError
from apps.payments.gateways.paypal import amounts
from apps.payments.gateways.paypal.simulator import Fault, PayPalSimulator
from apps.payments.models import Payment
from tests.flows.conftest import Buyer, buyer, paypal, shop
from tests.payments.gateways import PayPalBench
from tests.shop.conftest import goods, visitor
from tests.shop.test_checkout import pay, ready

__all__ = ["buyer", "goods", "paypal", "ready", "shop", "visitor"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
BACK = "https://shop.example/done"
Drain = Callable[[], int]


def click(page: str, choice: str) -> str:
    """What a browser without scripts does on PayPal's page; where it is sent next."""
    assert requests.get(page, timeout=5).status_code == 200
    answer = requests.post(page, data={"choice": choice}, timeout=5, allow_redirects=False)
    return answer.headers["Location"]


def _begin(visitor: Any) -> str:
    """To PayPal's page, as a shopper goes."""
    address = pay(visitor, "paypal:")["Location"]
    return str(visitor.get(address).context["redirect_url"])


def test_shopper_pays_without_javascript(ready: Any, paypal: PayPalSimulator) -> None:
    offered = ready.get("/checkout/payment/").context["methods"]
    assert "paypal:" in [value for value, _name in offered]
    back = click(_begin(ready), "approve")
    page = ready.get(back, follow=True)

    assert page.context["state"] == "decided"
    assert Order.objects.get().payment_status == "paid"
    assert paypal.state()["captured"] == {"EUR": "28.95"}


@pytest.mark.parametrize("choice", ["cancel", "decline"])
def test_shopper_who_does_not_pay_is_offered_other_ways(
    ready: Any, paypal: PayPalSimulator, choice: str
) -> None:
    page = ready.get(click(_begin(ready), choice), follow=True)
    assert page.context["state"] == "waiting"
    assert ("paypal:", "PayPal") in [(value, str(name)) for value, name in page.context["methods"]]
    assert bool(page.context["refused"]) == (choice == "decline")
    again = ready.post(page.context["pay_address"], {"pay_by": "paypal:"})
    page = ready.get(again["Location"])
    ready.get(click(page.context["redirect_url"], "approve"), follow=True)
    assert Order.objects.get().payment_status == "paid"
    assert paypal.state()["captured"] == {"EUR": "28.95"}


def test_payer_has_to_act_once_more(buyer: Buyer, paypal: PayPalSimulator) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url=BACK)
    payment = Payment.objects.get()
    paypal.order_outcome("3ds")
    paypal.approve(payment.provider_id or "")
    services.look_again(order=payment.order)
    payment.refresh_from_db()
    assert (payment.status, payment.redirect_url[:21]) == ("requires_action", paypal.url[:21])


def test_reviewed_by_paypal_is_paid_later(
    buyer: Buyer, paypal: PayPalSimulator, api: APIClient, drain: Drain
) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url=BACK)
    payment = Payment.objects.get()
    paypal.order_outcome("pending")
    paypal.approve(payment.provider_id or "")
    services.look_again(order=payment.order)
    payment.refresh_from_db()
    assert payment.status == "processing"
    paypal.settle_pending(payment.provider_id or "")
    PayPalBench(paypal).deliver(api, paypal.events("PAYMENT.CAPTURE.COMPLETED")[0])
    drain()
    assert Order.objects.get().payment_status == "paid"


def _authorized(buyer: Buyer, paypal: PayPalSimulator, settings: Any) -> Payment:
    settings.PAYPAL_INTENT = "AUTHORIZE"
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url=BACK)
    payment = Payment.objects.get()
    paypal.approve(payment.provider_id or "")
    services.look_again(order=payment.order)
    payment.refresh_from_db()
    assert (payment.status, payment.authorized_amount) == ("authorized", 1695)
    assert Order.objects.get().status == "confirmed"
    return payment


def test_authorized_then_captured_in_part(
    buyer: Buyer, paypal: PayPalSimulator, settings: Any
) -> None:
    payment = _authorized(buyer, paypal, settings)
    captured = services.capture(payment=payment, amount=1000)
    assert (captured.status, captured.captured_amount) == ("authorized", 1000)
    captured = services.void(payment=payment)
    assert (captured.status, captured.captured_amount) == ("captured", 1000)
    with pytest.raises(services.NotCapturable):
        services.capture(payment=payment)
    services.refund(payment=captured)
    assert paypal.state()["refunded"] == {"EUR": "10.00"}


def test_authorized_then_voided(buyer: Buyer, paypal: PayPalSimulator, settings: Any) -> None:
    payment = _authorized(buyer, paypal, settings)
    assert services.void(payment=payment).status == "voided"
    assert paypal.state()["captured"] == {}


def test_token_is_asked_for_once_and_again_when_it_is_taken_back(
    buyer: Buyer, paypal: PayPalSimulator
) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url=BACK)
    services.look_again(order=Order.objects.get())
    assert paypal.state()["requests"]["POST /v1/oauth2/token"] == 1
    paypal.application.tokens.clear()
    services.look_again(order=Order.objects.get())
    assert paypal.state()["requests"]["POST /v1/oauth2/token"] == 2


def test_webhook_that_cannot_be_verified_now_comes_again(
    buyer: Buyer, paypal: PayPalSimulator, api: APIClient
) -> None:
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url=BACK)
    paypal.approve(Payment.objects.get().provider_id or "")
    paypal.add_fault(Fault("/v1/notifications", status=503, times=1))
    bench, event = PayPalBench(paypal), paypal.events("CHECKOUT.ORDER.APPROVED")[0]
    assert bench.deliver(api, event).status_code == 503
    assert bench.deliver(api, event).status_code == 204


def test_who_forges_webhooks_costs_few_questions(
    buyer: Buyer, paypal: PayPalSimulator, api: APIClient
) -> None:
    """All headers are there: only PayPal can tell. Somebody else's network isn't kept waiting."""
    buyer.fill(("MUG", 1))
    buyer.checkout("paypal", return_url=BACK)
    paypal.approve(Payment.objects.get().provider_id or "")
    event = paypal.events("CHECKOUT.ORDER.APPROVED")[0]
    headers = paypal.sign(b"{}")
    paypal.application.is_recording = True

    def send(address: str, signed: dict[str, str] | None) -> Any:
        body = json.dumps(event).encode()
        return api.generic(
            "POST",
            "/api/v1/webhooks/paypal/",
            body,
            content_type="application/json",
            headers=signed or paypal.sign(body),
            REMOTE_ADDR=address,
        )

    answers = [send("192.0.2.1", headers) for _ in range(15)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429] * 5
    assert answers[-1].json()["code"] == "rate_limited"
    assert int(answers[-1]["Retry-After"]) > 0
    assert len(paypal.application.exchanges) == 10
    assert send("198.51.100.1", None).status_code == 204


@pytest.mark.parametrize(
    ("amount", "currency", "value"),
    [(1234, "EUR", "12.34"), (500, "JPY", "500"), (120000, "HUF", "1200"), (7, "USD", "0.07")],
)
def test_amounts_as_paypal_writes_them(amount: int, currency: str, value: str) -> None:
    money = amounts.to_paypal(amount, currency)
    assert money == {"currency_code": currency, "value": value}
    assert amounts.from_paypal(money) == amount


def test_amount_that_paypal_cannot_take_is_refused() -> None:
    with pytest.raises(GatewayError):
        amounts.to_paypal(120050, "HUF")


# The contract.

_FILES = {
    "/v2/checkout": "checkout_orders_v2",
    "/v2/payments": "payments_payment_v2",
    "/v1/notifications": "notifications_webhooks_v1",
}


@cache
def _spec(name: str) -> dict[str, Any]:
    root = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("COMMERCE_SHARED", root.parent / "shared"))
    path = shared / "specs" / "paypal" / f"{name}.json"
    if not path.exists():
        pytest.skip("PayPal's OpenAPI is not here (set COMMERCE_SHARED)")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _wrong(label: str, sent: Any, status: int, answer: Any) -> list[str]:
    """What of one exchange isn't as PayPal's OpenAPI says."""
    method, path = label.split(" ")
    document = _spec(next(name for start, name in _FILES.items() if path.startswith(start)))
    shape = path.split("/")
    paths = document["paths"]
    match = next(
        known
        for known in paths
        if len(parts := known.split("/")) == len(shape)
        and all(a == b or (a == "{}" and b[0] == "{") for a, b in zip(shape, parts, strict=True))
    )
    operation = paths[match][method.lower()]
    found = []
    if method == "POST":
        schema = _json_schema(operation.get("requestBody"), document)
        found += _against(document, schema, sent, "request") if schema else []
    said = operation["responses"].get(str(status))
    assert said is not None, f"{label}: {status} isn't described"
    schema = _json_schema(said, document)
    found += _against(document, schema, answer, f"answer {status}") if schema else []
    return [f"{label} {line}" for line in found]


def _json_schema(described: Any, document: dict[str, Any]) -> Any:
    while described and "$ref" in described:
        described = _at(document, described["$ref"])
    content = (described or {}).get("content", {})
    return content.get("application/json", {}).get("schema")


def _at(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _against(document: dict[str, Any], schema: Any, value: Any, what: str) -> list[str]:
    whole = {**schema, "components": document["components"]}
    errors = Draft202012Validator(whole).iter_errors(value)
    found = [f"{what}: {'/'.join(map(str, e.path))}: {e.message[:120]}" for e in errors]
    return found + [f"{what}: {path} is unknown" for path in _unknown(document, schema, value)]


def _unknown(document: dict[str, Any], schema: Any, value: Any, path: str = "") -> list[str]:
    """Members that no schema names: a typo is one."""
    if isinstance(value, list):
        inner = next((s["items"] for s in _parts(document, schema) if "items" in s), {})
        return [x for item in value for x in _unknown(document, inner, item, f"{path}[]")]
    parts = _parts(document, schema)
    known = {n: s for part in parts for n, s in part.get("properties", {}).items()}
    if not isinstance(value, dict) or not known:
        return []
    found = []
    for name, inner in value.items():
        if name not in known:
            found.append(f"{path}/{name}")
        else:
            found += _unknown(document, known[name], inner, f"{path}/{name}")
    return found


def _parts(document: dict[str, Any], schema: Any) -> list[Any]:
    """A schema with all that it refers to and is made of."""
    found = [schema]
    if "$ref" in schema:
        found += _parts(document, _at(document, schema["$ref"]))
    for name in ("allOf", "anyOf", "oneOf"):
        for inner in schema.get(name, []):
            found += _parts(document, inner)
    return found


def test_requests_and_simulated_answers_are_as_the_openapi_says(
    buyer: Buyer, paypal: PayPalSimulator, settings: Any, api: APIClient, drain: Drain
) -> None:
    paypal.application.is_recording = True
    payment = _authorized(buyer, paypal, settings)
    bench = PayPalBench(paypal)
    captured = services.capture(payment=payment, amount=1000)
    services.refund(payment=captured, amount=400)
    captured = services.capture(payment=payment, amount=300)
    services.refund(payment=captured, amount=800)
    services.void(payment=payment)
    settings.PAYPAL_INTENT = "CAPTURE"
    for outcome in ("", "decline", "void"):
        buyer.fill(("BOOK", 1))
        buyer.checkout("paypal", return_url=BACK, key=outcome or None)
        payment = Payment.objects.latest("pk")
        if outcome == "decline":
            paypal.order_outcome("decline")
        paypal.approve(payment.provider_id or "")
        if outcome == "void":
            services.void(payment=payment)
        services.look_again(order=payment.order)
    for event in paypal.events():
        bench.deliver(api, event)
    drain()
    settings.PAYPAL_INTENT = "AUTHORIZE"
    buyer.fill(("BOOK", 2))
    buyer.checkout("paypal")
    last = Payment.objects.latest("pk")
    paypal.approve(last.provider_id or "")
    services.look_again(order=last.order)
    services.void(payment=last)

    exchanges = paypal.application.exchanges
    labels = {label for label, *_rest in exchanges}
    assert {label.rpartition("/")[2] for label in labels} >= {
        *("orders", "{}", "capture", "authorize", "refund", "void", "verify-webhook-signature"),
    }
    assert sorted({line for exchange in exchanges for line in _wrong(*exchange)}) == []


def test_refusals_are_as_the_openapi_says(buyer: Buyer, paypal: PayPalSimulator) -> None:
    paypal.application.is_recording = True
    client: Any = gateway("paypal")
    for path, ids in (
        ("/v2/checkout/orders/{}", ["NOSUCHORDER"]),
        ("/v2/payments/captures/{}", ["NOSUCHCAPTURE"]),
    ):
        with pytest.raises(GatewayError):
            client.client.get(path, *ids)
    with pytest.raises(GatewayError):
        client.client.post("/v2/checkout/orders", content={"intent": "NOPE"})
    wrong = [line for exchange in paypal.application.exchanges for line in _wrong(*exchange)]
    assert [line for line in wrong if "answer" in line] == []
