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
from apps.orders.models import Approval, Order
from apps.payments import services as payments
from apps.payments.models import Refund, StoredValue
from apps.payments.selectors import kept, payments_of, propose_refund
from apps.returns.events import ReturnRefunded, ReturnSettled
from apps.returns.models import Payout, ReturnRequest
from apps.returns.selectors import Estimate
from apps.returns.services.exchanging import forget_cancelled, replacement_for, set_against
from apps.returns.services.lifecycle import ReturnRefused, hold, move
from apps.returns.services.replacing import lines_to_settle, propose
from apps.returns.services.requesting import NoAccount

_To = ReturnRequest.RefundTo
_REFUND_RETURN = "refund_return"


class NotRefundable(Conflict):
    code = "not_refundable"
    message = _("None of its refunds failed.")


def refund_or_ask(
    *, request: ReturnRequest, refund_to: str = "", waive_fee: bool = False
) -> ReturnRequest | Approval:
    """`refund_return`, or ask for another person's approval where staff may not give so much back
    alone."""
    with transaction.atomic():
        order, row = hold(request)
        try:
            with transaction.atomic():
                return refund_return(request=row, refund_to=refund_to, waive_fee=waive_fee)
        except orders.ApprovalNeeded:
            lines = lines_to_settle(row)
            found, _quotation = propose(
                order=order, lines=lines, is_claim=row.is_claim, waive_fee=waive_fee
            )
            return orders.ask(
                order=order,
                verb=_REFUND_RETURN,
                arguments={
                    "return": str(row.public_id),
                    "refund_to": refund_to,
                    "waive_fee": waive_fee,
                },
                amount=found.refund,
                reason=row.number,
            )


def _approved(approval: Approval) -> ReturnRequest:
    given = dict(approval.arguments)
    request = ReturnRequest.objects.get(public_id=given.pop("return"))
    return refund_return(request=request, approval=approval, **given)


@transaction.atomic
def refund_return(
    *,
    request: ReturnRequest,
    refund_to: str = "",
    waive_fee: bool = False,
    approval: Approval | None = None,
) -> ReturnRequest:
    """Decide what a return gives back, and close it; `refund_to` instead of what was asked for.

    Of an exchange the replacement is ordered here, and what is given back is set against it first.
    Refunds of payments are promised here, so that nothing is given back twice, and asked for after
    the commit (`pay_out`); store credit and gift cards are there at once. Raises ReturnRefused,
    NoAccount, NotExchangeable, InsufficientStock; orders.ApprovalNeeded for more than staff may
    give back to the order's payments without an `approval`.
    """
    order, row = hold(request)
    if not row.has_refund_due:
        raise ReturnRefused(extra={"return_status": row.status})
    forget_cancelled(row=row)
    lines = lines_to_settle(row)
    found, quotation = propose(order=order, lines=lines, is_claim=row.is_claim, waive_fee=waive_fee)
    made = replacement_for(order=order, row=row, lines=lines, quotation=quotation)
    credit = min(found.refund, made.total) if made else 0
    if row.is_claim:
        row.lines.update(received_quantity=F("quantity"), accepted_quantity=F("quantity"))
    move(
        request=row,
        event="settle" if row.is_claim else "close",
        refund_to=refund_to or row.refund_to,
        settled_at=timezone.now(),
        replacement_order=made,
        credit_amount=credit,
        **_amounts(found),
    )
    if made is not None:
        set_against(order=order, row=row, made=made)
    if found.refund > credit:
        _promise(order, row, found.refund - credit, approval)
    elif credit:
        _tell_refunded(row)
    orders.record_event(order=order, kind="return_closed", message=row.number)
    publish(ReturnSettled(return_id=str(row.public_id), order_number=order.number))
    return row


def _amounts(found: Estimate) -> dict[str, int]:
    names = ("goods", "fee", "label", "shipping", "refund")
    return {f"{name}_amount": getattr(found, name) for name in names}


def _promise(order: Order, row: ReturnRequest, amount: int, approval: Approval | None) -> None:
    if row.refund_to == _To.ORIGINAL:
        _promise_refunds(order, row, amount, approval=approval)
        return
    Payout.objects.create(request=row, amount=amount)
    orders.record_credited(order=order, amount=amount)
    _give(order, row, amount, key=f"return:{row.public_id}")
    _tell_refunded(row)


