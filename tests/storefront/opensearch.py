"""An OpenSearch on loopback: the part of its documented API that we use, read strictly.

https://docs.opensearch.org/latest/api-reference/: Create index, Bulk, Search, Alias. What it
doesn't know it refuses with 400, as the server does. Scores are boosts, without frequencies.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from apps.storefront.engines.words import distance, folded, stem

_STEMMERS = {f"light_{name}": name[:2] for name in ("english", "french", "german", "italian")}
_STEMMERS |= {"light_spanish": "es", "light_portuguese": "pt", "light_german": "de"}
_TYPES = {"text", "keyword", "long", "integer", "boolean"}


class Refused(Exception):
    def __init__(self, kind: str, reason: str, status: int = 400) -> None:
        self.status = status
        self.body = {"error": {"type": kind, "reason": reason}, "status": status}


def _only(given: dict[str, Any], *known: str) -> None:
    if unknown := set(given) - set(known):
        raise Refused("parsing_exception", f"unknown key {sorted(unknown)}")


class Index:
    def __init__(self, body: dict[str, Any]) -> None:
        _only(body, "settings", "mappings")
        analysis = body["settings"]["analysis"]
        _only(body["settings"], "analysis")
        _only(analysis, "filter", "analyzer")
        self.stems: dict[str, str] = {}
        for name, made in analysis["filter"].items():
            _only(made, "type", "language")
            if made["type"] != "stemmer" or made["language"] not in _STEMMERS:
                raise Refused("illegal_argument_exception", f"Failed to build filter {name}")
            self.stems[name] = _STEMMERS[made["language"]]
        self.analyzers: dict[str, list[str]] = {}
        for name, made in analysis["analyzer"].items():
            _only(made, "type", "tokenizer", "filter")
            if (made["type"], made["tokenizer"]) != ("custom", "standard"):
                raise Refused("illegal_argument_exception", name)
            if set(made["filter"]) - {"lowercase", "asciifolding", *self.stems}:
                raise Refused("illegal_argument_exception", f"no such filter in {name}")
            self.analyzers[name] = made["filter"]
        _only(body["mappings"], "dynamic", "properties")
        self.fields: dict[str, dict[str, Any]] = {}
        for name, field in body["mappings"]["properties"].items():
            self._field(name, field)
        self.rows: dict[str, tuple[int, dict[str, Any]]] = {}

    def _field(self, name: str, field: dict[str, Any]) -> None:
        _only(field, "type", "analyzer", "fields")
        if field["type"] not in _TYPES or field.get("analyzer", "plain") not in self.analyzers:
            raise Refused("mapper_parsing_exception", name)
        self.fields[name] = field
        for sub, more in field.get("fields", {}).items():
            self._field(f"{name}.{sub}", more)

    def words(self, name: str, value: Any) -> list[str]:
        """The terms of a value, as the analyzer of a field makes them."""
        field = self.fields.get(name)
        if field is None:
            return []
        values = value if isinstance(value, list) else [value]
        if field["type"] != "text":
            return [str(each) for each in values]
        found = [word for each in values for word in re.findall(r"\w+", folded(str(each)))]
        for used in self.analyzers[field["analyzer"]]:
            if used in self.stems:
                found = [stem(word, self.stems[used]) for word in found]
        return found

    def of(self, row: dict[str, Any], name: str) -> list[str]:
        value = row.get(name.split(".")[0])
        return [] if value is None else self.words(name, value)


class World:
    def __init__(self) -> None:
        self.indexes: dict[str, Index] = {}
        self.aliases: dict[str, str] = {}
        self.down = False
        self.slow = 0.0
        self.searches: list[dict[str, Any]] = []

    def handle(
        self, method: str, path: str, query: str, kind: str, body: bytes
    ) -> tuple[int, dict[str, Any]]:
        if (method, path) == ("POST", "/_bulk"):
            if kind != "application/x-ndjson" or not body.endswith(b"\n"):
                raise Refused("illegal_argument_exception", "The bulk request must end in \\n")
            return 200, self._bulk(body, query)
        data = json.loads(body) if body else {}
        if (method, path) == ("POST", "/_aliases"):
            return 200, self._alias(data)
        if method == "GET" and path.startswith("/_alias/"):
            name = path.removeprefix("/_alias/")
            if name not in self.aliases:
                return 404, {"error": f"alias [{name}] missing", "status": 404}
            return 200, {self.aliases[name]: {"aliases": {name: {}}}}
        if method == "POST" and path.endswith("/_search"):
            return 200, self._search(self._index(path[1:].removesuffix("/_search")), data)
        return 200, self._one(method, path[1:], data)

    def _one(self, method: str, name: str, data: dict[str, Any]) -> dict[str, Any]:
        if method == "PUT" and re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
            if name in self.indexes:
                raise Refused("resource_already_exists_exception", name)
            self.indexes[name] = Index(data)
            return {"acknowledged": True, "shards_acknowledged": True, "index": name}
        if method == "DELETE" and name in self.indexes:
            del self.indexes[name]
            return {"acknowledged": True}
        raise Refused("index_not_found_exception", f"no such index [{name}]", 404)

    def _index(self, name: str) -> Index:
        found = self.indexes.get(self.aliases.get(name, name))
        if found is None:
            raise Refused("index_not_found_exception", f"no such index [{name}]", 404)
        return found

    def _alias(self, data: dict[str, Any]) -> dict[str, Any]:
        _only(data, "actions")
        changed = dict(self.aliases)
        for action in data["actions"]:
            ((verb, given),) = action.items()
            _only(given, "index", "alias")
            self._index(given["index"])
            if verb == "remove" and changed.get(given["alias"]) == given["index"]:
                del changed[given["alias"]]
            elif verb == "add":
                changed[given["alias"]] = given["index"]
            else:
                raise Refused("aliases_not_found_exception", "aliases missing", 404)
        self.aliases = changed
        return {"acknowledged": True}

    def _bulk(self, body: bytes, query: str) -> dict[str, Any]:
        if query not in ("", "require_alias=true"):
            raise Refused("illegal_argument_exception", f"unrecognized parameter: {query}")
        lines, items = iter(body.decode().splitlines()), []
        for line in lines:
            ((verb, meta),) = json.loads(line).items()
            _only(meta, "_index", "_id", "version", "version_type")
            row = json.loads(next(lines)) if verb == "index" else None
            try:
                if query and meta["_index"] not in self.aliases:
                    raise Refused("index_not_found_exception", "require_alias is true", 404)
                status, more = self._put(verb, meta, row), {}
            except Refused as error:
                status, more = error.status, {"error": error.body["error"]}
            items.append(
                {verb: {"_index": meta["_index"], "_id": meta["_id"], "status": status, **more}}
            )
        failed = any("error" in result for item in items for result in item.values())
        return {"took": 1, "errors": failed, "items": items}

    def _put(self, verb: str, meta: dict[str, Any], row: dict[str, Any] | None) -> int:
        index, key = self._index(meta["_index"]), meta["_id"]
        if verb == "delete":
            return 200 if index.rows.pop(key, None) else 404
        if verb != "index" or row is None or meta.get("version_type") != "external_gte":
            raise Refused("illegal_argument_exception", verb)
        if unknown := set(row) - set(index.fields):
            raise Refused("strict_dynamic_mapping_exception", f"not allowed: {unknown}")
        if key in index.rows and index.rows[key][0] > meta["version"]:
            raise Refused("version_conflict_engine_exception", "version conflict", 409)
        index.rows[key] = (meta["version"], row)
        return 201

    def _search(self, index: Index, body: dict[str, Any]) -> dict[str, Any]:
        _only(body, "size", "_source", "track_total_hits", "timeout", "query")
        if body["size"] > 10_000:
            raise Refused("illegal_argument_exception", "Result window is too large")
        self.searches.append(body)
        hits = []
        for key, (_version, row) in index.rows.items():
            score = _score(index, body["query"], row)
            if score is not None:
                hits.append({"_index": "x", "_id": key, "_score": score})
        hits.sort(key=lambda hit: -hit["_score"])
        return {
            "took": 1,
            "timed_out": False,
            "hits": {"max_score": None, "hits": hits[: body["size"]]},
        }


def _score(index: Index, query: dict[str, Any], row: dict[str, Any]) -> float | None:
    """None: it doesn't match."""
    ((kind, given),) = query.items()
    return _KINDS[kind](index, given, row) if kind in _KINDS else _unknown(kind)


