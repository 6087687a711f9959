"""The writing half of OpenSearch: documents follow the listings, after the commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.utils import timezone

from apps.core.events import publish
from apps.core.html import plain_text
from apps.core.remote import RemoteError
from apps.storefront.engines.words import chunks
from apps.storefront.events import ListingsIndexed
from apps.storefront.selectors.search import Document
from apps.storefront.selectors.search.opensearch import OpenSearchReader, alias_of, call
from apps.storefront.services.indexing import DatabaseSearch

# Of OpenSearch's stemmers, those as light as our own.
_STEMMERS = {
    "en": "light_english",
    "es": "light_spanish",
    "de": "light_german",
    "fr": "light_french",
    "it": "light_italian",
    "pt": "light_portuguese",
}
_TEXT_LENGTH = 3_000


class OpenSearch(OpenSearchReader, DatabaseSearch):
    """The database's tables are written too: they complete, correct, and stand in."""

    def index(self, *, documents: Sequence[Document]) -> None:
        super().index(documents=documents)
        self._tell([document.listing_id for document in documents])

    def forget(self, *, listing_ids: Iterable[int]) -> None:
        gone = list(listing_ids)
        super().forget(listing_ids=gone)
        self._tell(gone)

    def _tell(self, listing_ids: list[int]) -> None:
        if listing_ids:
            publish(ListingsIndexed(listing_ids=listing_ids))

    def send(
        self, *, documents: Sequence[Document], gone: Sequence[int], languages: Iterable[str]
    ) -> int:
        lines = [line for document in documents for line in _indexed(document)]
        lines += [
            {"delete": {"_index": alias_of(language), "_id": str(pk)}}
            for language in languages
            for pk in gone
        ]
        # An index that a document made would have no analysis.
        _bulk(lines, "?require_alias=true")
        return len(documents)

    def renew(self, *, language: str, batches: Callable[[], Iterable[Sequence[Document]]]) -> int:
        alias = alias_of(language)
        index = f"{alias}-{timezone.now():%Y%m%d%H%M%S%f}"
        _expect(call("PUT", f"/{index}", json.dumps(index_body(language)).encode()))
        sent = 0
        for documents in batches():
            _bulk([line for document in documents for line in _indexed(document, index)])
            sent += len(documents)
        status, known = call("GET", f"/_alias/{alias}")
        old = sorted(known) if status == 200 else []
        actions: list[dict[str, Any]] = [
            {"remove": {"index": each, "alias": alias}} for each in old
        ]
        actions.append({"add": {"index": index, "alias": alias}})
        # Both at once: no search meets neither.
        _expect(call("POST", "/_aliases", json.dumps({"actions": actions}).encode()))
        for each in old:
            call("DELETE", f"/{each}")
        return sent


def index_body(language: str) -> dict[str, Any]:
    """Settings and mapping of a language's index."""
    plain = ["lowercase", "asciifolding"]
    stems = {"stems": {"type": "stemmer", "language": _STEMMERS.get(language, "")}}
    known = language in _STEMMERS
    analyzed = {
        "type": "text",
        "analyzer": "stemmed",
        "fields": {"plain": {"type": "text", "analyzer": "plain"}},
    }
    return {
        "settings": {
            "analysis": {
                "filter": stems if known else {},
                "analyzer": {
                    "plain": {"type": "custom", "tokenizer": "standard", "filter": plain},
                    "stemmed": {
                        "type": "custom",
                        "tokenizer": "standard",
                        "filter": [*plain, "stems"] if known else plain,
                    },
                },
            }
        },
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "store": {"type": "long"},
                "name": analyzed,
                "skus": {"type": "keyword"},
                "labels": analyzed,
                "text": {"type": "text", "analyzer": "stemmed"},
                "popularity": {"type": "integer"},
                "in_stock": {"type": "boolean"},
            },
        },
    }


def _indexed(document: Document, index: str = "") -> list[dict[str, Any]]:
    """The two lines of a document. An older one never overwrites a newer one."""
    action = {
        "_index": index or alias_of(document.language),
        "_id": str(document.listing_id),
        "version": document.version,
        "version_type": "external_gte",
    }
    skus = {
        word
        for sku in document.skus
        for chunk in [*chunks(sku), *chunks("".join(sku.split()))]
        for word in (chunk.whole, *chunk.parts)
    }
    return [
        {"index": action},
        {
            "store": document.store_id,
            "name": document.name,
            "skus": sorted(skus),
            "labels": list(document.labels),
            "text": plain_text(document.text)[:_TEXT_LENGTH],
            "popularity": document.popularity,
            "in_stock": document.in_stock,
        },
    ]


def _bulk(lines: Sequence[dict[str, Any]], query: str = "") -> None:
    if not lines:
        return
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    answer = _expect(call("POST", f"/_bulk{query}", body, kind="application/x-ndjson"))
    if not answer["errors"]:
        return
    results = [result for item in answer["items"] for result in item.values()]
    # 409: the server has a newer one. 404: what was to be deleted is gone.
    bad = [r["status"] for r in results if r["status"] >= 300 and r["status"] not in (404, 409)]
    missing = [r for r in results if r.get("error", {}).get("type") == "index_not_found_exception"]
    if bad or missing:
        raise RemoteError(f"{len(bad) or len(missing)} documents were refused.", permanent=False)


def _expect(answer: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    status, data = answer
    if not 200 <= status < 300:
        reason = str(data.get("error", ""))[:300]
        raise RemoteError(f"The server answered {status}: {reason}", permanent=True)
    return data
