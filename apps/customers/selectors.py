"""Reads on customers."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.accounts.models import User
from apps.accounts.services.recovery import password_reset_url, verification_url
from apps.stores.models import Store
from apps.stores.selectors import default_store


def account_context(user: User, store_code: str, kind: str) -> dict[str, Any]:
    """What a mail about an account tells; a store that is gone leaves its place to the default one.

    With the link that proves the address ("welcome", "verify") or sets a password ("reset").
    """
    store = Store.objects.filter(code=store_code).first() or default_store()
    context = {
        "store_name": store.name,
        "store_email": store.email,
        "first_name": user.first_name,
        "email": user.email,
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }
    if kind == "reset":
        context["link"] = password_reset_url(user)
    elif kind in ("welcome", "verify") and user.email_verified_at is None:
        context["link"] = verification_url(user)
    return context
