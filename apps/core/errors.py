"""Errors a caller can act on. Services raise them; the API renders them as problem+json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal with a stable `code`, an HTTP `status` and a translated message.

    `field` names the input that is at fault, where there is one; `extra` are further members
    of the problem document (a fresh cart, the allowed values).
    """

    code = "invalid"
    status = 400
    message: Any = _("This isn't possible.")

    def __init__(
        self,
        message: Any = None,
        *,
        field: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.message = message or self.message
        self.field = field
        self.extra = dict(extra or {})
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)


class NotFound(DomainError):
    code = "not_found"
    status = 404
    message = _("There is no such thing here.")


class Conflict(DomainError):
    """The state of things doesn't allow it (any more)."""

    code = "conflict"
    status = 409
    message = _("Something changed meanwhile; look again and retry.")


class RateLimited(DomainError):
    """Too many attempts. `extra["retry_after"]` tells how many seconds to wait, `extra["policy"]`
    which `Limit` it is, for the header RateLimit-Policy.
    """

    code = "rate_limited"
    status = 429
    message = _("Too many attempts; try again later.")
