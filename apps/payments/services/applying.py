"""Moving a payment towards what its gateway says, in one place.

Whatever brings the news (an answer, a webhook, the reconciler, twice, out of order), the row ends
where the gateway is. Only sums are compared, never differences applied.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.failpoints import failpoint
from apps.core.locks import locked
from apps.orders import services as orders
from apps.orders import states
from apps.orders.models import Order
from apps.payments.events import PaymentUnwanted, RefundedElsewhere, SavedMethodDeclined
from apps.payments.gateways.base import GatewayState, SavedCard, State
from apps.payments.models import Payment, PaymentEntry, Refund, SavedMethod
from apps.payments.selectors import UNDECIDED, sums_of

_Status = Payment.Status
# News may arrive in any order: a later state is never undone by an earlier one.
_RANK = {
    _Status.CREATED: 0,
    _Status.REQUIRES_ACTION: 1,
    _Status.PROCESSING: 2,
    _Status.FAILED: 3,
    _Status.AUTHORIZED: 4,
    _Status.VOIDED: 5,
    _Status.CAPTURED: 6,
}
# A bank debit may take this long.
PROCESSING_TIME = timedelta(days=14)


class WrongPayment(Conflict):
    """Genuine news that doesn't fit: another amount, currency or payment than ours."""

    code = "payment_mismatch"
    message = _("The gateway's payment isn't the one we know.")


@transaction.atomic
def apply_state(*, payment: Payment, state: GatewayState) -> Payment:
    """Bring a payment, its ledger and its order to the gateway's state.

    Raises WrongPayment when amount, currency or reference aren't this payment's: being genuine
    doesn't make it ours.
    """
    order = locked(Order.objects.filter(pk=payment.order_id)).get()
    payments = list(locked(Payment.objects.filter(order=order)))
    row = next(each for each in payments if each.pk == payment.pk)
    check_fits(row, state)
    before = row.status, row.authorized_amount, row.captured_amount, row.refunded_amount
    captured = max(row.captured_amount, state.captured)
    wanted = {
        "authorized": max(row.authorized_amount, state.authorized, captured),
        "captured": captured,
        "refunded": max(row.refunded_amount, min(state.refunded, captured)),
    }
    _enter(row, wanted)
    row.authorized_amount = wanted["authorized"]
    row.captured_amount = wanted["captured"]
    row.refunded_amount = wanted["refunded"]
    row.status = _next_status(row, state)
    if row.status == _Status.VOIDED and row.captured_amount:
        # The rest is what was let go.
        row.status = _Status.CAPTURED
    row.provider_id = row.provider_id or state.provider_id or None
    row.client_secret = state.client_secret or row.client_secret
    row.redirect_url = state.redirect_url
    row.error_code, row.error_message = state.error_code[:60], state.error_message[:300]
    row.is_test = state.is_test
    _keep_method(order, row, state)
    if state.state == State.AUTHORIZED:
        row.captures_several = state.captures_several
    row.save()
    after = row.status, row.authorized_amount, row.captured_amount, row.refunded_amount
    if after != before:
        _tell(order, row, before[0], before[2])
        _report(order, row, sums_of(payments))
    failpoint("before-payment-commit")
    return row


def check_fits(row: Payment, state: GatewayState) -> None:
    """Raises WrongPayment unless it is this payment that the gateway tells of."""
    ours = state.reference in ("", str(row.public_id))
    same_id = row.provider_id in (None, state.provider_id) or not state.provider_id
    if not ours or not same_id or (state.amount, state.currency) != (row.amount, row.currency):
        raise WrongPayment(
            extra={"expected": f"{row.amount} {row.currency}", "payment": str(row.public_id)}
        )


def _next_status(row: Payment, state: GatewayState) -> str:
    now, told = row.status, _Status(state.state.value)
    refused = state.state == State.REQUIRES_ACTION and state.error_code
    # Nobody is there to try once more.
    if refused and (now == _Status.PROCESSING or (row.is_off_session and now in UNDECIDED)):
        return _Status.FAILED
    return told if _RANK[told] > _RANK[_Status(now)] else now


