"""Payment accounts: made and changed by the owner; their secrets go in and never come out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import DomainError
from apps.core.secrets import UndecryptableSecret, seal
from apps.payments.gateways.base import Gateway
from apps.payments.models import GatewayAccount

logger = logging.getLogger(__name__)


class InvalidAccount(DomainError):
    code = "invalid_payment_account"
    message = _("This payment account can't be used so.")


def credential_names(code: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The secrets that an account of this gateway needs, and the settings that it may change.

    Raises InvalidAccount for an unknown gateway, and for gift cards and store credit.
    """
    path = settings.PAYMENT_GATEWAYS.get(code)
    kind: type[Gateway] | None = import_string(path) if path else None
    if kind is None or kind.is_tender:
        raise InvalidAccount(_("There is no such gateway."), field="gateway")
    return kind.secrets, kind.options


def known_credentials(account: GatewayAccount) -> dict[str, str]:
    """What is kept; nothing where its key is lost: then it has to be written again."""
    try:
        return account.credentials.open()
    except UndecryptableSecret as error:
        logger.warning("payment account %s: %s", account.public_id, error)
        return {}


@transaction.atomic
def save_account(
    *, account: GatewayAccount, changes: Mapping[str, Any], credentials: Mapping[str, str]
) -> GatewayAccount:
    """Make an account, or change it.

    What `credentials` names with a value is replaced, what it doesn't name stays, an empty value
    takes an option away. The audit log names what was replaced, and no value. The gateway of an
    account that has payments stays. Raises InvalidAccount.
    """
    adding = account._state.adding
    known = known_credentials(account)
    before = audit.assign(account, changes)
    names = [name for group in credential_names(account.gateway) for name in group]
    if unknown := set(credentials) - set(names):
        raise InvalidAccount(_("Unknown: %(names)s.") % {"names": ", ".join(sorted(unknown))})
    moved = before.get("gateway", account.gateway) != account.gateway
    if moved and account.payments.exists():
        raise InvalidAccount(_("It has payments."), field="gateway")
    kept = {name: value for name, value in known.items() if name in names}
    try:
        account.credentials = seal({n: v for n, v in {**kept, **credentials}.items() if v})
    except ImproperlyConfigured as error:
        raise InvalidAccount(str(error)) from error
    account.save()
    audit.note(account, adding, before, changes)
    replaced = sorted(name for name, value in credentials.items() if value != known.get(name, ""))
    if replaced:
        audit.record("payment.account_secrets", account, {"replaced": replaced})
    return account
