"""The gateways of this shop, by their code (settings.PAYMENT_GATEWAYS)."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.providers import provider
from apps.payments.gateways.base import Gateway


class UnknownGateway(DomainError):
    code = "unknown_gateway"
    message = _("This way of paying isn't offered here.")


def gateway(code: str) -> Gateway:
    """The gateway of that code. Raises UnknownGateway if there is none, or it isn't set up."""
    path = settings.PAYMENT_GATEWAYS.get(code)
    found: Gateway | None = provider(path) if path else None
    if found is None or not found.is_configured:
        raise UnknownGateway(field="gateway")
    return found


def chosen_gateways() -> list[Gateway]:
    """Those that somebody may choose to pay by, in the order of the settings."""
    found: list[Gateway] = [provider(path) for path in settings.PAYMENT_GATEWAYS.values()]
    return [gateway for gateway in found if gateway.is_configured and not gateway.is_tender]


def chosen_gateway(code: str) -> Gateway:
    """The same for what somebody chooses to pay by: gift cards and store credit are tenders,
    applied before, and aren't among them. Raises UnknownGateway."""
    found = gateway(code)
    if found.is_tender:
        raise UnknownGateway(field="gateway")
    return found
