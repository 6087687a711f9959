"""Answers that anybody may read and any cache may keep."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.encoding import iri_to_uri

from apps.core.edge.base import edge_caches

MAX_AGE, STALE = 30, 60
# Where an answer says in the WSGI environment that its bytes may be kept (`apps.core.ready`).
KEEPABLE = "commerce.keepable"


@dataclass(frozen=True, slots=True)
class Keepable:
    """What an answer is made of, when it ends of itself, and the route it was asked by."""

    keys: tuple[str, ...]
    until: datetime | None
    route: str


def public_answer(
    request: HttpRequest, body: bytes, keys: str, until: datetime | None = None
) -> HttpResponse:
    """`body` (JSON) as an answer that any cache may keep; 304 if the caller has it already.

    `keys` name what it is made of, for caches that purge by Surrogate-Key; `until` is when a
    price in it changes.
    """
    match = request.resolver_match
    request.META[KEEPABLE] = Keepable(tuple(keys.split()), until, match.route if match else "")
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    let_caches_keep(response, keys, until)
    answer = get_conditional_response(request, etag=etag, response=response) or response
    _label(answer, keys)
    return answer


def moved_to(address: str, keys: str) -> HttpResponse:
    """308 to the present address of what has moved."""
    response = HttpResponse(status=308, headers={"Location": iri_to_uri(address)})
    let_caches_keep(response, keys)
    return response


def let_caches_keep(response: HttpResponse, keys: str, until: datetime | None = None) -> None:
    response["Cache-Control"] = _cache_control(until, timezone.now())
    patch_vary_headers(response, ("X-Store", "Accept-Language"))
    _label(response, keys)


def _label(response: HttpResponse, keys: str) -> None:
    response["Surrogate-Key"] = keys
    for cache in edge_caches().values():
        cache.label(response, keys)


def _cache_control(until: datetime | None, now: datetime) -> str:
    """How long caches may keep an answer; never longer than its prices are true."""
    left = MAX_AGE + STALE
    if until is not None:
        left = max(0, min(left, int((until - now).total_seconds())))
    fresh = min(MAX_AGE, left)
    return f"public, max-age={fresh}, stale-while-revalidate={left - fresh}"
