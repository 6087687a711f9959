"""What travels between the socket and a simulated API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are lower case; `query` and `body` are still encoded."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """One HTTP reply. With `drop` the connection is cut and nothing of it is sent."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    drop: bool = False


def json_reply(status: int, content: Any, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    body = json.dumps(content, indent=2, ensure_ascii=False).encode()
    return Reply(status, body, JSON_TYPE, headers)


def html_reply(status: int, page: str) -> Reply:
    return Reply(status, page.encode(), HTML_TYPE, (("Cache-Control", "no-store"),))


def redirect(url: str) -> Reply:
    return Reply(303, b"", HTML_TYPE, (("Location", url),))
