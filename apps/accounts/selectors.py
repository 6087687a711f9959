"""Reads on accounts."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.models import ApiKey, ApiKeyUsage, Passkey, SecondFactor, User
from apps.core.invariants import invariant
from apps.core.metrics import gauge
from apps.core.scopes import kinds


@gauge("users_registered", "Accounts, of shoppers and staff.")
def users_registered() -> float:
    return User.objects.count()


def api_keys_of(user: User) -> QuerySet[ApiKey]:
    """The keys that act as somebody and aren't revoked, with their plans, the newest first."""
    keys = ApiKey.objects.filter(user=user, revoked_at=None)
    return keys.select_related("user", "plan").order_by("-pk")


def api_usage_of(user: User) -> QuerySet[ApiKeyUsage]:
    """What the keys that act as somebody were called, by key and day, the last day first."""
    usage = ApiKeyUsage.objects.filter(key__user=user)
    return usage.select_related("key").order_by("-day", "-key_id")


@invariant("limits of staff are looked up")
def limits_that_nobody_looks_up() -> Iterator[str]:
    for kind, model in kinds().items():
        unmarked = model._default_manager.filter(user__is_limited=False).order_by("pk")
        for user_id in unmarked.values_list("user_id", flat=True):
            yield f"user {user_id}: {kind}"


@invariant("whoever is asked for a second factor has an app or a passkey")
def _second_factors() -> Iterator[str]:
    apps = SecondFactor.objects.filter(user=OuterRef("pk"), confirmed_at__isnull=False)
    passkeys = Passkey.objects.filter(user=OuterRef("pk"))
    without = User.objects.filter(~Exists(apps), ~Exists(passkeys), has_second_factor=True)
    for public_id in without.values_list("public_id", flat=True):
        yield f"user {public_id} has neither"
