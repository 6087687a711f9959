"""Whether the gateways are set up as they should be, told at start (`manage.py check`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from apps.core.providers import provider
from apps.payments.gateways import UnknownGateway, gateway
from apps.payments.gateways.base import Gateway
from apps.payments.models import GatewayAccount


@register()
def gateway_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Keys of the settings: none at all is fine, the gateway isn't offered then."""
    found: list[CheckMessage] = []
    for each in _of_settings():
        missing = ", ".join(name for name in each.secrets if not getattr(settings, name, ""))
        if not missing or not any(getattr(settings, name, "") for name in each.secrets):
            continue
        if each.is_configured:
            found.append(
                checks.Warning(
                    f"The gateway {each.code} is offered without {missing}.",
                    hint="Its webhooks are refused, or its form in the shop isn't shown.",
                    id="commerce.W002",
                )
            )
        else:
            found.append(
                Error(
                    f"The gateway {each.code} has some of its keys, and isn't offered.",
                    hint=f"Set {missing}, or take its other keys away.",
                    id="commerce.E009",
                )
            )
    return found


@register(Tags.security, deploy=True)
def test_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Run by `check --deploy`: a shop that sells takes real money."""
    return [
        checks.Warning(
            f"The gateway {each.code} has the keys of a test account: no money moves.",
            hint="Set its live keys in production.",
            id="commerce.W003",
        )
        for each in _of_settings()
        if each.is_configured and each.is_test_account
    ]


@register(Tags.database)
def accounts_without_keys(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Run by `check --database default`, and before every `migrate`: the table may lack yet."""
    if "default" not in (databases or ()):
        return []
    try:
        rows = list(GatewayAccount.objects.filter(is_enabled=True))
    except DatabaseError:
        return []
    return [
        checks.Warning(
            f"The payment account {row} is on, and isn't offered: it lacks keys.",
            hint="Write its keys in the back office, or switch it off.",
            id="commerce.W004",
        )
        for row in rows
        if not _works(row)
    ]


def _works(row: GatewayAccount) -> bool:
    try:
        gateway(row.gateway, row)
    except UnknownGateway:
        return False
    return True


def _of_settings() -> list[Gateway]:
    return [provider(path) for path in settings.PAYMENT_GATEWAYS.values()]
