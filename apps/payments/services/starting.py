"""Beginning a payment: the row first, the gateway afterwards, outside of any transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.failpoints import failpoint
from apps.core.locks import locked
from apps.orders import states
from apps.orders.models import Order
from apps.payments.gateways import gateway_of
from apps.payments.gateways.base import GatewayError, GatewayState, StartRequest, State
from apps.payments.models import GatewayAccount, Payment, SavedMethod
from apps.payments.selectors import (
    UNDECIDED,
    chosen_gateway,
    due,
    last_introduced,
    living_payment,
    open_attempt,
    payments_of,
    usable_method,
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


class NotSavable(DomainError):
    code = "method_not_savable"
    message = _("Only customers with an account can save a way to pay, and not every way.")


@dataclass(frozen=True, slots=True)
class Means:
    """How a payment is begun; named as the payment's own fields."""

    gateway: str
    account: GatewayAccount | None
    method: str = ""
    return_url: str = ""
    provider_customer: str = ""
    saves_method: bool = False
    is_off_session: bool = False

    @classmethod
    def of_saved(cls, saved: SavedMethod, **more: object) -> Means:
        return cls(
            saved.gateway,
            saved.account,
            method=saved.provider_id,
            provider_customer=saved.provider_customer,
            **more,  # type: ignore[arg-type]
        )


def start_payment(
    *,
    order: Order,
    gateway_code: str = "",
    method: str = "",
    return_url: str = "",
    save_method: bool = False,
    saved_method: UUID | None = None,
) -> Payment:
    """Begin (or go on with) paying what an order still owes; the payment as it is now.

    What it owes is its total without what other payments cover (gift cards, an authorization).

    Safe to repeat and to run twenty times at once: an open attempt with the same gateway and
    method is continued under its own key, a successful one is returned as it is, another one is
    ended before a new one begins. Gift cards and store credit aren't begun here but by
    `apply_tenders`. An answer that never came leaves the payment "created": the
    webhook or the reconciler will tell. Raises OrderNotPayable, UnknownGateway, NotSavable, and
    NotFound for a saved method that isn't of the order's customer.
    """
    means = _means(order, gateway_code, method, return_url, save_method, saved_method)
    payment = _intent(order, means)
    while payment.status in UNDECIDED and not _goes_on(payment, means):
        ended = _end(payment)
        if ended.status not in (Payment.Status.VOIDED, Payment.Status.FAILED):
            return ended
        # Somebody else's click may have begun another one meanwhile.
        payment = _intent(order, means)
    failpoint("payment-created")
    return drive(payment)


def _means(
    order: Order,
    gateway_code: str,
    method: str,
    return_url: str,
    save_method: bool,
    saved_method: UUID | None,
) -> Means:
    """What the shopper chose. Raises UnknownGateway, NotSavable, and NotFound for a saved method
    that the order's customer doesn't have at that gateway."""
    if saved_method is not None:
        saved = usable_method(order.customer, order.store_id, saved_method)
        if gateway_code not in ("", saved.gateway):
            raise NotFound(field="saved_method")
        return Means.of_saved(saved, return_url=return_url)
    gateway, account = chosen_gateway(order.store_id, gateway_code)
    if save_method and (order.customer is None or not gateway.can_save):
        raise NotSavable(field="save_method")
    return Means(gateway_code, account, method, return_url, saves_method=save_method)


def _goes_on(payment: Payment, means: Means) -> bool:
    """Whether an open attempt is what is wanted now: so paid, and as much."""
    parts = ("gateway", "method", "saves_method", "is_off_session")
    if any(getattr(payment, part) != getattr(means, part) for part in parts):
        return False
    order = payment.order
    order.refresh_from_db()
    return payment.amount == due(order, payments_of(order))


@transaction.atomic
def _intent(order: Order, means: Means) -> Payment:
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
    return write(order=current, means=means, amount=amount)


def begin(
    *,
    order: Order,
    amount: int,
    gateway_code: str = "",
    method: str = "",
    return_url: str = "",
    save_method: bool = False,
    saved_method: UUID | None = None,
) -> Payment:
    """Write the first attempt of an order down, in the order's own transaction.

    `amount` is what the order owes, in minor units. `drive` it after the commit. Raises
    UnknownGateway, NotSavable and NotFound as `start_payment` does.
    """
    means = _means(order, gateway_code, method, return_url, save_method, saved_method)
    return write(order=order, means=means, amount=amount)


def write(*, order: Order, means: Means, amount: int) -> Payment:
    """The row of a payment that is to be begun, under the order's lock."""
    parts = {name: getattr(means, name) for name in means.__slots__}
    return Payment.objects.create(order=order, currency=order.currency, amount=amount, **parts)


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
    if payment.saves_method:
        _introduce(payment)
    return gateway_of(payment).start(
        StartRequest(
            key=str(payment.public_id),
            amount=payment.amount,
            currency=payment.currency,
            description=f"Order {order.number}",
            email=order.email,
            method=payment.method,
            return_url=payment.return_url,
            customer=payment.provider_customer,
            save_method=payment.saves_method and bool(payment.provider_customer),
            off_session=payment.is_off_session,
        )
    )


def _introduce(payment: Payment) -> None:
    """Make the gateway know the customer, once; kept before anything is asked for by that id."""
    customer = payment.order.customer
    if payment.provider_customer or customer is None:
        return
    provider = gateway_of(payment)
    last = last_introduced(customer, payment.gateway, payment.account_id)
    if last is not None and last.error_code not in provider.missing_codes:
        known = last.provider_customer
    else:
        # Whom somebody deleted at the gateway is made anew.
        after = f"-after-{last.provider_customer}" if last else ""
        key = f"customer-{customer.public_id}{after}"
        known = provider.create_customer(key=key, email=customer.email)
    Payment.objects.filter(pk=payment.pk, provider_customer="").update(provider_customer=known)
    payment.refresh_from_db()


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
