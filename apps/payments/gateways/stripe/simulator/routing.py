"""Which handler answers a path, and the two things every endpoint shares: lists and expansion."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

from apps.payments.gateways.simulation.wire import JsonObject

from .errors import invalid
from .params import Params
from .store import Store
from .wire import Call
from .world import World

Handler = Callable[[World, Call], JsonObject]

LIST_PARAMS = ("limit", "starting_after", "ending_before", "created", "expand")
MAX_EXPANSION_DEPTH = 4


@dataclass(frozen=True)
class Route:
    """An endpoint. `{}` in the path is an identifier; `browser` admits a publishable key."""

    method: str
    path: str
    handler: Handler
    browser: bool = False

    @property
    def label(self) -> str:
        return f"{self.method} {self.path.replace('{}', ':id')}"


class Router:
    """Exact segments win over identifiers."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = [(route, route.path.split("/")) for route in routes]
        self.routes.sort(key=lambda pair: pair[1].count("{}"))

    def match(self, method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
        segments = path.split("/")
        for route, pattern in self.routes:
            if route.method != method or len(pattern) != len(segments):
                continue
            pairs = list(zip(pattern, segments, strict=True))
            if all(expected in ("{}", actual) for expected, actual in pairs):
                ids = tuple(actual for expected, actual in pairs if expected == "{}")
                if all(ids) and "search" not in ids:
                    return route, ids
        return None


def page(rows: list[JsonObject], call: Call) -> JsonObject:
    """One page of a list, newest first ("Pagination"): limit 1 to 100, 10 unless told."""
    params = Params(call.params)
    limit = params.integer("limit", 1)
    if limit is not None and limit > 100:
        raise invalid("This value must be less than or equal to 100.", "limit")
    rows = within(rows, params, "created")
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise invalid(
            "Received both starting_after and ending_before.", None, "parameters_exclusive"
        )
    size = limit or 10
    if before:
        earlier = rows[: _position(rows, before, "ending_before")]
        shown, more = earlier[-size:], len(earlier) > size
    else:
        rest = rows[_position(rows, after, "starting_after") + 1 :] if after else rows
        shown, more = rest[:size], len(rest) > size
    return {"object": "list", "url": call.path, "has_more": more, "data": shown}


def matching(rows: list[JsonObject], call: Call, *names: str) -> list[JsonObject]:
    """The rows whose fields equal the filters the request gives."""
    params = Params(call.params)
    params.only((*LIST_PARAMS, *names))
    wanted = {name: value for name in names if (value := params.text(name))}
    return [row for row in rows if all(row.get(name) == wanted[name] for name in wanted)]


def expanded(world: World, answer: JsonObject, call: Call) -> JsonObject:
    """A copy of the answer with the references of `expand[]` replaced by the objects."""
    paths = Params(call.params).texts("expand")
    answer = copy.deepcopy(answer)
    for path in paths:
        segments = path.split(".")
        if len(segments) > MAX_EXPANSION_DEPTH + 1:
            raise invalid("You cannot expand more than 4 levels of a property.", "expand")
        _expand(world.store, answer, segments, path)
    return answer


def _expand(store: Store, node: JsonObject, segments: list[str], path: str) -> None:
    name, rest = segments[0], segments[1:]
    if name == "refunds" and node.get("object") == "charge":
        node[name] = _refunds_of(store, node["id"])
    if name == "line_items" and node.get("object") == "checkout.session":
        node[name] = copy.deepcopy(store.private(node["id"])["line_items"])
    if name not in node:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    value = node[name]
    if isinstance(value, str):
        found = store.find(value)
        if found is None:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        node[name] = value = copy.deepcopy(found)
    for child in value if isinstance(value, list) else [value]:
        if rest and isinstance(child, dict):
            _expand(store, child, rest, path)


def _refunds_of(store: Store, charge: str) -> JsonObject:
    data = [copy.deepcopy(row) for row in store.rows("refund") if row["charge"] == charge]
    url = f"/v1/charges/{charge}/refunds"
    return {"object": "list", "url": url, "has_more": False, "data": data}


def _position(rows: list[JsonObject], identifier: str, param: str) -> int:
    for position, row in enumerate(rows):
        if row["id"] == identifier:
            return position
    raise invalid(f"No such object: '{identifier}'", param, "resource_missing")


def within(rows: list[JsonObject], params: Params, name: str) -> list[JsonObject]:
    """The rows whose moment `name` is the given one, or within the given bounds."""
    if not isinstance(params.values.get(name), dict):
        exact = params.integer(name)
        return [row for row in rows if exact is None or row[name] == exact]
    bounds = params.nested(name)
    bounds.only(("gt", "gte", "lt", "lte"))
    gt, gte = bounds.integer("gt"), bounds.integer("gte")
    lt, lte = bounds.integer("lt"), bounds.integer("lte")
    return [
        row
        for row in rows
        if (gt is None or row[name] > gt)
        and (gte is None or row[name] >= gte)
        and (lt is None or row[name] < lt)
        and (lte is None or row[name] <= lte)
    ]
