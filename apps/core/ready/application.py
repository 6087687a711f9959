"""Ready bytes: public answers given again without Django, while they are true.

Stands in front of Django's WSGI application. It keeps what a public view made (`public_answer`
says so, for views that are `public_bytes`) with the keys it was made of, and gives it again until
one of them is outdated (`apps.core.outdated`) or its time is over. The request that makes an
answer carries no credentials, so that nothing of one caller is ever kept for another.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.http import parse_etags
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from apps.core import metrics
from apps.core.api.public import KEEPABLE, MAX_AGE, STALE, Keepable
from apps.core.middleware import public_match, request_id_of
from apps.core.outdated import Rows, State, log
from apps.core.ready.making import Making
from apps.core.ready.shelf import Shelf

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# Of a key: the path, the query and the headers that an answer depends on.
LONGEST_KEY = 2_000
# Of the caller, and none of the answer's business.
_PRIVATE = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
# Told anew with every answer.
_OWN_HEADERS = frozenset({"x-request-id", "ratelimit", "ratelimit-policy"})
_ACCEPTED = re.compile(r"application/json|\*/\*|application/\*")


@dataclass(slots=True)
class Ready:
    """An answer, with the rows of the log that were known before it was made."""

    body: bytes
    headers: list[tuple[str, str]]
    etag: str
    route: str
    keys: tuple[str, ...]
    seen: Rows
    made_at: float
    fresh_until: float
    kept_until: float

    def is_true(self, state: State, now: float) -> bool:
        return now < self.kept_until and state.knows_no_more(self.keys, self.seen)


class ReadyBytes:
    """A WSGI application in front of Django's."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._shelf: Shelf[Ready] = Shelf(settings.READY_BYTES_MB * 1024 * 1024)
        self._making = Making(shared=settings.READY_BYTES_SHARED)
        self._origins = frozenset(settings.CORS_ALLOWED_ORIGINS)
        # What the address of the shop is read from, for links and redirects.
        self._named_by = ["HTTP_HOST", "HTTP_X_STORE", "wsgi.url_scheme"]
        if settings.USE_X_FORWARDED_HOST:
            self._named_by.append("HTTP_X_FORWARDED_HOST")
        if settings.USE_X_FORWARDED_PORT:
            self._named_by.append("HTTP_X_FORWARDED_PORT")
        if settings.SECURE_PROXY_SSL_HEADER:
            self._named_by.append(settings.SECURE_PROXY_SSL_HEADER[0])

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        key = self._key(environ)
        if key is None:
            return self._django(environ, start_response)
        state, now = log.follow(), time.time()
        found = self._shelf.get(key)
        if found is not None and not found.is_true(state, now):
            self._shelf.drop(key)
            found = None
        if found is None or now >= found.fresh_until:
            if not _is_public(environ["PATH_INFO"]):
                return self._django(environ, start_response)
            made = self._make_once(key, environ, found)
            if not isinstance(made, Ready):
                # Not kept (an error, a redirect): given as it was made.
                status, headers, body = made
                start_response(status, headers)
                return body
            found = made
        return self._give(found, environ, start_response, started)

    def _key(self, environ: Environ) -> str | None:
        """What the answer depends on; None for a request that is Django's."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return None
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/api/") or "HTTP_HOST" not in environ:
            return None
        if not _ACCEPTED.search(environ.get("HTTP_ACCEPT", "*/*")):
            return None
        origin = environ.get("HTTP_ORIGIN", "")
        parts = [
            environ.get("SCRIPT_NAME", ""),
            path,
            environ.get("QUERY_STRING", ""),
            language_of(environ.get("HTTP_ACCEPT_LANGUAGE", "")),
            origin if origin in self._origins else "",
            *(environ.get(name, "") for name in self._named_by),
        ]
        key = "\n".join(parts)
        return key if len(key) <= LONGEST_KEY else None

    def _make_once(self, key: str, environ: Environ, old: Ready | None) -> Any:
        """The answer, made by one of all who ask for it now; `old` is true, and past its best.

        Who isn't that one is given the old answer, or waits for the new one a moment.
        """
        with self._making.turn(key, wait=old is None) as mine:
            if not mine and old is not None:
                return old
            state, now = log.follow(), time.time()
            for kept in (self._shelf.get(key), self._making.shared(key)):
                if kept is not None and kept.is_true(state, now) and now < kept.fresh_until:
                    self._keep(key, kept)
                    return kept
            return self._make(key, environ, state)

    def _make(self, key: str, environ: Environ, state: State) -> Any:
        asked = {name: value for name, value in environ.items() if name not in _PRIVATE}
        asked["REQUEST_METHOD"] = "GET"
        said: list[Any] = []
        response: Any = self._django(asked, lambda *given: said.extend(given[:2]))
        status, headers = said
        keepable: Keepable | None = asked.get(KEEPABLE)
        if keepable is None or not status.startswith("200") or _sets_cookie(headers):
            return status, headers, response
        try:
            body = b"".join(response)
        finally:
            response.close()
        ready = _ready(body, headers, keepable, state)
        self._keep(key, ready)
        self._making.share(key, ready, seconds=ready.kept_until - time.time())
        return ready

    def _keep(self, key: str, ready: Ready) -> None:
        self._shelf.put(key, ready, size=len(ready.body) + len(key) + 1_000)

    def _give(
        self, ready: Ready, environ: Environ, start_response: StartResponse, started: float
    ) -> Iterable[bytes]:
        age = max(0, int(time.time() - ready.made_at))
        headers = [*ready.headers, ("Age", str(age))]
        headers.append(("X-Request-Id", request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))))
        known = environ.get("HTTP_IF_NONE_MATCH")
        method, code = environ["REQUEST_METHOD"], 200
        if known is not None and _names(known, ready.etag):
            code = 304
            headers = [(n, v) for n, v in headers if not n.lower().startswith("content-")]
        metrics.observe_request(method, ready.route, code, time.perf_counter() - started)
        start_response("200 OK" if code == 200 else "304 Not Modified", headers)
        return [ready.body] if method == "GET" and code == 200 else []


def _ready(body: bytes, headers: list[tuple[str, str]], keepable: Keepable, state: State) -> Ready:
    now = time.time()
    end = keepable.until.timestamp() if keepable.until else now + MAX_AGE + STALE
    return Ready(
        body=body,
        headers=[(name, value) for name, value in headers if name.lower() not in _OWN_HEADERS],
        etag=next(value for name, value in headers if name == "ETag"),
        route=keepable.route,
        keys=keepable.keys,
        seen=state.of(keepable.keys),
        made_at=now,
        fresh_until=min(now + MAX_AGE, end),
        kept_until=min(now + MAX_AGE + STALE, end),
    )


def _sets_cookie(headers: list[tuple[str, str]]) -> bool:
    return any(name.lower() == "set-cookie" for name, _value in headers)


def _names(known: str, etag: str) -> bool:
    """Whether an If-None-Match names this ETag (weakly, RFC 9110 13.1.2)."""
    given = [one.removeprefix("W/") for one in parse_etags(known)]
    return "*" in given or etag in given


def _is_public(path: str) -> bool:
    """Whether the view of a path (as WSGI has it) gives the same bytes to everybody."""
    try:
        return public_match(path.encode("latin-1").decode()) is not None
    except UnicodeDecodeError:
        return False


@lru_cache(maxsize=512)
def language_of(accepted: str) -> str:
    """The language that an Accept-Language header leads to, as LocaleMiddleware chooses."""
    for code, _quality in parse_accept_lang_header(accepted):
        if code == "*":
            break
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return get_supported_language_variant(settings.LANGUAGE_CODE)
