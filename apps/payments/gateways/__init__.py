"""The gateways of this shop, by their code (settings.PAYMENT_GATEWAYS), and by their account."""

from __future__ import annotations

import logging
from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.providers import provider
from apps.core.secrets import Sealed, UndecryptableSecret
from apps.payments.gateways.base import Gateway
from apps.payments.models import GatewayAccount, Payment

logger = logging.getLogger(__name__)


class UnknownGateway(DomainError):
    code = "unknown_gateway"
    message = _("This way of paying isn't offered here.")


def gateway(code: str, account: GatewayAccount | None = None) -> Gateway:
    """The gateway of that code, with that account; without one, with the settings'.

    Raises UnknownGateway if there is none, or it isn't set up.
    """
    path = settings.PAYMENT_GATEWAYS.get(code)
    found: Gateway | None = None
    if path:
        try:
            found = _with(path, account.credentials) if account else provider(path)
        except UndecryptableSecret as error:
            logger.error("payment account %s: %s", account, error)
    if found is None or not found.is_configured:
        raise UnknownGateway(field="gateway")
    return found


def gateway_of(payment: Payment) -> Gateway:
    """The one that a payment was begun with, offered still or not. Raises UnknownGateway."""
    return gateway(payment.gateway, payment.account)


@lru_cache(maxsize=64)
def _with(path: str, credentials: Sealed) -> Gateway:
    found: Gateway = import_string(path)(credentials.open())
    return found
