"""Which ways to pay a store offers, and by which account."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from apps.core.cache import ShortCache
from apps.core.outdated import outdated_by
from apps.payments.gateways import UnknownGateway, gateway
from apps.payments.gateways.base import Gateway
from apps.payments.models import GatewayAccount

_KEY = "payment-accounts"
outdated_by(GatewayAccount, lambda account: [_KEY])

# Few rows, asked for by every checkout. Their secrets stay sealed here.
_accounts: ShortCache[list[GatewayAccount]] = ShortCache(
    lambda: list(GatewayAccount.objects.all()),
    key=_KEY,
    seconds=5.0,
    enabled=lambda: settings.SHORT_CACHES,
)


def offered_gateways(store_id: int) -> list[tuple[Gateway, GatewayAccount | None]]:
    """Those that somebody may choose to pay by in a store, in order, with their account.

    None: the account of the settings. Gift cards and store credit aren't among them.
    """
    rows = _accounts.get()
    found = []
    for code in settings.PAYMENT_GATEWAYS:
        try:
            found.append(_choose(rows, store_id, code))
        except UnknownGateway:
            continue
    return sorted(found, key=lambda pair: pair[1].position if pair[1] else 0)


def chosen_gateway(store_id: int, code: str) -> tuple[Gateway, GatewayAccount | None]:
    """What somebody chose to pay by, with its account. Raises UnknownGateway, also for a tender:
    gift cards and store credit are applied before."""
    return _choose(_accounts.get(), store_id, code)


def accounts_of(code: str) -> list[GatewayAccount | None]:
    """All that a webhook of this gateway may be for: the settings', then each row, on or off."""
    return [None, *(row for row in _accounts.get() if row.gateway == code)]


def _choose(
    rows: Sequence[GatewayAccount], store_id: int, code: str
) -> tuple[Gateway, GatewayAccount | None]:
    rows = [row for row in rows if row.gateway == code and row.store_id in (store_id, None)]
    own = [row for row in rows if row.store_id] or rows
    enabled = [row for row in own if row.is_enabled]
    if own and not enabled:
        raise UnknownGateway(field="gateway")
    account = enabled[0] if enabled else None
    found = gateway(code, account)
    if found.is_tender:
        raise UnknownGateway(field="gateway")
    return found, account
