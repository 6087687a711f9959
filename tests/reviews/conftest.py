"""A mug on sale that the shopper has bought, and a virus scanner that speaks clamd's protocol."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.core.invariants import violations
from apps.products.models import Product
from apps.reviews.models import Review
from apps.stores.models import Store
from tests.factories.products import ProductFactory
from tests.factories.reviews import bought

API = "/api/v1"
URL = f"{API}/products/mug/reviews/"
# The test file of the European Institute for Computer Antivirus Research, in two pieces.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture
def mug(store: Store) -> Product:
    return ProductFactory(slug="mug", name="Mug", stores=[store])


@pytest.fixture
def written(as_shopper: Any, shopper: Any, mug: Product, store: Store) -> Callable[..., Review]:
    """`written(rating=4, …)`: the shopper's review of the mug they bought, by the API."""

    def write(**words: Any) -> Review:
        bought(shopper.customer, mug, store)
        answer = as_shopper.post(URL, {"rating": 4, "title": "Fine", "text": "A mug.", **words})
        assert answer.status_code == 201, answer.content
        return Review.objects.get(public_id=answer.json()["id"])

    return write


@pytest.fixture
def rating_is_true(db: None) -> Iterator[None]:
    """At the end the ratings are what the reviews say, and no photo is shown unseen."""
    yield
    ours = {
        name: found
        for name, found in violations().items()
        if "rating" in name or "sees a photo" in name
    }
    assert len(ours) == 2
    assert not any(ours.values()), ours


class Clamd(socketserver.ThreadingTCPServer):
    """INSTREAM as clamd(8) has it: finds EICAR, and complains of what isn't the protocol."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Scan)
        self.scanned: list[int] = []
        self.says: bytes | None = None

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.server_address[1]}"


class _Scan(socketserver.StreamRequestHandler):
    server: Clamd

    def handle(self) -> None:
        command = b"zINSTREAM\0"
        if self.rfile.read(len(command)) != command:
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        data = b""
        while size := struct.unpack("!L", self.rfile.read(4))[0]:
            data += self.rfile.read(size)
        self.server.scanned.append(len(data))
        found = b"stream: Win.Test.EICAR_HDB-1 FOUND\0" if EICAR in data else b"stream: OK\0"
        self.wfile.write(self.server.says or found)


@pytest.fixture
def clamd(settings: Any) -> Iterator[Clamd]:
    with Clamd() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        settings.CLAMD_URL = server.url
        yield server
        server.shutdown()
        thread.join()
