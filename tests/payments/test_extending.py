"""The gateway of docs/extending/payment-gateway.md, against its service over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone

from apps.core.providers import provider
from apps.orders.models import Order
from apps.payments import services
from apps.payments.models import Payment, ProviderEvent
from tests.architecture.house import ROOT
from tests.flows.conftest import Buyer, buyer, shop

__all__ = ["buyer", "shop"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
PAGE = (ROOT / "docs" / "extending" / "payment-gateway.md").read_text()


class Example(BaseHTTPRequestHandler):
    """pay.example.com: its payments by id, its answers by key; loses answers when told."""

    payments: dict[str, dict[str, Any]] = {}
    answers: dict[str, Any] = {}
    lose = 0

    def do_GET(self) -> None:
        payment = self.payments.get(self.path.split("/")[2])
        self._say(200 if payment else 404, payment or {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        key = self.headers["Idempotency-Key"]
        assert self.headers["Authorization"] == "Bearer key"
        if key not in self.answers:
            self.answers[key] = self._do(self.path.split("/")[2:], body)
        if Example.lose:
            Example.lose -= 1
            self.connection.close()
            return
        self._say(*self.answers[key])

    def _do(self, path: list[str], body: dict[str, Any]) -> tuple[int, Any]:
        if not path:
            identifier = f"ex_{len(self.payments)}"
            zero = dict.fromkeys(("authorized", "captured", "refunded"), "0")
            page = f"http://pay.example/{identifier}"
            payment = {"id": identifier, "status": "open", "page": page, **zero, **body}
            self.payments[identifier] = payment
            return 201, payment
        payment = self.payments[path[0]]
        if path[1] == "cancel":
            payment["status"] = "cancelled"
        elif path[1] == "capture":
            payment |= {"status": "paid", "captured": body["amount"]}
        elif Decimal(body["amount"]) > Decimal(payment["captured"]) - Decimal(payment["refunded"]):
            return 422, {}
        else:
            payment["refunded"] = str(Decimal(payment["refunded"]) + Decimal(body["amount"]))
            return 201, {"id": f"re_{len(self.answers)}", "status": "succeeded"}
        return 200, payment

    def _say(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def example(settings: Any, tmp_path: Any, monkeypatch: Any) -> Iterator[type[Example]]:
    """The page's module and settings, with the service on loopback."""
    Example.payments, Example.answers, Example.lose = {}, {}, 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Example)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    module, setting = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    (tmp_path / "shop_payments.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("shop_payments", None)
    provider.cache_clear()
    values: dict[str, Any] = {}
    address = f"http://127.0.0.1:{server.server_port}"
    exec(setting.replace("https://pay.example.com", address), values)  # noqa: S102
    for name in [name for name in values if name.isupper()]:
        setattr(settings, name, values[name])
    yield Example
    server.shutdown()
    server.server_close()
    provider.cache_clear()


def _begin(buyer: Buyer) -> Payment:
    buyer.fill(("MUG", 1))
    placed = buyer.checkout("example", return_url="https://shop.example/done")
    assert placed.status_code == 201, placed.json()
    return Payment.objects.get()


def _pay(example: type[Example], status: str = "paid") -> None:
    [payment] = example.payments.values()
    taken = "16.95" if status == "paid" else "0"
    authorized = "16.95" if status in ("paid", "authorized") else "0"
    payment |= {"status": status, "authorized": authorized, "captured": taken}


def _deliver(buyer: Buyer, event: dict[str, str], secret: bytes = b"secret") -> int:
    body = json.dumps(event).encode()
    signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
    answer = buyer.client.generic(
        "POST",
        "/api/v1/webhooks/example/",
        body,
        content_type="application/json",
        headers={"X-Example-Signature": signature},
    )
    return int(answer.status_code)


def test_paid_by_webhook_then_given_back(
    buyer: Buyer, example: type[Example], drain: Callable[[], int]
) -> None:
    payment = _begin(buyer)
    assert payment.redirect_url == "http://pay.example/ex_0"
    _pay(example)
    event = {"id": "ev_1", "type": "payment.paid", "payment": "ex_0"}
    assert _deliver(buyer, event, b"other") == 400
    assert not ProviderEvent.objects.exists()
    assert [_deliver(buyer, event) for _time in range(2)] == [204, 204]
    drain()
    assert Order.objects.get().payment_status == "paid"
    services.refund(payment=payment, amount=500)
    services.refund(payment=payment)
    assert example.payments["ex_0"]["refunded"] == "16.95"


def test_lost_answers_are_asked_for_again(buyer: Buyer, example: type[Example]) -> None:
    example.lose = 1
    assert _begin(buyer).status == "created"
    services.reconcile(now=timezone.now() + timedelta(minutes=3))
    _pay(example)
    services.reconcile(now=timezone.now() + timedelta(minutes=9))
    assert (len(example.payments), Order.objects.get().payment_status) == (1, "paid")


def test_authorized_then_captured_or_let_go(buyer: Buyer, example: type[Example]) -> None:
    payment = _begin(buyer)
    _pay(example, "authorized")
    services.look_again(order=payment.order)
    assert Order.objects.get().status == "confirmed"
    captured = services.capture(payment=payment, amount=1000)
    assert (captured.status, captured.captured_amount) == ("captured", 1000)
    with pytest.raises(services.NotVoidable):
        services.void(payment=payment)


def test_declined_waits_for_another_payment(buyer: Buyer, example: type[Example]) -> None:
    payment = _begin(buyer)
    _pay(example, "declined")
    services.look_again(order=payment.order)
    payment.refresh_from_db()
    assert (payment.status, Order.objects.get().status) == ("failed", "pending")