def _unknown(kind: str) -> float:
    raise Refused("parsing_exception", f"unknown query [{kind}]")


def _bool(index: Index, given: dict[str, Any], row: dict[str, Any]) -> float | None:
    _only(given, "filter", "must", "should")
    for each in given.get("filter", ()):
        if _score(index, each, row) is None:
            return None
    scores = [_score(index, each, row) for each in given.get("must", ())]
    if None in scores:
        return None
    more = [_score(index, each, row) for each in given.get("should", ())]
    return sum(score or 0.0 for score in (*scores, *more))


def _dis_max(index: Index, given: dict[str, Any], row: dict[str, Any]) -> float | None:
    _only(given, "queries")
    found = [score for each in given["queries"] if (score := _score(index, each, row)) is not None]
    return max(found, default=None)


def _function(index: Index, given: dict[str, Any], row: dict[str, Any]) -> float | None:
    _only(given, "query", "functions", "score_mode", "boost_mode")
    assert (given["score_mode"], given["boost_mode"]) == ("sum", "sum")
    score = _score(index, given["query"], row)
    for function in given["functions"] if score is not None else ():
        _only(function, "filter", "weight", "field_value_factor")
        if "filter" in function and _score(index, function["filter"], row) is None:
            continue
        factor = function.get("field_value_factor")
        value = row.get(factor["field"], factor["missing"]) if factor else 1
        score = (score or 0) + value * function["weight"]
    return score