def _enter(row: Payment, wanted: dict[str, int]) -> None:
    """The ledger grows by what is new."""
    kinds = {
        "authorized": PaymentEntry.Kind.AUTHORIZE,
        "captured": PaymentEntry.Kind.CAPTURE,
        "refunded": PaymentEntry.Kind.REFUND,
    }
    actor = current_actor().label
    entries = []
    for name, kind in kinds.items():
        if delta := wanted[name] - getattr(row, f"{name}_amount"):
            entries.append(PaymentEntry(payment=row, kind=kind, amount=delta, actor=actor))
    PaymentEntry.objects.bulk_create(entries)


def _tell(order: Order, row: Payment, status_before: str, captured_before: int) -> None:
    ended = row.status if row.status != status_before else ""
    rest = row.authorized_amount - row.captured_amount
    if ended in (_Status.VOIDED, _Status.FAILED) or (ended == _Status.CAPTURED and rest):
        kind = PaymentEntry.Kind.FAIL if ended == _Status.FAILED else PaymentEntry.Kind.VOID
        PaymentEntry.objects.create(
            payment=row,
            kind=kind,
            amount=rest if ended == _Status.CAPTURED else row.amount,
            reason=row.error_code,
            actor=current_actor().label,
        )
        if row.is_off_session and ended != _Status.CAPTURED:
            publish(SavedMethodDeclined(payment_id=str(row.public_id)))
    if row.refunded_amount and row.refunded_amount > _asked_back(row):
        publish(RefundedElsewhere(order_id=str(order.public_id)))
    is_part = row.captured_amount > captured_before
    # Nothing was taken now: what was left is let go.
    is_rest = ended == _Status.CAPTURED and not is_part
    told = _Status.VOIDED if is_rest else _Status.CAPTURED if is_part else row.status
    orders.record_event(
        order=order,
        kind=f"payment_{told}",
        message=row.error_message,
        data={
            "payment": str(row.public_id),
            "gateway": row.gateway,
            "captured": row.captured_amount,
            "refunded": row.refunded_amount,
        },
    )
    audit.record(
        "payment.state",
        row,
        {
            "status": [status_before, row.status],
            "captured": row.captured_amount,
            "refunded": row.refunded_amount,
        },
    )
    if row.status == _Status.PROCESSING:
        orders.keep_waiting(order=order, until=timezone.now() + PROCESSING_TIME)


def _asked_back(row: Payment) -> int:
    refunds = row.refunds.exclude(status=Refund.Status.FAILED)
    return refunds.aggregate(n=Sum("amount"))["n"] or 0


def _keep_method(order: Order, row: Payment, state: GatewayState) -> None:
    """Note the method that the gateway keeps from now on. Only once: what the customer removes
    later isn't brought back by news of the payment."""
    if not row.saves_method or state.saved is None or order.customer_id is None:
        return
    row.saves_method = False
    SavedMethod.objects.get_or_create(
        gateway=row.gateway,
        provider_id=state.saved.method_id,
        defaults={
            "account_id": row.account_id,
            "customer_id": order.customer_id,
            **card_fields(state.saved),
        },
    )


def card_fields(card: SavedCard) -> dict[str, str | int]:
    """A saved method's fields that tell of the card, as its gateway says it."""
    return {
        "provider_customer": card.customer,
        "brand": card.brand[:30],
        "last4": card.last4[:4],
        "expiry_month": card.expiry_month,
        "expiry_year": card.expiry_year,
    }


def _report(order: Order, row: Payment, sums: dict[str, int]) -> None:
    """Tell the order the sums over its payments; what it can't use is to be given back."""
    order = orders.record_payment(order=order, **sums)
    kept = sums["captured"] - sums["refunded"]
    is_money = row.status in (_Status.AUTHORIZED, _Status.CAPTURED)
    unwanted = order.status == states.CANCELLED and is_money
    if unwanted or (kept > order.total and row.captured_amount > row.refunded_amount):
        publish(PaymentUnwanted(payment_id=str(row.public_id)))
