"""What staff, and cancelled orders, do with money beside capturing it: void, refund."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.locks import locked
from apps.notifications.services import notify
from apps.orders import services as orders
from apps.orders.models import Approval, Order
from apps.orders.services.mails import mail_context, money_text
from apps.payments.events import PaymentRefunded
from apps.payments.gateways import gateway_of
from apps.payments.gateways.base import Gateway, GatewayError
from apps.payments.models import Payment, Refund, StoredValue
from apps.payments.selectors import ALIVE, UNDECIDED, refundable
from apps.payments.services.applying import apply_state
from apps.payments.services.starting import drive

_REFUND = "refund"


class NotVoidable(Conflict):
    code = "not_voidable"
    message = _("Only an open or authorized payment can be voided.")


class NotRefundable(Conflict):
    code = "not_refundable"
    message = _("Nothing was captured that could be refunded.")


class RefundTooLarge(Conflict):
    """`extra["refundable"]`: the minor units that are left."""

    code = "refund_too_large"
    message = _("More than what is left of this payment.")


class GatewayRefused(DomainError):
    code = "gateway_refused"
    status = 502
    message = _("The payment provider refused.")


class GatewayUnreachable(DomainError):
    """Nobody knows whether it worked: the same call again will tell."""

    code = "gateway_unreachable"
    status = 503
    message = _("The payment provider doesn't answer; try again.")


def void(*, payment: Payment) -> Payment:
    """Let go what is authorized and not captured, or end an unfinished payment.

    Raises NotVoidable, GatewayRefused, GatewayUnreachable.
    """
    payment = Payment.objects.get(pk=payment.pk)
    if payment.status not in (*UNDECIDED, Payment.Status.AUTHORIZED) or not payment.provider_id:
        raise NotVoidable()
    provider = gateway_of(payment)
    try:
        with own_books(payment, provider):
            state = provider.void(payment.provider_id, key=f"{payment.public_id}-void")
            return apply_state(payment=payment, state=state)
    except GatewayError as error:
        raise as_domain(error, payment) from error


@contextmanager
def own_books(payment: Payment, provider: Gateway) -> Iterator[None]:
    """Keep others from a gateway whose books are our own rows; who is remote sees to it itself."""
    if provider.is_remote:
        yield
        return
    with transaction.atomic():
        list(locked(Order.objects.filter(pk=payment.order_id)))
        list(locked(Payment.objects.filter(pk=payment.pk)))
        yield


def refund(*, payment: Payment, amount: int | None = None, reason: str = "") -> Refund:
    """Give money back: all that is left, or `amount` minor units of it.

    The refund is written before the gateway is asked, and its amount is taken from what is left
    in the same transaction, so that two refunds never give back more than was captured. Raises
    NotRefundable, RefundTooLarge. An unknown answer leaves it pending for the reconciler.
    """
    return finish_refund(refund=intend_refund(payment=payment, amount=amount, reason=reason))


def refund_or_ask(
    *, payment: Payment, amount: int | None = None, reason: str = ""
) -> Refund | Approval:
    """The same, or ask for another person's approval where staff may not give so much alone."""
    with transaction.atomic():
        list(locked(Order.objects.filter(pk=payment.order_id)))
        try:
            with transaction.atomic():
                intended = intend_refund(payment=payment, amount=amount, reason=reason)
        except orders.ApprovalNeeded:
            row = Payment.objects.select_related("order").get(pk=payment.pk)
            asked = refundable(row) if amount is None else amount
            return orders.ask(
                order=row.order,
                verb=_REFUND,
                arguments={"payment": str(row.public_id)},
                amount=asked,
                reason=reason,
            )
    return finish_refund(refund=intended)


@transaction.atomic
def intend_refund(
    *,
    payment: Payment,
    amount: int | None = None,
    reason: str = "",
    is_for_goods: bool = False,
    approval: Approval | None = None,
) -> Refund:
    """The same without asking the gateway: `finish_refund`, or the reconciler, does that.

    `is_for_goods`: for pieces that came back, which the order's total still has. Raises
    orders.ApprovalNeeded for more than staff may give back alone, without an `approval`.
    """
    # The global lock order: order before payment.
    list(locked(Order.objects.filter(pk=payment.order_id)))
    row = locked(Payment.objects.filter(pk=payment.pk)).get()
    left = refundable(row)
    if left <= 0:
        raise NotRefundable()
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise RefundTooLarge(field="amount", extra={"refundable": left})
    if approval is None:
        orders.check_limit(order=row.order, amount=amount, given=partial(_given_since, row.order))
    refund_ = Refund.objects.create(
        payment=row,
        amount=amount,
        reason=reason[:300],
        is_for_goods=is_for_goods,
        approval=approval,
    )
    audit.record("payment.refund", row, {"amount": amount, "reason": reason})
    return refund_


