"""Keys for machines: made and revoked by staff, shown once, stored as a hash."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ApiKey, ApiPlan, User, digest
from apps.accounts.services.tokens import InvalidToken
from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict, DomainError
from apps.core.networks import is_within, normalised_network

# `last_used_at` is for people; a write for each request would cost more than it tells.
_USE_RESOLUTION = timedelta(minutes=1)
# Hours that a former secret may live on.
MOST_OVERLAP = 7 * 24


class InvalidScopes(DomainError):
    """`extra["unknown"]` lists the scopes that aren't permissions of the key's user."""

    code = "invalid_scopes"
    message = _("A key may hold only permissions that its user has.")


class InvalidExpiry(DomainError):
    code = "invalid_expiry"
    message = _("The expiry lies in the past.")


class InvalidOverlap(DomainError):
    code = "invalid_overlap"
    message = _("The former secret lives on for at most 168 hours.")


class NotAllowed(DomainError):
    code = "permission_denied"
    status = 403
    message = _("Keys act as staff; only a superuser makes or rotates them for somebody else.")


class InvalidNetworks(DomainError):
    """`extra["invalid"]` lists what isn't a network."""

    code = "invalid_networks"
    message = _("Networks are addresses or CIDR, e.g. 203.0.113.0/24.")


class AddressNotAllowed(DomainError):
    code = "address_not_allowed"
    status = 403
    message = _("This key isn't taken from your network address.")


@transaction.atomic
def create_api_key(
    *,
    created_by: User,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    user: User | None = None,
    plan: ApiPlan | None = None,
    allowed_networks: Collection[str] = (),
) -> tuple[ApiKey, str]:
    """A new key that acts as `user` (by default its maker), and its secret, told only now.

    `scopes` are permissions ("orders.view_order") out of those that the user has. Without a `plan`
    it is on the default one, if there is one. Raises InvalidScopes, InvalidExpiry, InvalidNetworks,
    NotAllowed.
    """
    user = user or created_by
    if not user.is_staff:
        raise NotAllowed(field="user")
    _refuse_stranger(user, created_by)
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidExpiry(field="expires_at")
    unknown = sorted(set(scopes) - user.get_all_permissions())
    if unknown or not scopes:
        raise InvalidScopes(field="scopes", extra={"unknown": unknown})
    prefix, secret = _new_secret()
    key = ApiKey.objects.create(
        name=name,
        user=user,
        prefix=prefix,
        digest=digest(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        plan=plan or ApiPlan.objects.filter(is_default=True).first(),
        allowed_networks=_networks(allowed_networks),
    )
    audit.record("create_api_key", key, {"scopes": key.scopes, "expires_at": expires_at})
    return key, secret


@transaction.atomic
def rotate_api_key(*, key: ApiKey, by: User, overlap_hours: int) -> str:
    """A new secret of the key, told only now. The former one works on for `overlap_hours` (0 to
    168); one of an earlier rotation ends.

    Raises NotAllowed, InvalidOverlap, and Conflict for a key that is revoked, or rotated at the
    same time.
    """
    _refuse_stranger(key.user, by)
    if not 0 <= overlap_hours <= MOST_OVERLAP:
        raise InvalidOverlap(field="overlap_hours")
    prefix, secret = _new_secret()
    changed = {
        "prefix": prefix,
        "digest": digest(secret),
        "previous_digest": key.digest,
        "previous_expires_at": timezone.now() + timedelta(hours=overlap_hours),
    }
    if not ApiKey.objects.filter(pk=key.pk, digest=key.digest, revoked_at=None).update(**changed):
        raise Conflict()
    audit.record("rotate_api_key", key, {"prefix": [key.prefix, prefix], "hours": overlap_hours})
    key.refresh_from_db()
    return secret


@transaction.atomic
def change_api_key(
    *, key: ApiKey, plan: ApiPlan | None, allowed_networks: Collection[str]
) -> ApiKey:
    """Put a key on a plan, and say from where it is taken. Raises InvalidNetworks."""
    networks = _networks(allowed_networks)
    # A form has changed `key` already.
    stored = ApiKey.objects.select_related("plan").get(pk=key.pk)
    changes = {
        "plan": [str(stored.plan or ""), str(plan or "")],
        "allowed_networks": [stored.allowed_networks, networks],
    }
    key.plan, key.allowed_networks = plan, networks
    key.save(update_fields=["plan", "allowed_networks", "updated_at"])
    audit.record("change_api_key", key, {n: c for n, c in changes.items() if c[0] != c[1]})
    return key


@transaction.atomic
def revoke_api_key(*, key: ApiKey) -> None:
    """End a key at once, its former secret too. Revoking it again changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record("revoke_api_key", key)


@transaction.atomic
def save_plan(*, plan: ApiPlan) -> None:
    """Save a plan; of several at most one is the default."""
    plan.save()
    if plan.is_default:
        ApiPlan.objects.filter(is_default=True).exclude(pk=plan.pk).update(is_default=False)


def use_api_key(secret: str) -> ApiKey:
    """The valid key behind `secret`, with its user and plan.

    Raises InvalidToken, and AddressNotAllowed for a caller from elsewhere.
    """
    found, now = digest(secret), timezone.now()
    key = (
        ApiKey.objects.select_related("user", "plan")
        .filter(Q(digest=found) | Q(previous_digest=found, previous_expires_at__gt=now))
        .first()
    )
    if key is None or not key.is_valid or not key.user.is_staff:
        raise InvalidToken()
    if key.allowed_networks and not is_within(current_actor().ip, tuple(key.allowed_networks)):
        raise AddressNotAllowed()
    if key.last_used_at is None or key.last_used_at < now - _USE_RESOLUTION:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_RESOLUTION)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
    return key


def _new_secret() -> tuple[str, str]:
    prefix = secrets.token_hex(4)
    return prefix, f"{prefix}.{secrets.token_urlsafe(32)}"


def _refuse_stranger(user: User, by: User) -> None:
    """Whoever knows a key's secret acts as its user."""
    if user != by and not by.is_superuser:
        raise NotAllowed(field="user")


def _networks(texts: Collection[str]) -> list[str]:
    networks, invalid = set(), []
    for text in texts:
        try:
            networks.add(normalised_network(text))
        except ValueError:
            invalid.append(text)
    if invalid:
        raise InvalidNetworks(field="allowed_networks", extra={"invalid": invalid})
    return sorted(networks)
