"""A carrier of a shop: asked over HTTP, as docs/extending/carrier.md shows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.core.providers import provider
from apps.core.remote import _local
from apps.fulfillment import services
from apps.fulfillment.models import ShippingLabel
from apps.shipping.models import ShippingMethod
from tests.architecture.house import ROOT
from tests.flows.conftest import ADDRESS, Buyer

PAGE = (ROOT / "docs" / "extending" / "carrier.md").read_text()
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


class PostOffice(BaseHTTPRequestHandler):
    """The service of the page. `lost` answers are sold, but not sent."""

    sold: dict[str, dict] = {}
    events: list[dict] = []
    lost = 0

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        name = self.path.rpartition("/")[2]
        if self.path == "/rates":
            cents = 300 + body["grams"] // 10
            self._answer({"rates": [{"code": "fast", "name": "Fast", "cents": cents}]})
        elif self.command == "PUT" and body["service"] != "fast":
            self._answer({"error": "No such service."}, 422)
        elif self.command == "PUT":
            label = {"id": name, "number": f"P{len(self.sold) + 1}", "cents": 420}
            pdf = base64.b64encode(b"%PDF-1.4").decode()
            self.sold.setdefault(name, {**label, "pdf": pdf, "to": body["to"]})
            if self.lost:
                type(self).lost -= 1
                return
            self._answer(self.sold[name])
        elif self.command == "DELETE":
            self.sold.pop(name)
            self._answer({})
        else:
            self._answer({"events": self.events})

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 (the names are http.server's)

    def _answer(self, document: dict, status: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def post(settings, tmp_path, monkeypatch) -> Iterator[type[PostOffice]]:
    """The page's module and setting, with the service on loopback."""
    PostOffice.sold, PostOffice.events, PostOffice.lost = {}, [], 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), PostOffice)
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    module, setting = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    address = f"http://127.0.0.1:{server.server_port}"
    (tmp_path / "shop_post.py").write_text(module.replace("https://post.example.com", address))
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("shop_post", None)
    provider.cache_clear()
    values: dict[str, dict[str, str]] = {}
    exec(setting, values)  # noqa: S102
    settings.SHIPPING_CARRIERS = values["SHIPPING_CARRIERS"]
    settings.HTTP_ALLOW_PRIVATE_ADDRESSES = True
    settings.POST_SECRET = "secret"
    _local.clear()
    yield PostOffice
    server.shutdown()
    server.server_close()


def test_the_carrier_of_the_page_from_rate_to_door(api, shop, post, drain):
    ShippingMethod.objects.update(carrier="post", service="fast")
    buyer = Buyer(api)
    buyer.fill(("BOOK", 2))
    url = f"/api/v1/carts/{buyer.cart_id}/"
    [offer] = api.get(f"{url}shipping-methods/").json()
    assert offer["price"]["amount"] == "3.60"
    done = buyer.checkout()
    assert done.status_code == 201
    order = shop.store.orders.get()
    assert order.shipping == 360
    [shipment] = services.plan_whole(order=order)

    post.lost = 1
    [label] = services.buy_labels(shipment=shipment, carrier="post", service="fast")
    assert (label.status, len(post.sold)) == ("pending", 1)
    [label] = services.buy_labels(shipment=shipment, carrier="post", service="fast")
    assert (label.status, label.tracking_number, label.amount) == ("bought", "P1", 420)
    [sold] = post.sold.values()
    assert sold["to"][1:] == [ADDRESS["line1"], ADDRESS["postal_code"], ADDRESS["city"], "ES"]
    services.void_labels(shipment=shipment)
    assert (post.sold, ShippingLabel.objects.get().status) == ({}, "voided")

    services.buy_labels(shipment=shipment, carrier="post", service="fast")
    services.ship(shipment=shipment)
    post.events = [{"at": "2027-06-07T10:00:00+00:00", "status": "delivered", "text": "Hello"}]
    body = json.dumps({"number": "P1"}).encode()
    signed = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    hook = "/api/v1/webhooks/carriers/post/"
    answers = [
        api.generic("POST", hook, body, "application/json", HTTP_X_POST_SIGNATURE=signature)
        for signature in ("forged", signed)
    ]
    drain()
    order.refresh_from_db()
    assert [answer.status_code for answer in answers] == [400, 204]
    assert order.status == "delivered"


def test_its_refusals_are_told(buy, post):
    [shipment] = services.plan_whole(order=buy(("BOOK", 1)))
    with pytest.raises(services.LabelRefused) as error:
        services.buy_labels(shipment=shipment, carrier="post", service="slow")
    assert "No such service" in error.value.extra["reason"]
