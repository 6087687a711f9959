"""Reads on accounts."""

from __future__ import annotations

from apps.accounts.models import User
from apps.core.metrics import gauge


@gauge("users_registered", "Accounts, of shoppers and staff.")
def users_registered() -> float:
    return User.objects.count()
