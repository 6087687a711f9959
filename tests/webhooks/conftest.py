"""A server of somebody else's, which is told what happened and checks who tells it."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from apps.core import remote
from apps.webhooks import services
from apps.webhooks.models import WebhookEndpoint


def signed_by(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """As a receiver verifies (Standard Webhooks, "Verifying signatures")."""
    key = b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return wanted in headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """Answers `status` with `headers`, once `hold` is set if there is one."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    # Headers in lower case, and the body, of each call.
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.calls]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _body in self.calls]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
            if receiver.hold is not None:
                receiver.hold.wait(timeout=30)
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def listen(settings: Any) -> Iterator[Callable[[], Receiver]]:
    """Starts receivers, on loopback."""
    settings.HTTP_ALLOW_PRIVATE_ADDRESSES = True
    # What a breaker of another test remembers.
    remote._local.clear()
    servers = []

    def start() -> Receiver:
        receiver = Receiver()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
        receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return receiver

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
    remote._local.clear()


@pytest.fixture
def receiver(listen: Callable[[], Receiver]) -> Receiver:
    return listen()


@dataclass(frozen=True)
class Known:
    endpoint: WebhookEndpoint
    secret: str


@pytest.fixture
def endpoint(receiver: Receiver, merchant: Any, store: Any) -> Known:
    """Told of orders and stock."""
    events = ["order.placed", "order.paid", "stock.changed"]
    made = services.create_endpoint(
        created_by=merchant, name="ERP", url=receiver.url, events=events
    )
    return Known(*made)