def _given_since(order: Order, since: datetime) -> int:
    """Minor units of an order that staff gave back without anybody's approval."""
    refunds = Refund.objects.filter(
        payment__order=order, created_at__gte=since, approval=None, is_settlement=False
    )
    counted = refunds.exclude(status=Refund.Status.FAILED)
    return int(counted.aggregate(n=Sum("amount"))["n"] or 0)


def _approved_refund(approval: Approval) -> Refund:
    return intend_refund(
        payment=Payment.objects.get(public_id=approval.arguments["payment"]),
        amount=approval.amount,
        reason=approval.reason,
        approval=approval,
    )


def finish_refund(*, refund: Refund) -> Refund:
    """Ask the gateway (again) for a pending refund, under its own key, and record the answer."""
    if refund.status != Refund.Status.PENDING:
        return refund
    payment = refund.payment
    provider = gateway_of(payment)
    try:
        answer = provider.refund(
            payment.provider_id or "",
            amount=refund.amount,
            reason=refund.reason,
            key=str(refund.public_id),
        )
        state = provider.fetch(payment.provider_id or "")
    except GatewayError as error:
        if error.permanent:
            _close(refund, Refund.Status.FAILED, error_message=str(error)[:300])
            raise as_domain(error, payment) from error
        return refund
    with transaction.atomic():
        closed = _close(refund, Refund.Status(answer.status), provider_id=answer.provider_id)
        apply_state(payment=payment, state=state)
        if answer.status == Refund.Status.SUCCEEDED and closed:
            publish(PaymentRefunded(refund_id=str(refund.public_id)))
    refund.refresh_from_db()
    return refund


def _close(refund: Refund, status: str, **changes: str) -> bool:
    """Whether it was open: of several who asked the gateway, one tells what it said."""
    open_one = Refund.objects.filter(pk=refund.pk, status=Refund.Status.PENDING)
    closed = open_one.update(status=status, **changes)
    refund.refresh_from_db()
    return bool(closed)


def settle_cancelled(*, order_id: str) -> None:
    """Void or refund every payment of a cancelled order.

    Repeatable; raises GatewayUnreachable to be tried again.
    """
    payments = Payment.objects.filter(order__public_id=UUID(order_id), status__in=ALIVE)
    for payment in payments.order_by("pk"):
        _give_up(payment)


def _give_up(payment: Payment) -> None:
    if payment.status == Payment.Status.CREATED:
        payment = drive(payment)
    if payment.status in (*UNDECIDED, Payment.Status.AUTHORIZED):
        if not payment.provider_id:
            return
        payment = void(payment=payment)
    if refundable(payment) > 0:
        # Another one may take what is left first.
        with suppress(NotRefundable):
            refund(payment=payment, reason="requested_by_customer")


def send_refund_mail(*, refund_id: str) -> None:
    """Tell the customer that money is on its way back; once per refund."""
    refund_ = Refund.objects.select_related("payment__order__store").get(public_id=UUID(refund_id))
    order = refund_.payment.order
    if refund_.payment.gateway == StoredValue.Kind.EXCHANGE:
        # It goes on from there, and is told then.
        return
    notify(
        kind="orders/refunded",
        recipient=order.email,
        language=order.language,
        context={
            **mail_context(order),
            "amount": money_text(refund_.amount, order.currency, order.language),
            "means": refund_.payment.gateway,
            "last4": _last4(refund_.payment),
        },
        dedupe_key=f"refund:{refund_id}",
    )


def _last4(payment: Payment) -> str:
    """Of the gift card that paid; "" for other means."""
    if payment.gateway != StoredValue.Kind.GIFT_CARD:
        return ""
    cards = StoredValue.objects.filter(public_id=payment.method)
    return cards.values_list("last4", flat=True).first() or ""


def as_domain(error: GatewayError, payment: Payment) -> DomainError:
    """What staff are told; the books are brought to what the gateway says now."""
    if not error.permanent:
        return GatewayUnreachable()
    # It refused: perhaps because the world moved on. Look, so that our row is right.
    with suppress(GatewayError):
        state = gateway_of(payment).fetch(payment.provider_id or "")
        apply_state(payment=payment, state=state)
    return GatewayRefused(extra={"provider_code": error.code})


orders.register_approval_verb(
    orders.ApprovalVerb(
        name=_REFUND,
        label=_("Refund"),
        run=_approved_refund,
        finish=lambda intended: finish_refund(refund=intended),
    )
)
