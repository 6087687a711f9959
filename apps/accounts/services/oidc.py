"""A client of OpenID Connect: the authorization code with PKCE, and the ID token checked.

Google is OpenID Connect as it is written. Facebook is, too, but its discovery document lacks the
token's address, so its addresses stand here.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import jwt
from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import IdentityProvider
from apps.core import http
from apps.core.errors import DomainError

# Only keys that the provider alone has: a token signed by a shared secret, or by none, is nobody's.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
LEEWAY = 60
_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "nonce"]
_MAX_BYTES = 200_000
_KEPT = 60 * 60
# Unknown key ids make us ask for the keys again, but not more often than this.
_ASK_AGAIN = 60
_JSON = {"Accept": "application/json"}
_GOOGLE = "https://accounts.google.com"


class ProviderFailed(DomainError):
    code = "provider_failed"
    status = 502
    message = _("The other service doesn't answer as it should. Please sign in another way.")


class IdentityRefused(DomainError):
    code = "identity_refused"
    message = _("The other service's answer can't be trusted. Please start again.")


@dataclass(frozen=True, slots=True)
class Endpoints:
    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str = ""
    # How the client names itself: in the body, or by HTTP Basic as is the standard's default.
    posts_secret: bool = True


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is to a provider. `email` may be missing."""

    subject: str
    email: str
    is_email_verified: bool
    first_name: str
    last_name: str


_FACEBOOK = Endpoints(
    issuer="https://www.facebook.com",
    authorization="https://www.facebook.com/dialog/oauth",
    token="https://graph.facebook.com/oauth/access_token",  # noqa: S106 (an address)
    jwks="https://www.facebook.com/.well-known/oauth/openid/jwks/",
)


def authorization_url(provider: IdentityProvider, *, state: str, nonce: str, verifier: str) -> str:
    """Where the browser goes to sign in. Raises ProviderFailed."""
    facebook = provider.kind == IdentityProvider.Kind.FACEBOOK
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": _redirect_uri(provider),
        # Facebook answers "profile" with an error; names are in its token anyway.
        "scope": "openid email" if facebook else "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
    }
    address = _endpoints(provider).authorization
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def identify(provider: IdentityProvider, *, code: str, nonce: str, verifier: str) -> Identity:
    """Swap the code for tokens, and read who it is. Raises ProviderFailed and IdentityRefused."""
    endpoints = _endpoints(provider)
    tokens = _swap(provider, endpoints, code, verifier)
    claims = _verified(provider, endpoints, str(tokens.get("id_token", "")))
    if not constant_time_compare(str(claims["nonce"]), nonce):
        raise IdentityRefused()
    if "email" not in claims and endpoints.userinfo:
        claims |= _userinfo(endpoints, str(tokens.get("access_token", "")), claims["sub"])
    return Identity(
        subject=claims["sub"],
        email=str(claims.get("email") or "")[:254],
        # Some write it as a text.
        is_email_verified=str(claims.get("email_verified")).lower() == "true",
        first_name=str(claims.get("given_name") or "")[:100],
        last_name=str(claims.get("family_name") or "")[:100],
    )