def _term(index: Index, given: dict[str, Any], row: dict[str, Any]) -> float | None:
    ((name, value),) = given.items()
    boost = 1.0
    if isinstance(value, dict):
        _only(value, "value", "boost")
        value, boost = value["value"], value["boost"]
    return boost if str(value) in index.of(row, name) else None


def _match(index: Index, given: dict[str, Any], row: dict[str, Any]) -> float | None:
    ((name, asked),) = given.items()
    _only(asked, "query", "operator", "boost", "fuzziness", "prefix_length")
    words, there = index.words(name, asked["query"]), index.of(row, name)
    slips = asked.get("fuzziness")
    assert slips in (None, "AUTO:4,8")

    def near(word: str) -> bool:
        most = (0 if len(word) < 4 else 1 if len(word) < 8 else 2) if slips else 0
        return any(
            word == other or (word[:1] == other[:1] and distance(word, other) <= most)
            for other in there
        )

    return asked["boost"] if words and all(near(word) for word in words) else None


def _phrase(index: Index, given: dict[str, Any], row: dict[str, Any]) -> float | None:
    ((name, asked),) = given.items()
    _only(asked, "query", "boost")
    *words, last = index.words(name, asked["query"]) or [""]
    there = index.of(row, name)
    for start in range(len(there) - len(words)):
        before, after = there[start : start + len(words)], there[start + len(words)]
        if before == words and last and after.startswith(last):
            return asked["boost"]
    return None


_KINDS: dict[str, Callable[[Index, Any, dict[str, Any]], float | None]] = {
    "bool": _bool,
    "dis_max": _dis_max,
    "function_score": _function,
    "term": _term,
    "match": _match,
    "match_phrase_prefix": _phrase,
}


def handler(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind, address = self.headers.get("Content-Type", ""), urlsplit(self.path)
            time.sleep(world.slow)
            try:
                if world.down:
                    raise Refused("cluster_block_exception", "down", 503)
                status, data = world.handle(self.command, address.path, address.query, kind, body)
            except Refused as error:
                status, data = error.status, error.body
            told = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def do_GET(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
