"""Who is calling: a person with an access token, or a machine with a key."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from apps.accounts.models import ApiKey, User
from apps.accounts.services import api_keys, tokens

# A JWT of ours has some 500 characters.
_LONGEST = 2_000


def _credential(request: Any, keyword: str) -> str | None:
    """What follows `keyword` in the Authorization header; None for another scheme."""
    scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != keyword.lower():
        return None
    value = value.strip()
    if not value or len(value) > _LONGEST or not value.isascii():
        raise AuthenticationFailed(str(tokens.InvalidToken.message), code="invalid_token")
    return value


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; `request.auth` stays None."""

    def authenticate(self, request: Any) -> tuple[User, None] | None:
        access = _credential(request, "Bearer")
        if access is None:
            return None
        try:
            return tokens.user_of(access), None
        except tokens.InvalidToken as error:
            raise AuthenticationFailed(str(error), code=error.code) from error

    def authenticate_header(self, request: Any) -> str:
        return 'Bearer realm="api"'


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <prefix>.<secret>`; `request.auth` is the ApiKey."""

    def authenticate(self, request: Any) -> tuple[User, ApiKey] | None:
        secret = _credential(request, "Api-Key")
        if secret is None:
            return None
        try:
            key = api_keys.use_api_key(secret)
        except tokens.InvalidToken as error:
            raise AuthenticationFailed(str(error), code=error.code) from error
        return key.user, key

    def authenticate_header(self, request: Any) -> str:
        return 'Api-Key realm="api"'


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key <prefix>.<secret>`",
        }
