"""What mails about accounts tell."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.accounts.models import User
from apps.accounts.services.email_change import email_change_url
from apps.accounts.services.recovery import password_reset_url, verification_url
from apps.stores.models import Store
from apps.stores.selectors import default_store


def account_context(user: User, store_code: str, kind: str, **more: str) -> dict[str, Any]:
    """What a mail about an account tells; a store that is gone leaves its place to the default one.

    With the link that proves the address ("welcome", "verify") sets a password ("reset") or
    takes `new_email` for the account's address ("email_change"); with `more` as it is.
    """
    store = _store(store_code)
    context = {
        "store_name": store.name,
        "store_email": store.email,
        "first_name": user.first_name,
        "email": user.email,
        **more,
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }
    if kind == "reset":
        context["link"] = password_reset_url(user)
    elif kind == "email_change":
        context["link"] = email_change_url(user, more["new_email"])
    elif kind in ("welcome", "verify") and user.email_verified_at is None:
        context["link"] = verification_url(user)
    return context


def wish_context(store_code: str, wish: str, link: str) -> dict[str, Any]:
    """What the mail tells by which somebody without an account confirms a wish of theirs."""
    store = _store(store_code)
    return {
        "store_name": store.name,
        "store_email": store.email,
        "wish": wish,
        "link": link,
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }


def _store(code: str) -> Store:
    return Store.objects.filter(code=code).first() or default_store()
