"""Money that arrives outside of the shop: bank transfer, cash on delivery, on account.

The order is accepted at once; staff capture the payment when the money is there.
"""

from __future__ import annotations

from dataclasses import replace
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
            captures_several=True,
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
            captures_several=True,
        )

    def capture(
        self, provider_id: str, *, amount: int, key: str, final: bool = True
    ) -> GatewayState:
        now = self._authorized(provider_id)
        # A part of it may pay another order since.
        taken = min(now.captured + amount, now.authorized)
        is_over = final or taken == now.authorized
        return replace(now, state=State.CAPTURED if is_over else now.state, captured=taken)

    def void(self, provider_id: str, *, key: str) -> GatewayState:
        now = self._authorized(provider_id)
        return replace(now, state=State.CAPTURED if now.captured else State.VOIDED)

    def refund(self, provider_id: str, *, amount: int, reason: str, key: str) -> RefundState:
        return RefundState(provider_id=f"manual-{key}", status="succeeded")

    def _authorized(self, provider_id: str) -> GatewayState:
        now = self.fetch(provider_id)
        if now.state != State.AUTHORIZED:
            raise GatewayError("Nothing is authorized.", code="not_authorized", permanent=True)
        return now

    def divide(self, provider_id: str, *, amount: int, key: str) -> str:
        return f"manual-{key}"
