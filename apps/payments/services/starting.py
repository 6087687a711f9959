"""Beginning a payment: the row first, the gateway afterwards, outside of any transaction."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError
from apps.core.failpoints import failpoint
from apps.core.locks import locked
from apps.orders import states
from apps.orders.models import Order
from apps.payments.gateways import gateway_of
from apps.payments.gateways.base import GatewayError, GatewayState, StartRequest, State
from apps.payments.models import Payment
from apps.payments.selectors import (
    UNDECIDED,
    chosen_gateway,
    due,
    living_payment,
    open_attempt,
    payments_of,
)
from apps.payments.services.applying import apply_state

logger = logging.getLogger(__name__)


class OrderNotPayable(Conflict):
    code = "order_not_payable"
    message = _("This order can't be paid any more.")


class PaymentDeclined(DomainError):
    """The bank said no; another method may work. The order waits."""

    code = "payment_declined"
    status = 402
    message = _("The payment was declined.")


def start_payment(
    *, order: Order, gateway_code: str, method: str = "", return_url: str = ""
) -> Payment:
    """Begin (or go on with) paying what an order still owes; the payment as it is now.

    What it owes is its total without what other payments cover (gift cards, an authorization).

    Safe to repeat and to run twenty times at once: an open attempt with the same gateway and
    method is continued under its own key, a successful one is returned as it is, another one is
    ended before a new one begins. Gift cards and store credit aren't begun here but by
    `apply_tenders`. An answer that never came leaves the payment "created": the
    webhook or the reconciler will tell. Raises OrderNotPayable and UnknownGateway.
    """
    chosen_gateway(order.store_id, gateway_code)
    payment = _intent(order, gateway_code, method, return_url)
    wanted = (gateway_code, method)
    while payment.status in UNDECIDED and not _goes_on(payment, wanted):
        ended = _end(payment)
        if ended.status not in (Payment.Status.VOIDED, Payment.Status.FAILED):
            return ended
        # Somebody else's click may have begun another one meanwhile.
        payment = _intent(order, gateway_code, method, return_url)
    failpoint("payment-created")
    return drive(payment)


def _goes_on(payment: Payment, wanted: tuple[str, str]) -> bool:
    """Whether an open attempt is what is wanted now: so paid, and as much."""
    if (payment.gateway, payment.method) != wanted:
        return False
    order = payment.order
    order.refresh_from_db()
    return payment.amount == due(order, payments_of(order))


@transaction.atomic
def _intent(order: Order, gateway_code: str, method: str, return_url: str) -> Payment:
    current = locked(Order.objects.filter(pk=order.pk)).get()
    if current.status == states.CANCELLED:
        raise OrderNotPayable()
    payments = payments_of(current)
    attempt = open_attempt(payments)
    if attempt is not None:
        return attempt
    amount = due(current, payments)
    if not amount:
        last = living_payment(payments)
        if last is None:
            raise OrderNotPayable()
        return last
    return begin(
        order=current,
        gateway_code=gateway_code,
        method=method,
        return_url=return_url,
        amount=amount,
    )


def begin(
    *, order: Order, gateway_code: str, method: str = "", return_url: str = "", amount: int
) -> Payment:
    """Write the first attempt of an order down, in the order's own transaction.

    `amount` is what the order owes, in minor units. `drive` it after the commit. Raises
    UnknownGateway.
    """
    _gateway, account = chosen_gateway(order.store_id, gateway_code)
    return Payment.objects.create(
        order=order,
        gateway=gateway_code,
        account=account,
        method=method,
        return_url=return_url,
        currency=order.currency,
        amount=amount,
    )


def drive(payment: Payment) -> Payment:
    """Ask the gateway to begin a payment that has no answer yet; anything else is returned."""
    if payment.status != Payment.Status.CREATED:
        return payment
    try:
        state = start_at_gateway(payment)
    except GatewayError as error:
        logger.warning("payment start: %s", error.code, extra={"payment": str(payment.public_id)})
        if not error.permanent:
            return payment
        state = GatewayState(
            provider_id="",
            state=State.FAILED,
            amount=payment.amount,
            currency=payment.currency,
            error_code=error.code,
            error_message=str(error),
        )
    failpoint("gateway-answered")
    payment = apply_state(payment=payment, state=state)
    failpoint("payment-recorded")
    return payment


def start_at_gateway(payment: Payment) -> GatewayState:
    """Ask the gateway to begin a payment, under the payment's own key. Raises GatewayError."""
    order = payment.order
    return gateway_of(payment).start(
        StartRequest(
            key=str(payment.public_id),
            amount=payment.amount,
            currency=payment.currency,
            description=f"Order {order.number}",
            email=order.email,
            method=payment.method,
            return_url=payment.return_url,
        )
    )


def _end(payment: Payment) -> Payment:
    """End an attempt that the shopper left for another method; it may turn out to be paid."""
    if payment.provider_id is None:
        payment = drive(payment)
        if payment.provider_id is None or payment.status not in UNDECIDED:
            return payment
    provider = gateway_of(payment)
    try:
        state = provider.void(payment.provider_id, key=f"{payment.public_id}-void")
    except GatewayError:
        # Too late, or unknown: what the gateway says now decides.
        try:
            state = provider.fetch(payment.provider_id)
        except GatewayError:
            return payment
    return apply_state(payment=payment, state=state)
