"""Money that arrives outside of the shop: bank transfer, cash on delivery, on account.

The order is accepted at once; staff capture the payment when the money is there.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from apps.payments.gateways.base import (
    Gateway,
    GatewayError,
    GatewayState,
    RefundState,
    StartRequest,
    State,
)
from apps.payments.models import Payment, Refund

_STATES = {state.value: state for state in State}


class ManualGateway(Gateway):
    """Its own books are the payment's row: there is nobody else to ask."""

    code = "manual"
    is_remote = False

    @property
    def plain_methods(self) -> list[tuple[str, Any]]:
        return [("", _("Later: by transfer, or on delivery"))]

    def start(self, request: StartRequest) -> GatewayState:
        return GatewayState(
            provider_id=f"manual-{request.key}",
            state=State.AUTHORIZED,
            amount=request.amount,
            currency=request.currency,
            authorized=request.amount,
            reference=request.key,
        )

    def fetch(self, provider_id: str) -> GatewayState:
        row = Payment.objects.filter(gateway=self.code, provider_id=provider_id).first()
        if row is None:
            raise GatewayError("No such payment.", code="unknown_payment", permanent=True)
        return GatewayState(
            provider_id=provider_id,
            state=_STATES.get(row.status, State.AUTHORIZED),
            amount=row.amount,
            currency=row.currency,
            authorized=row.authorized_amount,
            captured=row.captured_amount,
            refunded=row.refunds.exclude(status=Refund.Status.FAILED).aggregate(
                total=Coalesce(Sum("amount"), 0)
            )["total"],
            reference=str(row.public_id),
        )

    def capture(self, provider_id: str, *, amount: int, key: str) -> GatewayState:
        now = self.fetch(provider_id)
        return self._as(now, State.CAPTURED, captured=amount)

    def void(self, provider_id: str, *, key: str) -> GatewayState:
        return self._as(self.fetch(provider_id), State.VOIDED, captured=0)

    def refund(self, provider_id: str, *, amount: int, reason: str, key: str) -> RefundState:
        return RefundState(provider_id=f"manual-{key}", status="succeeded")

    @staticmethod
    def _as(now: GatewayState, state: State, *, captured: int) -> GatewayState:
        return GatewayState(
            provider_id=now.provider_id,
            state=state,
            amount=now.amount,
            currency=now.currency,
            authorized=now.authorized,
            captured=captured,
            refunded=now.refunded,
            reference=now.reference,
        )
