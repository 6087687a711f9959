"""Taking what is authorized: at once, or part by part where the gateway can."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.orders import services as orders
from apps.orders import states
from apps.orders.models import Order
from apps.payments.gateways import gateway_of
from apps.payments.gateways.base import GatewayError, GatewayState
from apps.payments.models import Capture, Payment
from apps.payments.selectors import (
    capturable,
    missing_of,
    payments_of,
    shipped_due,
    to_capture,
)
from apps.payments.services.applying import apply_state
from apps.payments.services.operations import (
    GatewayRefused,
    GatewayUnreachable,
    as_domain,
    own_books,
)


class NotCapturable(Conflict):
    code = "not_capturable"
    message = _("Only an authorized payment can be captured.")


class CaptureUnderWay(Conflict):
    """The one before has no answer yet: the same amount again, or the reconciler, finishes it."""

    code = "capture_under_way"
    message = _("Another amount of this payment is being captured.")


def capture(*, payment: Payment, amount: int | None = None) -> Payment:
    """Take what the order still needs of an authorization, or `amount` minor units of it.

    What is left then stays authorized where the gateway takes several captures and the order
    needs more; else it is let go. The capture is written before the gateway is asked; one
    without an answer is gone on with under its own key. Nothing is taken for an order that is held.
    Raises NotCapturable, CaptureUnderWay, OrderOnHold; gateway errors as GatewayRefused or
    GatewayUnreachable.
    """
    return finish_capture(capture=_intend(payment, amount))


@transaction.atomic
def _intend(payment: Payment, amount: int | None) -> Capture:
    # The global lock order: order before payment.
    order = locked(Order.objects.filter(pk=payment.order_id)).get()
    if order.on_hold:
        raise orders.OrderOnHold()
    row = locked(Payment.objects.filter(pk=payment.pk)).get()
    if row.status != Payment.Status.AUTHORIZED:
        raise NotCapturable()
    if under_way := row.captures.filter(is_open=True).first():
        if amount not in (None, under_way.amount):
            raise CaptureUnderWay()
        return under_way
    if order.status == states.CANCELLED:
        # Its authorization is on its way back.
        raise NotCapturable()
    left, wanted = capturable(row), to_capture(row)
    amount = wanted if amount is None else amount
    if not 0 < amount <= left:
        raise NotCapturable(_("At most what is authorized."), field="amount")
    audit.record("payment.capture", row, {"amount": amount})
    is_final = amount >= wanted or not row.captures_several
    return Capture.objects.create(payment=row, amount=amount, is_final=is_final)


def finish_capture(*, capture: Capture) -> Payment:
    """Ask the gateway (again) for a pending capture, under its own key; the payment as it is then.

    Raises GatewayRefused, and it has failed; GatewayUnreachable, and it stays pending.
    """
    payment = capture.payment
    provider = gateway_of(payment)
    part = {} if capture.is_final else {"final": False}
    try:
        with own_books(payment, provider):
            capture.refresh_from_db()
            if capture.status != Capture.Status.PENDING:
                return Payment.objects.get(pk=payment.pk)
            state = provider.capture(
                payment.provider_id or "", amount=capture.amount, key=str(capture.public_id), **part
            )
            return _captured(capture, state)
    except GatewayError as error:
        if not error.permanent:
            raise GatewayUnreachable() from error
        _close(capture, Capture.Status.FAILED, error_message=str(error)[:300])
        raise as_domain(error, payment) from error


@transaction.atomic
def _captured(capture: Capture, state: GatewayState) -> Payment:
    payment = apply_state(payment=capture.payment, state=state)
    _close(capture, Capture.Status.SUCCEEDED)
    return payment


def _close(capture: Capture, status: str, **changes: str) -> None:
    pending = Capture.objects.filter(pk=capture.pk, status=Capture.Status.PENDING)
    pending.update(status=status, is_open=None, **changes)


def capture_order(*, order: Order) -> list[Payment]:
    """Take what an order still needs of its authorizations, the first one first; those captured.

    Nothing for an order whose money is taken already: safe to repeat. Raises NotCapturable where
    nothing is authorized, and for a cancelled order, whose authorizations go back; and as
    `capture` does.
    """
    order = Order.objects.get(pk=order.pk)
    if order.status == states.CANCELLED:
        raise NotCapturable()
    captured = [
        capture(payment=payment)
        for payment in payments_of(order)
        if payment.status == Payment.Status.AUTHORIZED and missing_of(order) > 0
    ]
    if not captured and missing_of(order) > 0:
        raise NotCapturable()
    return captured


def capture_shipped(*, order_id: str) -> list[Payment]:
    """Take what has shipped of an order, of authorizations that are captured so (the gateway's
    `captures_shipments`); those captured.

    With its last piece all that is left; where a gateway takes one capture only, all of it with the
    first piece. Safe to repeat: sums are compared. What a gateway refuses is on the timeline, for
    staff; the shipment stands. Raises GatewayUnreachable and CaptureUnderWay, to be tried again.
    """
    order = Order.objects.prefetch_related("lines").get(public_id=UUID(order_id))
    if order.status == states.CANCELLED or order.on_hold:
        return []
    captured = []
    for payment in payments_of(order):
        is_open = payment.status == Payment.Status.AUTHORIZED
        if not is_open or not gateway_of(payment).captures_shipments:
            continue
        amount = shipped_due(order, payments_of(order))
        if amount <= 0:
            break
        part = min(amount, capturable(payment)) if payment.captures_several else None
        try:
            captured.append(capture(payment=payment, amount=part))
        except GatewayRefused as error:
            _tell_refused(order, payment, error)
    return captured


def _tell_refused(order: Order, payment: Payment, error: GatewayRefused) -> None:
    failed = payment.captures.filter(status=Capture.Status.FAILED).last()
    orders.record_event(
        order=order,
        kind="capture_failed",
        message=failed.error_message if failed else str(error),
        data={"payment": str(payment.public_id), "amount": failed.amount if failed else None},
    )
