"""Keys for machines: made and revoked by staff, shown once, stored as a hash."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ApiKey, User, digest
from apps.accounts.services.tokens import InvalidToken
from apps.core import audit
from apps.core.errors import DomainError

# `last_used_at` is for people; a write for each request would cost more than it tells.
_USE_RESOLUTION = timedelta(minutes=1)


class InvalidScopes(DomainError):
    """`extra["unknown"]` lists the scopes that aren't permissions of the key's user."""

    code = "invalid_scopes"
    message = _("A key may hold only permissions that its user has.")


class InvalidExpiry(DomainError):
    code = "invalid_expiry"
    message = _("The expiry lies in the past.")


class NotAllowed(DomainError):
    code = "permission_denied"
    status = 403
    message = _("Keys act as staff; only a superuser makes them for somebody else.")


@transaction.atomic
def create_api_key(
    *,
    created_by: User,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    user: User | None = None,
) -> tuple[ApiKey, str]:
    """A new key that acts as `user` (by default its maker), and its secret, told only now.

    `scopes` are permissions ("orders.view_order") out of those that the user has. Raises
    InvalidScopes, InvalidExpiry, NotAllowed.
    """
    user = user or created_by
    if not user.is_staff or (user != created_by and not created_by.is_superuser):
        raise NotAllowed(field="user")
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidExpiry(field="expires_at")
    unknown = sorted(set(scopes) - user.get_all_permissions())
    if unknown or not scopes:
        raise InvalidScopes(field="scopes", extra={"unknown": unknown})
    prefix = secrets.token_hex(4)
    secret = f"{prefix}.{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name,
        user=user,
        prefix=prefix,
        digest=digest(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    audit.record("create_api_key", key, {"scopes": key.scopes, "expires_at": expires_at})
    return key, secret


@transaction.atomic
def revoke_api_key(*, key: ApiKey) -> None:
    """End a key at once. Revoking it again changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record("revoke_api_key", key)


def use_api_key(secret: str) -> ApiKey:
    """The valid key behind `secret`, with its user; raises InvalidToken."""
    key = ApiKey.objects.select_related("user").filter(digest=digest(secret)).first()
    if key is None or not key.is_valid or not key.user.is_staff:
        raise InvalidToken()
    now = timezone.now()
    if key.last_used_at is None or key.last_used_at < now - _USE_RESOLUTION:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_RESOLUTION)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
    return key
