"""What customers are told of their returns."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import override

from apps.notifications.services import notify
from apps.orders.models import Order
from apps.orders.services.mails import mail_context, money_text
from apps.returns.models import ReturnLabel, ReturnRequest, Withdrawal
from apps.returns.selectors import returns_for_reading, terms_of


def mail_return(*, kind: str, return_id: str) -> None:
    """Tell the customer that it was "requested", "approved", "declined", "received", "refunded";
    once each.

    A refund of nothing isn't told, that of an exchange with what is sent instead; of a withdrawal
    its acknowledgement tells the beginning.
    """
    request = returns_for_reading().get(public_id=UUID(return_id))
    order = request.order
    acknowledged = request.kind == ReturnRequest.Kind.WITHDRAWAL
    if acknowledged and kind in ("requested", "approved"):
        return
    exchanged = kind == "refunded" and request.replacement_order is not None
    if kind == "refunded" and not exchanged and not request.refund_amount:
        return
    notify(
        kind="returns/exchanged" if exchanged else f"returns/{kind}",
        recipient=order.email,
        language=order.language,
        context={
            **_context(order),
            **_return_context(request),
            "instructions": _instructions(request) if kind == "approved" else [],
        },
        dedupe_key=f"return:{kind}:{return_id}",
    )


def mail_label(*, label_id: str) -> None:
    """Tell the customer that the label of a return is there, unless it was given back meanwhile;
    once."""
    bought = ReturnLabel.objects.filter(public_id=UUID(label_id), status=ReturnLabel.Status.BOUGHT)
    label = bought.defer("document").first()
    if label is None:
        return
    request = returns_for_reading().get(pk=label.request_id)
    order = request.order
    takes_off = label.is_deducted and label.currency == order.currency
    price = money_text(label.amount, order.currency, order.language)
    notify(
        kind="returns/label",
        recipient=order.email,
        language=order.language,
        context={
            **_context(order),
            **_return_context(request),
            "carrier": label.carrier_name or label.carrier,
            "tracking_number": label.tracking_number,
            "price": price if takes_off else "",
        },
        dedupe_key=f"return-label:{label_id}",
    )


def mail_withdrawal(*, withdrawal_id: str) -> None:
    """Acknowledge a withdrawal: what was said, by whom, on what day and at what time; once."""
    statement = Withdrawal.objects.select_related("order__store", "request").get(
        public_id=UUID(withdrawal_id)
    )
    order, request = statement.order, statement.request
    at = statement.created_at.astimezone(order.store.zone)
    with override(statement.language):
        day, time = date_format(at, "DATE_FORMAT"), f"{at:%H:%M:%S %Z}"
    context = {**_context(order), "name": statement.name, "email": statement.email}
    if request is not None:
        context |= {**_return_context(request), "instructions": _instructions(request)}
    notify(
        kind="returns/withdrawn",
        recipient=statement.email,
        language=statement.language,
        context={**context, "day": day, "time": time},
        dedupe_key=f"withdrawal:{withdrawal_id}",
    )


def mail_no_right(*, order: Order, language: str) -> None:
    """Tell who wanted to withdraw that the right has ended, or never was; once a day."""
    notify(
        kind="returns/no_right",
        recipient=order.email,
        language=language,
        context=_context(order),
        dedupe_key=f"withdrawal:none:{order.public_id}:{timezone.now():%Y%m%d}",
    )


def _context(order: Order) -> dict[str, Any]:
    return {**mail_context(order), "store_email": order.store.email}


def _return_context(request: ReturnRequest) -> dict[str, Any]:
    order = request.order

    def text(amount: int) -> str:
        return money_text(amount, order.currency, order.language)

    return {
        "return_number": request.number,
        "is_claim": request.is_claim,
        "refund_to": request.refund_to,
        "store_pays": request.shipping_paid_by == "store",
        "reason": request.reason,
        "lines": [
            {
                "name": line.order_line.name,
                "sku": line.order_line.sku,
                "options": line.order_line.options,
                "quantity": line.quantity,
            }
            for line in request.lines.all()
        ],
        **_exchange_context(request),
        "goods": text(request.goods_amount),
        "fee": text(request.fee_amount) if request.fee_amount else "",
        "label": text(request.label_amount) if request.label_amount else "",
        "shipping": text(request.shipping_amount) if request.shipping_amount else "",
        "refund": text(request.refund_amount),
    }


def _exchange_context(request: ReturnRequest) -> dict[str, Any]:
    """What is sent instead: `replacement` is its order's number, once there is one; `rest` is
    given back, `to_pay` asked for."""
    order, made = request.order, request.replacement_order
    rest = request.refund_amount - request.credit_amount
    to_pay = made.total - request.credit_amount if made else 0

    def text(amount: int) -> str:
        return money_text(amount, order.currency, order.language) if amount else ""

    return {
        "exchanges": [
            {
                "name": line.replacement.product.name,
                "sku": line.replacement.sku,
                "quantity": line.quantity,
            }
            for line in request.lines.all()
            if line.replacement is not None
        ],
        "replacement": made.number if made else "",
        "sent_first": any(entry.kind == "send_first" for entry in request.timeline.all()),
        "replacement_total": money_text(made.total, order.currency, order.language) if made else "",
        "credit": text(request.credit_amount),
        "rest": text(rest),
        "to_pay": text(to_pay),
    }


def _instructions(request: ReturnRequest) -> list[str]:
    """The instructions of the policies of its lines, each once."""
    lines = {line.order_line_id for line in request.lines.all()}
    texts = [one.policy.instructions for one in terms_of(request.order) if one.line.pk in lines]
    return list(dict.fromkeys(text for text in texts if text))
