"""Search by an OpenSearch server: what is asked of it, and how its answers are read.

https://docs.opensearch.org/latest/api-reference/ (Search, Bulk, Index and Alias APIs). Filters,
pages and what shoppers may see stay the database's: the server tells only which listings match.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.conf import settings

from apps.core.http import FetchError, send
from apps.core.remote import RemoteError, ask_all
from apps.storefront.engines.words import chunks, stem
from apps.storefront.querysets import ListingQuerySet
from apps.storefront.selectors.pages import Window
from apps.storefront.selectors.search.base import Asked, SearchBackend, rows_of
from apps.storefront.selectors.search.database import DatabaseReader
from apps.storefront.selectors.search.meanings import words_of
from apps.storefront.selectors.search.rules import synonyms

# Of a search, how many listings are asked for: a list is ranked, and counted, as far as that.
MOST_FOUND = 5_001
_MOST_BYTES = 20_000_000
# What a match is worth by its place, and one that is only begun or misspelt.
_PLACES = {"name": 5.0, "labels": 3.0, "text": 1.0}
_SKU, _BEGUN, _MISSPELT, _PHRASE = 9.0, 2.0, 0.5, 10.0
_POPULAR, _IN_STOCK = 0.2, 0.1
# So that scores are whole numbers.
_SCALE = 1_000


def alias_of(language: str) -> str:
    """Where the documents of a language are: each has its own analysis."""
    return f"{settings.OPENSEARCH_INDEX}-{language}"


def call(
    method: str, path: str, body: bytes = b"", *, kind: str = "application/json"
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer. Raises RemoteError: permanent where the server refused."""
    try:
        answer = send(
            method,
            settings.OPENSEARCH_URL.rstrip("/") + path,
            body=body or None,
            max_bytes=_MOST_BYTES,
            headers={"Accept": "application/json", "Content-Type": kind},
            inside=True,
        )
    except FetchError as error:
        raise RemoteError(str(error), permanent=False) from error
    try:
        data = json.loads(answer.body or b"{}")
    except ValueError as error:
        raise RemoteError("The answer isn't JSON.", permanent=False) from error
    if answer.status >= 500 or answer.status == 429:
        raise RemoteError(f"The server answered {answer.status}.", permanent=False)
    return answer.status, data


class OpenSearchReader(DatabaseReader):
    """The reading half. While the server can't be asked, the database's own search answers; it
    completes words and corrects them too.
    """

    def matching(self, listings: ListingQuerySet, asked: Asked) -> ListingQuerySet:
        ranked = _ranked(asked)
        if ranked is None:
            return super().matching(listings, asked)
        return listings.filter(pk__in=[pk for _rank, pk in ranked])

    # Of the vocabulary here it knows nothing.
    best_shown = SearchBackend.best_shown

    def best(
        self, listings: ListingQuerySet, asked: Asked, *, fields: Sequence[str], window: Window
    ) -> list[tuple[Any, ...]]:
        ranked = _ranked(asked)
        if ranked is None:
            return super().best(listings, asked, fields=fields, window=window)
        # The database knows which of them the filters leave.
        left = set(
            listings.filter(pk__in=[pk for _rank, pk in ranked]).values_list("pk", flat=True)
        )
        pairs = [pair for pair in ranked if pair[1] in left]
        return rows_of(pairs, listings, fields, window)


def _ranked(asked: Asked) -> list[tuple[int, int]] | None:
    """Rank and key of what the server finds; None where it can't be asked, or there is no word."""
    body = search_body(asked)
    if body is None:
        return None
    path = f"/{alias_of(asked.language)}/_search"
    ask = partial(_search, path, json.dumps(body).encode())
    found: list[tuple[int, int]] | None = ask_all(
        {"opensearch": ask}, patience=settings.OPENSEARCH_PATIENCE
    ).get("opensearch")
    return found


def _search(path: str, body: bytes) -> list[tuple[int, int]]:
    status, data = call("POST", path, body)
    if status != 200 or data["timed_out"]:
        raise RemoteError(f"The server answered {status}.", permanent=status == 400)
    hits = data["hits"]["hits"]
    return [(round(hit["_score"] * _SCALE), int(hit["_id"])) for hit in hits]


def search_body(asked: Asked) -> dict[str, Any] | None:
    """The request for a search; None without a word. Every word must match somewhere."""
    words = [chunk.whole for chunk in words_of(asked)]
    if not words:
        return None
    same = synonyms(store_id=asked.store_id)
    matched: dict[str, Any] = {
        "filter": [{"term": {"store": asked.store_id}}],
        "must": [_word(word, sorted(same.get(stem(word, asked.language), ()))) for word in words],
    }
    if len(words) > 1:
        typed = " ".join(part for chunk in chunks(asked.search) for part in chunk.parts)
        begins = {"query": typed, "boost": _PHRASE}
        matched["should"] = [{"match_phrase_prefix": {"name": begins}}]
    return {
        "size": MOST_FOUND,
        "_source": False,
        "track_total_hits": False,
        "timeout": f"{int(settings.OPENSEARCH_PATIENCE * 1000)}ms",
        "query": {
            "function_score": {
                "query": {"bool": matched},
                "functions": [
                    {
                        "field_value_factor": {"field": "popularity", "missing": 0},
                        "weight": _POPULAR,
                    },
                    {"filter": {"term": {"in_stock": True}}, "weight": _IN_STOCK},
                ],
                "score_mode": "sum",
                "boost_mode": "sum",
            }
        },
    }


def _word(word: str, alike: Sequence[str]) -> dict[str, Any]:
    """A word in the best of its places; begun, or with a slip of the fingers, for less."""
    queries: list[dict[str, Any]] = [{"term": {"skus": {"value": word, "boost": _SKU}}}]
    for each in (word, *alike):
        queries += [
            {"match": {place: {"query": each, "operator": "and", "boost": boost}}}
            for place, boost in _PLACES.items()
        ]
    for place in ("name.plain", "labels.plain"):
        queries.append({"match_phrase_prefix": {place: {"query": word, "boost": _BEGUN}}})
        # A number that is off by one is another number.
        if word.isalpha():
            near = {"query": word, "fuzziness": "AUTO:4,8", "prefix_length": 1, "boost": _MISSPELT}
            queries.append({"match": {place: near}})
    return {"dis_max": {"queries": queries}}
