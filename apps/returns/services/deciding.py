"""Whether a return is taken: approved or declined by the staff, given up by the customer."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.events import publish
from apps.orders import services as orders
from apps.returns.events import ReturnApproved, ReturnCancelled, ReturnDeclined
from apps.returns.models import ReturnRequest
from apps.returns.services.exchanging import give_up_replacement, send_first
from apps.returns.services.labels import give_label_back
from apps.returns.services.lifecycle import ReturnRefused, hold, move
from apps.returns.services.replacing import keep_stock


class NoReason(DomainError):
    code = "reason_missing"
    message = _("Say why: the customer reads it.")


@transaction.atomic
def approve_return(*, request: ReturnRequest, send_now: bool = False) -> ReturnRequest:
    """The pieces may be sent; the customer is told how. What they are exchanged for is kept.

    `send_now`: it is ordered and sent at once, before anything is back. Raises ReturnRefused,
    InsufficientStock; NotExchangeable where there is nothing to send.
    """
    order, row = hold(request)
    move(request=row, event="approve")
    if send_now:
        send_first(order=order, row=row)
    else:
        keep_stock(order=order, row=row)
    publish(ReturnApproved(return_id=str(row.public_id), order_number=order.number))
    return row


@transaction.atomic
def decline_return(*, request: ReturnRequest, reason: str) -> ReturnRequest:
    """It isn't taken, and may be asked for again. Raises NoReason, ReturnRefused."""
    if not reason.strip():
        raise NoReason(field="reason")
    order, row = hold(request)
    move(request=row, event="decline", message=reason.strip(), reason=reason.strip()[:500])
    _leave(row)
    publish(ReturnDeclined(return_id=str(row.public_id), order_number=order.number))
    return row


@transaction.atomic
def cancel_return(*, request: ReturnRequest) -> ReturnRequest:
    """Nothing will be sent. A replacement that has shipped is to be paid then.

    A withdrawal stands once it was declared. Raises ReturnRefused.
    """
    order, row = hold(request)
    if row.kind == ReturnRequest.Kind.WITHDRAWAL:
        raise ReturnRefused(_("A contract that was withdrawn from doesn't come back."))
    move(request=row, event="cancel")
    _leave(row)
    give_up_replacement(row=row)
    give_label_back(row=row)
    publish(ReturnCancelled(return_id=str(row.public_id), order_number=order.number))
    return row


def _leave(request: ReturnRequest) -> None:
    pieces = dict(request.lines.values_list("order_line_id", "quantity"))
    orders.leave_with_customer(order=request.order, quantities=pieces)
