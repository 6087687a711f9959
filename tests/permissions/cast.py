"""Everybody who may knock, each as a client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import ApiKey, User, digest
from apps.accounts.services.api_keys import create_api_key, revoke_api_key
from apps.accounts.services.tokens import close_sessions, open_session
from tests.factories.accounts import StaffFactory

ROLES = (*("owner", "manager", "catalogue", "fulfillment", "support", "accountant", "read-only"),)


def staff(role: str) -> User:
    """Somebody of the staff in one role's group; without a role, in none."""
    user = StaffFactory(email=f"{role or 'none'}@staff.example.com")
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def bearer(user: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(user=user).access}")
    return client


def with_key(secret: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    return client


def key_of(owner: User, *scopes: str, **extra: Any) -> APIClient:
    return with_key(create_api_key(created_by=owner, name="Key", scopes=scopes, **extra)[1])


def key_without_scopes(owner: User) -> APIClient:
    """Not to be had from the service; a row that a mistake left behind must open nothing."""
    secret = "deadbeef.nothing"
    ApiKey.objects.create(
        name="Empty", user=owner, prefix="deadbeef", digest=digest(secret), scopes=[]
    )
    return with_key(secret)


def dead_credentials(owner: User) -> dict[str, APIClient]:
    """Credentials that were good once, or never."""
    scopes = sorted(owner.get_all_permissions())
    expired, expired_secret = create_api_key(created_by=owner, name="Old", scopes=scopes)
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    revoked, revoked_secret = create_api_key(created_by=owner, name="Lost", scopes=scopes)
    revoke_api_key(key=revoked)
    signed_out = staff("manager")
    client = bearer(signed_out)
    close_sessions(user=signed_out)
    return {
        "expired key": with_key(expired_secret),
        "revoked key": with_key(revoked_secret),
        "invented key": with_key("00000000.invented"),
        "signed-out token": client,
    }
