"""The money of a return: decided in one transaction, given back by the payments afterwards."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.money import Money
from apps.orders import services as orders
from apps.orders.models import Order
from apps.payments import services as payments
from apps.payments.models import Refund
from apps.payments.selectors import propose_refund
from apps.returns.events import ReturnRefunded, ReturnSettled
from apps.returns.models import Payout, ReturnRequest
from apps.returns.selectors import Estimate, estimate
from apps.returns.services.lifecycle import ReturnRefused, hold, move
from apps.returns.services.requesting import NoAccount

_To = ReturnRequest.RefundTo


class NotRefundable(Conflict):
    code = "not_refundable"
    message = _("None of its refunds failed.")


@transaction.atomic
def refund_return(
    *, request: ReturnRequest, refund_to: str = "", waive_fee: bool = False
) -> ReturnRequest:
    """Decide what a return gives back, and close it; `refund_to` instead of what was asked for.

    Refunds of payments are promised here, so that nothing is given back twice, and asked for after
    the commit (`pay_out`); store credit and gift cards are there at once. Raises ReturnRefused,
    NoAccount.
    """
    order, row = hold(request)
    if not row.has_refund_due:
        raise ReturnRefused(extra={"return_status": row.status})
    lines = list(row.lines.select_related("request"))
    found = estimate(order=order, lines=lines, is_claim=row.is_claim, waive_fee=waive_fee)
    if row.is_claim:
        row.lines.update(received_quantity=F("quantity"), accepted_quantity=F("quantity"))
    move(
        request=row,
        event="settle" if row.is_claim else "close",
        refund_to=refund_to or row.refund_to,
        settled_at=timezone.now(),
        **_amounts(found),
    )
    if found.refund:
        _promise(order, row)
    orders.record_event(order=order, kind="return_closed", message=row.number)
    publish(ReturnSettled(return_id=str(row.public_id), order_number=order.number))
    return row


def _amounts(found: Estimate) -> dict[str, int]:
    names = ("goods", "fee", "shipping", "refund")
    return {f"{name}_amount": getattr(found, name) for name in names}


def _promise(order: Order, row: ReturnRequest) -> None:
    if row.refund_to == _To.ORIGINAL:
        for payment, amount in propose_refund(order, row.refund_amount):
            refund = payments.intend_refund(
                payment=payment, amount=amount, reason=row.number, is_for_goods=True
            )
            Payout.objects.create(request=row, amount=amount, refund=refund)
        return
    Payout.objects.create(request=row, amount=row.refund_amount)
    if row.refund_to == _To.STORE_CREDIT:
        if order.customer is None or not order.customer.user_id:
            raise NoAccount(field="refund_to")
        payments.grant_store_credit(
            customer=order.customer,
            amount=Money(row.refund_amount, order.currency),
            reason=row.number,
            key=f"return:{row.public_id}",
        )
    else:
        payments.issue_gift_card(
            draft=payments.GiftCardDraft(
                store=order.store,
                currency=order.currency,
                amount=row.refund_amount,
                customer=order.customer,
                recipient_email=order.email,
                language=order.language,
                reference=f"return:{row.public_id}",
            )
        )
    _tell_refunded(row)


def pay_out(*, return_id: str) -> None:
    """Ask the gateways for what a return promised. Repeatable: each refund has a key there.

    What a gateway refuses stays failed, for the staff to try again.
    """
    payouts = Payout.objects.filter(
        request__public_id=UUID(return_id), refund__status=Refund.Status.PENDING
    )
    for payout in payouts.select_related("refund__payment"):
        with suppress(payments.GatewayRefused):
            payments.finish_refund(refund=payout.refund)


@transaction.atomic
def record_refund(*, refund_id: str) -> None:
    """A refund succeeded: with the last one of a return, the return is refunded."""
    payout = Payout.objects.filter(refund__public_id=UUID(refund_id)).first()
    if payout is None:
        return
    _order, row = hold(payout.request)
    open_ones = row.payouts.exclude(refund__status=Refund.Status.SUCCEEDED)
    if not open_ones.exists():
        _tell_refunded(row)


@transaction.atomic
def retry_refund(*, request: ReturnRequest) -> ReturnRequest:
    """Promise anew what gateways refused. Raises NotRefundable when they didn't."""
    order, row = hold(request)
    failed = list(row.payouts.filter(refund__status=Refund.Status.FAILED).select_related("refund"))
    if not failed:
        raise NotRefundable()
    for payout in failed:
        before = payout.refund
        payout.refund = payments.intend_refund(
            payment=before.payment,
            amount=before.amount,
            reason=before.reason,
            is_for_goods=True,
        )
        payout.save(update_fields=["refund", "updated_at"])
    publish(ReturnSettled(return_id=str(row.public_id), order_number=order.number))
    return row


def _tell_refunded(row: ReturnRequest) -> None:
    now = timezone.now()
    first = ReturnRequest.objects.filter(pk=row.pk, refunded_at__isnull=True)
    if first.update(refunded_at=now):
        row.refunded_at = now
        publish(ReturnRefunded(return_id=str(row.public_id), order_number=row.order.number))
