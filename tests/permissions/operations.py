"""The routes as they are: from the OpenAPI schema, and from Django's URL resolver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator

BASE = "/api/v1"
METHODS = ("get", "post", "put", "patch", "delete")
# A well-formed id of nothing.
NOWHERE = UUID("01900000-0000-7000-8000-000000000000")
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Operation:
    """One method of one path; `path` as in the schema, without the base."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    def url(self, **values: Any) -> str:
        """Its address; what `values` don't name is an id of nothing."""
        path = self.path
        for name in re.findall(r"\{(\w+)\}", path):
            path = path.replace("{" + name + "}", str(values.get(name, self._nothing(name))))
        return BASE + path

    def _nothing(self, name: str) -> Any:
        found = [p for p in self.spec.get("parameters", ()) if p["name"] == name]
        is_uuid = found and found[0]["schema"].get("format") == "uuid"
        return NOWHERE if is_uuid else "nothing"

    def parameters(self, where: str) -> set[str]:
        return {p["name"] for p in self.spec.get("parameters", ()) if p["in"] == where}

    def request_schema(self, media_type: str = "application/json") -> dict[str, Any] | None:
        content = self.spec.get("requestBody", {}).get("content", {})
        schema = content.get(media_type, {}).get("schema")
        return None if schema is None else resolve(schema)


@cache
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` without its outer reference."""
    if "$ref" in schema:
        return document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the schema, and the two addresses that serve it."""
    found = [
        Operation(method.upper(), path.removeprefix(BASE), spec)
        for path, item in document()["paths"].items()
        for method, spec in item.items()
        if method in METHODS
    ]
    return (*found, Operation("GET", "/docs/", {}), Operation("GET", "/schema/", {}))


def routes() -> Iterator[tuple[str, URLPattern]]:
    """Every route of the site with its pattern: "admin/orders/order/<path:object_id>/"."""

    def walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
        for entry in resolver.url_patterns:
            route = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, route)
            else:
                yield route, entry

    return walk(get_resolver(), "")


def resolved_operations() -> set[str]:
    """ "METHOD /path" of everything below the API's base that answers, documented or not."""
    found = set()
    for route, pattern in routes():
        if not route.startswith("api/v1/"):
            continue
        path = _CONVERTER.sub(r"{\1}", route.removeprefix("api/v1"))
        view = pattern.callback
        methods = getattr(view, "actions", None) or [
            name for name in METHODS if hasattr(view.cls, name)
        ]
        found |= {f"{name.upper()} {path}" for name in methods if name in METHODS}
    return found
