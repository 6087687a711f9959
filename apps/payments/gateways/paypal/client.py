"""PayPal's wire: the token, the headers, the errors.

https://developer.paypal.com/api/rest/: OAuth 2.0 client credentials; PayPal-Request-Id makes a
POST repeatable.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from apps.core import http
from apps.payments.gateways.base import GatewayError

MAX_BYTES = 1024 * 1024
# A token is asked for anew this many seconds before it ends.
_EARLY = 60


class PayPalRefusal(GatewayError):
    """A refusal with its `issue`, PayPal's own word for it ("INSTRUMENT_DECLINED")."""


class PayPalClient:
    """Tokens are kept in this process alone."""

    def __init__(self, setting: Callable[[str], str]) -> None:
        self._setting = setting
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}

    @property
    def _base(self) -> str:
        return self._setting("PAYPAL_API_BASE")

    def get(self, path: str, *ids: str) -> Any:
        """The answer to GET; `{}` in the path is filled with `ids`. Raises GatewayError."""
        return self._ask("GET", _path(path, ids))

    def post(self, path: str, *ids: str, content: Any = None, key: str = "") -> Any:
        """The answer to POST; `key` makes it happen once. Raises GatewayError."""
        body = json.dumps({} if content is None else content).encode()
        return self._ask("POST", _path(path, ids), body, key)

    def post_raw(self, path: str, body: bytes) -> Any:
        """POST bytes as they are. Raises GatewayError."""
        return self._ask("POST", path, body)

    def _ask(self, method: str, path: str, body: bytes | None = None, key: str = "") -> Any:
        answer = self._send(method, path, body, key)
        if answer.status == 401:
            # Taken back before its time.
            self._tokens.clear()
            answer = self._send(method, path, body, key)
        return _content(answer)

    def _send(self, method: str, path: str, body: bytes | None, key: str) -> http.Fetched:
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Prefer": "return=representation",
            **({"PayPal-Request-Id": key} if key else {}),
        }
        return _fetch(self._base, method, path, body, headers)

    def _token(self) -> str:
        client_id = self._setting("PAYPAL_CLIENT_ID")
        account = self._base, client_id
        with self._lock:
            token, until = self._tokens.get(account, ("", 0.0))
            if time.monotonic() < until:
                return token
        pair = f"{client_id}:{self._setting('PAYPAL_CLIENT_SECRET')}".encode()
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        body = b"grant_type=client_credentials"
        content = _content(_fetch(self._base, "POST", "/v1/oauth2/token", body, headers))
        lasts = float(content.get("expires_in", 0)) - _EARLY
        with self._lock:
            self._tokens[account] = (content["access_token"], time.monotonic() + lasts)
        return str(content["access_token"])


def _path(path: str, ids: tuple[str, ...]) -> str:
    return path.format(*(quote(each, safe="") for each in ids))


def _fetch(
    base: str, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> http.Fetched:
    url = base.rstrip("/") + path
    try:
        return http.send(method, url, max_bytes=MAX_BYTES, headers=headers, body=body, inside=True)
    except http.FetchError as error:
        raise GatewayError(str(error), code="gateway_unreachable", permanent=False) from error


def _content(answer: http.Fetched) -> Any:
    """The JSON of a good answer. Raises GatewayError.

    404 for what PayPal has just made, 409, 429 and 5xx: the same call will tell.
    """
    try:
        content = json.loads(answer.body) if answer.body else {}
    except ValueError:
        content = {}
    if 200 <= answer.status < 300:
        return content
    details = content.get("details") or [{}]
    issue = details[0].get("issue") or content.get("name") or "gateway_error"
    message = details[0].get("description") or content.get("message") or f"{answer.status}"
    permanent = answer.status < 500 and answer.status not in (401, 408, 409, 429)
    raise PayPalRefusal(str(message)[:300], code=str(issue)[:60], permanent=permanent)