def _challenge(verifier: str) -> str:
    """S256 of PKCE (RFC 7636)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _redirect_uri(provider: IdentityProvider) -> str:
    return settings.SOCIAL_CALLBACK_URL.format(slug=provider.slug)


def _endpoints(provider: IdentityProvider) -> Endpoints:
    if provider.kind == IdentityProvider.Kind.FACEBOOK:
        return _FACEBOOK
    google = provider.kind == IdentityProvider.Kind.GOOGLE
    issuer = _GOOGLE if google else provider.issuer.rstrip("/")
    found = _kept(f"{issuer}/.well-known/openid-configuration")
    try:
        methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        endpoints = Endpoints(
            issuer=found["issuer"],
            authorization=found["authorization_endpoint"],
            token=found["token_endpoint"],
            jwks=found["jwks_uri"],
            userinfo=found.get("userinfo_endpoint", ""),
            posts_secret="client_secret_basic" not in methods,
        )
    except KeyError as error:
        raise ProviderFailed() from error
    addresses = (endpoints.authorization, endpoints.token, endpoints.jwks, endpoints.userinfo)
    if endpoints.issuer.rstrip("/") != issuer or not all(map(_is_safe, filter(None, addresses))):
        raise ProviderFailed()
    return endpoints


def _is_safe(address: str) -> bool:
    return address.startswith("https://") or settings.HTTP_ALLOW_PRIVATE_ADDRESSES


def _swap(
    provider: IdentityProvider, endpoints: Endpoints, code: str, verifier: str
) -> dict[str, Any]:
    secret = provider.client_secret.open().get("secret", "")
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": _redirect_uri(provider),
        "code_verifier": verifier,
    }
    headers = {**_JSON, "Content-Type": "application/x-www-form-urlencoded"}
    if endpoints.posts_secret:
        fields |= {"client_id": provider.client_id, "client_secret": secret}
    else:
        pair = f"{quote(provider.client_id, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return _answer("POST", endpoints.token, headers, urlencode(fields).encode())


def _verified(provider: IdentityProvider, endpoints: Endpoints, token: str) -> dict[str, Any]:
    """The claims of an ID token that is signed by the provider, for us, and still good."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(endpoints, jwt.get_unverified_header(token)),
            algorithms=ALGORITHMS,
            audience=provider.client_id,
            issuer=endpoints.issuer,
            leeway=LEEWAY,
            options={"require": _CLAIMS},
        )
    except jwt.PyJWTError as error:
        raise IdentityRefused() from error
    # Of several audiences the token names the one that it was made for.
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        raise IdentityRefused()
    if claims.get("azp", provider.client_id) != provider.client_id or not claims["sub"]:
        raise IdentityRefused()
    return claims


def _key(endpoints: Endpoints, header: dict[str, Any]) -> jwt.PyJWK:
    """The key that the token names; asked for anew when it isn't known: providers change them."""
    if header.get("alg") not in ALGORITHMS:
        raise IdentityRefused()
    for fresh in (False, True):
        if fresh and not cache.add(f"oidc:asked:{endpoints.jwks}", 1, _ASK_AGAIN):
            break
        for key in _kept(endpoints.jwks, fresh=fresh).get("keys", []):
            if key.get("kid") == header.get("kid") and key.get("use", "sig") == "sig":
                return jwt.PyJWK.from_dict(key, algorithm=key.get("alg") or header["alg"])
    raise IdentityRefused()


def _userinfo(endpoints: Endpoints, access_token: str, subject: str) -> dict[str, Any]:
    headers = {**_JSON, "Authorization": f"Bearer {access_token}"}
    found = _answer("GET", endpoints.userinfo, headers)
    # It may be anybody's, but for this (OpenID Connect Core, 5.3.2).
    if found.get("sub") != subject:
        raise IdentityRefused()
    return found


def _kept(address: str, *, fresh: bool = False) -> dict[str, Any]:
    """A public document of a provider; for an hour it is asked for once."""
    key = f"oidc:{hashlib.sha256(address.encode()).hexdigest()}"
    found = None if fresh else cache.get(key)
    if found is None:
        found = _answer("GET", address, _JSON)
        cache.set(key, found, _KEPT)
    return found


def _answer(
    method: str, address: str, headers: dict[str, str], body: bytes | None = None
) -> dict[str, Any]:
    try:
        reply = http.send(method, address, max_bytes=_MAX_BYTES, headers=headers, body=body)
        found = json.loads(reply.body)
    except (http.FetchError, ValueError) as error:
        raise ProviderFailed() from error
    if 400 <= reply.status < 500:
        # The code was used, made up, or another's.
        raise IdentityRefused()
    if reply.status != 200 or not isinstance(found, dict):
        raise ProviderFailed()
    return found
