"""Asking the shop below Django's test client: by WSGI, as a server does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory
from django.utils.datastructures import CaseInsensitiveMapping


@dataclass(frozen=True)
class Told:
    status: int
    headers: CaseInsensitiveMapping[str]
    body: bytes


class Wsgi:
    """A caller of a WSGI application, that counts how often Django was asked behind it."""

    def __init__(self, make: Callable[[Any], Any], django: Any) -> None:
        self.asked = 0

        def counted(environ: Any, start_response: Any) -> Iterable[bytes]:
            self.asked += 1
            return django(environ, start_response)

        self.application = make(counted)

    def get(self, path: str, method: str = "GET", **headers: str) -> Told:
        """`HTTP_…` names in lower case: `get("/x/", x_store="web")`."""
        environ = RequestFactory().generic(method, path).environ
        environ["HTTP_HOST"] = "shop.example.com"
        for name, value in headers.items():
            environ[f"HTTP_{name.upper()}"] = value
        said: list[Any] = []
        with _connections_stay():
            chunks = self.application(environ, lambda *given: said.extend(given))
            body = b"".join(chunks)
            if hasattr(chunks, "close"):
                chunks.close()
        return Told(int(said[0].split()[0]), CaseInsensitiveMapping(said[1]), body)


@contextmanager
def _connections_stay() -> Iterator[None]:
    """As in Django's test client: the test's transaction outlives the request."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
