"""The only way out: every outgoing HTTP request of ours goes through `fetch()`.

Addresses are resolved and checked at connect time (no private, loopback or link-local target,
so no DNS rebinding), redirects are refused, time and size are capped.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from django.conf import settings
from requests_hardened import Config, HTTPSession

CONNECT_TIMEOUT, READ_TIMEOUT, TOTAL_TIMEOUT = 3.0, 5.0, 20.0


class FetchError(Exception):
    """The other side can't be reached, answers with an error, or isn't allowed to be asked."""


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    content_type: str
    body: bytes
    # Seconds (RFC 9110, section 10.2.3); None without the header, or where it names a date.
    retry_after: int | None = None


def _session(inside: bool) -> HTTPSession:
    private = inside or settings.HTTP_ALLOW_PRIVATE_ADDRESSES
    return HTTPSession(
        config=Config(
            default_timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
            never_redirect=True,
            ip_filter_enable=not private,
            ip_filter_allow_loopback_ips=private,
            user_agent_override="Commerce/1 (+https://commerce.example)",
        )
    )


def fetch(url: str, *, max_bytes: int, accept: str = "*/*") -> Fetched:
    """GET `url` and return its whole body of at most `max_bytes`.

    Raises FetchError for anything but a 2xx answer: a bad URL, a forbidden address, a redirect,
    a time-out, a body that is too large.
    """
    found = send("GET", url, max_bytes=max_bytes, headers={"Accept": accept})
    if not 200 <= found.status < 300:
        raise FetchError(f"The server answered {found.status}.")
    return found


def post(url: str, body: bytes, *, max_bytes: int, headers: Mapping[str, str]) -> Fetched:
    """POST `body` and return the answer, whatever its status: a SOAP fault comes with a 500.

    Raises FetchError as `fetch()` does.
    """
    return send("POST", url, max_bytes=max_bytes, headers=headers, body=body)


def send(
    method: str,
    url: str,
    *,
    max_bytes: int,
    headers: Mapping[str, str],
    body: bytes | None = None,
    inside: bool = False,
) -> Fetched:
    """Any request, and its answer whatever its status. Raises FetchError as `fetch()` does.

    `inside`: the address is the operator's own, from the settings; it may be a private one.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise FetchError("Only http and https addresses are fetched.")
    deadline = time.monotonic() + TOTAL_TIMEOUT
    try:
        with (
            _session(inside) as session,
            session.request(method, url, data=body, stream=True, headers=dict(headers)) as response,
        ):
            chunks, size = [], 0
            for chunk in response.iter_content(64 * 1024):
                size += len(chunk)
                if size > max_bytes:
                    raise FetchError(f"The answer is larger than {max_bytes} bytes.")
                if time.monotonic() > deadline:
                    raise FetchError("The answer took too long.")
                chunks.append(chunk)
            content_type = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
            wait = response.headers.get("Retry-After", "")
            retry_after = int(wait) if wait.isascii() and wait.isdigit() else None
            return Fetched(response.status_code, content_type, b"".join(chunks), retry_after)
    except (requests.RequestException, ValueError) as error:
        raise FetchError(f"{type(error).__name__}: {error}"[:300]) from error
