"""Asking a gateway what a payment is now, and taking what the customer has approved there."""

from __future__ import annotations

from apps.orders import states
from apps.payments.gateways import gateway_of
from apps.payments.gateways.base import GatewayState
from apps.payments.models import Payment
from apps.payments.selectors import UNDECIDED
from apps.payments.services.applying import check_fits


def ask(payment: Payment) -> GatewayState:
    """The payment at its gateway, which knows it. Raises GatewayError, WrongPayment."""
    return take_approved(payment, gateway_of(payment).fetch(payment.provider_id or ""))


def take_approved(payment: Payment, state: GatewayState) -> GatewayState:
    """`state`, or what it became by taking the money that the customer agreed to pay.

    Nothing is taken for a payment that was ended meanwhile, for a cancelled order, or of another
    amount than ours. Repeatable: the key is the payment's. Raises GatewayError, WrongPayment.
    """
    payment.refresh_from_db()
    wanted = payment.status in UNDECIDED and payment.order.status != states.CANCELLED
    if not (state.approved and wanted):
        return state
    check_fits(payment, state)
    return gateway_of(payment).complete(state.provider_id, key=f"{payment.public_id}-complete")
