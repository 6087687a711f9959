"""Gift cards and store credit as gateways: a translation to the ledger beside this file.

The one exception to "gateways never touch the database" (docs/adr/0007-local-tenders.md).
"""

from __future__ import annotations

from uuid import UUID

from apps.core.errors import DomainError
from apps.payments.gateways.base import (
    Gateway,
    GatewayError,
    GatewayState,
    RefundState,
    StartRequest,
    State,
)
from apps.payments.gateways.stored_value import ledger
from apps.payments.models import StoredValue, StoredValueEntry


def reference_of(provider_id: str) -> str:
    """How the ledger knows a payment."""
    return f"payment:{provider_id}"


class _StoredValueGateway(Gateway):
    """`method` is the balance's public id; the payment's own key is its id here."""

    is_tender = True
    is_remote = False

    def start(self, request: StartRequest) -> GatewayState:
        try:
            ledger.charge(
                stored_value_id=UUID(request.method),
                amount=request.amount,
                currency=request.currency,
                key=request.key,
                reference=reference_of(request.key),
            )
        except DomainError as refusal:
            return GatewayState(
                provider_id=request.key,
                state=State.FAILED,
                amount=request.amount,
                currency=request.currency,
                reference=request.key,
                error_code=refusal.code,
                error_message=str(refusal),
            )
        return self.fetch(request.key)

    def fetch(self, provider_id: str) -> GatewayState:
        entries = StoredValueEntry.objects.filter(reference=reference_of(provider_id))
        rows = list(entries.select_related("stored_value"))
        taken = -sum(e.delta for e in rows if e.kind == StoredValueEntry.Kind.REDEEM)
        if not taken:
            raise GatewayError("No such payment.", code="unknown_payment", permanent=True)
        return GatewayState(
            provider_id=provider_id,
            state=State.CAPTURED,
            amount=taken,
            currency=rows[0].stored_value.currency,
            authorized=taken,
            captured=taken,
            refunded=sum(e.delta for e in rows if e.kind == StoredValueEntry.Kind.REFUND),
            reference=provider_id,
        )

    def capture(
        self, provider_id: str, *, amount: int, key: str, final: bool = True
    ) -> GatewayState:
        return self.fetch(provider_id)

    def void(self, provider_id: str, *, key: str) -> GatewayState:
        raise GatewayError("It is captured at once.", code="captured", permanent=True)

    def refund(self, provider_id: str, *, amount: int, reason: str, key: str) -> RefundState:
        try:
            entry = ledger.give_back(amount=amount, key=key, reference=reference_of(provider_id))
        except DomainError as refusal:
            raise GatewayError(str(refusal), code=refusal.code, permanent=True) from refusal
        return RefundState(provider_id=f"entry-{entry.pk}", status="succeeded")

    def divide(self, provider_id: str, *, amount: int, key: str) -> str:
        ledger.divide(amount=amount, reference=reference_of(provider_id), to=reference_of(key))
        return key


class GiftCardGateway(_StoredValueGateway):
    code = StoredValue.Kind.GIFT_CARD.value


class StoreCreditGateway(_StoredValueGateway):
    code = StoredValue.Kind.STORE_CREDIT.value


class ExchangeGateway(_StoredValueGateway):
    code = StoredValue.Kind.EXCHANGE.value
