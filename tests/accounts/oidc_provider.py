"""An identity provider on a socket: discovery, authorize, token, jwks and userinfo, as they are.

What a test wants to go wrong it names in `fault`: it holds for the tokens from then on.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "shop@example", "s3cret/with:signs"


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _part(content: dict[str, Any]) -> str:
    return _encoded(json.dumps(content).encode())


class OidcProvider:
    """One person (`person`) is signed in there, and consents to everything."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {
            "sub": "248289761001",
            "email": "jane@example.com",
            "email_verified": True,
            "given_name": "Jane",
            "family_name": "Doe",
        }
        self.fault = ""
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self.change_key()

    def __enter__(self) -> OidcProvider:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def change_key(self) -> None:
        """Another key under another id; the former one is gone."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._kid = secrets.token_hex(4)

    def consent(self, authorization_url: str) -> dict[str, str]:
        """The browser's way: what the address has that it is sent back to."""
        url = urlsplit(authorization_url)
        assert f"{url.scheme}://{url.netloc}{url.path}" == f"{self.issuer}/authorize"
        asked = dict(parse_qsl(url.query))
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(12)
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, method: str, path: str, headers: Any, body: str) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if path == "/.well-known/openid-configuration":
            return 200, self._configuration()
        if path == "/jwks":
            public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
            return 200, {"keys": [{**public, "kid": self._kid, "use": "sig", "alg": "RS256"}]}
        if path == "/token" and method == "POST":
            return self._token(headers, {k: v[0] for k, v in parse_qs(body).items()})
        if path == "/userinfo" and headers.get("Authorization") == "Bearer access":
            other = {"sub": "somebody else"} if self.fault == "others userinfo" else {}
            return 200, {**self.person, **other}
        return 404, {"error": "not_found"}

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": "https://evil.example" if self.fault == "other issuer" else self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _token(self, headers: Any, form: dict[str, str]) -> tuple[int, Any]:
        if self.fault == "down":
            return 503, {}
        user, _colon, password = (
            b64decode(headers.get("Authorization", "").removeprefix("Basic ")).decode()
        ).partition(":")
        if (unquote(user), unquote(password)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = _encoded(digest)
        if (
            asked is None
            or challenge != asked["code_challenge"]
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "access",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self._id_token(asked["nonce"]),
        }

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        lean = self.fault in ("userinfo", "others userinfo")
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **({"sub": self.person["sub"]} if lean else self.person),
        }
        wrong: dict[str, dict[str, Any]] = {
            "wrong aud": {"aud": "another shop"},
            "two aud": {"aud": [CLIENT, "another shop"]},
            "wrong azp": {"azp": "another shop"},
            "wrong iss": {"iss": "https://evil.example"},
            "expired": {"iat": now - 900, "exp": now - 600},
            "wrong nonce": {"nonce": "replayed"},
            "no sub": {"sub": ""},
        }
        claims |= wrong.get(self.fault, {})
        header = {"kid": self._kid}
        if self.fault == "alg none":
            return jwt.encode(claims, None, algorithm="none", headers=header)
        if self.fault == "hs256":
            # The public key taken for a shared secret; written by hand, no library signs so.
            public = self._key.public_key().public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
            )
            signed = ".".join(map(_part, ({"alg": "HS256", **header}, claims)))
            return f"{signed}.{_encoded(hmac.digest(public, signed.encode(), 'sha256'))}"
        key = self._key
        if self.fault == "other key":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if self.fault == "unknown kid":
            header = {"kid": "unknown"}
        return jwt.encode(claims, key, algorithm="RS256", headers=header)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                path = urlsplit(self.path).path
                status, told = provider.answer(self.command, path, self.headers, body)
                content = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_args: Any) -> None:
                """Tests are quiet."""

        return Handler