def _promise_refunds(
    order: Order,
    row: ReturnRequest,
    amount: int,
    *,
    is_credit: bool = False,
    approval: Approval | None = None,
) -> None:
    for payment, part in propose_refund(order, amount):
        refund = payments.intend_refund(
            payment=payment, amount=part, reason=row.number, is_for_goods=True, approval=approval
        )
        Payout.objects.create(request=row, amount=part, refund=refund, is_credit=is_credit)


def _give(order: Order, row: ReturnRequest, amount: int, *, key: str) -> None:
    """To store credit or a gift card, which are there at once."""
    if row.refund_to == _To.STORE_CREDIT:
        if order.customer is None or not order.customer.user_id:
            raise NoAccount(field="refund_to")
        payments.grant_store_credit(
            customer=order.customer,
            amount=Money(amount, order.currency),
            reason=row.number,
            key=key,
        )
    else:
        payments.issue_gift_card(
            draft=payments.GiftCardDraft(
                store=order.store,
                currency=order.currency,
                amount=amount,
                customer=order.customer,
                recipient_email=order.email,
                language=order.language,
                reference=key,
            )
        )


def pay_out(*, return_id: str) -> None:
    """Ask the gateways for what a return promised. Repeatable: each refund has a key there.

    What a gateway refuses stays failed, for the staff to try again. A replacement that was sent
    first is on account no more: what it costs beyond is asked for.
    """
    payouts = Payout.objects.filter(
        request__public_id=UUID(return_id), refund__status=Refund.Status.PENDING
    )
    for payout in payouts.select_related("refund__payment"):
        with suppress(payments.GatewayRefused):
            payments.finish_refund(refund=payout.refund)
    made = Order.objects.filter(replaces__public_id=UUID(return_id)).first()
    if made is not None:
        payments.end_account(order=made)


@transaction.atomic
def record_refund(*, refund_id: str) -> None:
    """A refund succeeded: with the last one of a return, the return is refunded.

    What came back of a replacement goes on to where the return's refund would have gone.
    """
    refund = Refund.objects.select_related("payment").get(public_id=UUID(refund_id))
    if refund.payment.gateway == StoredValue.Kind.EXCHANGE:
        _pass_on(refund)
    payout = Payout.objects.filter(refund=refund).first()
    if payout is None:
        return
    _order, row = hold(payout.request)
    promised = row.payouts.filter(refund__isnull=False)
    if not promised.exclude(refund__status=Refund.Status.SUCCEEDED).exists():
        _tell_refunded(row)


def _pass_on(refund: Refund) -> None:
    reference = StoredValue.objects.get(public_id=refund.payment.method).reference or ""
    found = ReturnRequest.objects.get(public_id=UUID(reference.partition(":")[2]))
    order, row = hold(found)
    by_payments = row.refund_to == _To.ORIGINAL
    amount = refund.amount
    if by_payments:
        # Less where the sale's payments were refunded elsewhere; the rest stays on the credit.
        amount = min(amount, kept(payments_of(order)) - order.credited_amount + amount)
    key = f"pass-on:{refund.public_id}"
    if amount <= 0 or not payments.take_exchange_credit(
        reference=reference, amount=amount, key=key
    ):
        return
    if not by_payments:
        _give(order, row, amount, key=f"return:{row.public_id}:{refund.public_id}")
        return
    # Before it is promised: what a payment may refund depends on it.
    orders.record_credited(order=order, amount=-amount)
    credit = row.payouts.get(is_credit=True, refund=None)
    if credit.amount > amount:
        credit.amount -= amount
        credit.save(update_fields=["amount", "updated_at"])
    else:
        credit.delete()
    _promise_refunds(order, row, amount, is_credit=True)
    publish(ReturnSettled(return_id=str(row.public_id), order_number=order.number))


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
            approval=before.approval,
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


orders.register_approval_verb(
    orders.ApprovalVerb(name=_REFUND_RETURN, label=_("Refund of a return"), run=_approved)
)
