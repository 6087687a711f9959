"""Asking the shop below Django's test client: by WSGI, as a server does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

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
        chunks = self.application(environ, lambda *given: said.extend(given))
        body = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
        return Told(int(said[0].split()[0]), CaseInsensitiveMapping(said[1]), body)
