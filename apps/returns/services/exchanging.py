"""The exchange: when the replacement is ordered, what pays it, and what becomes of it if the pieces
don't come back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.events import publish
from apps.inventory import services as inventory
from apps.orders import services as orders
from apps.orders import states as order_states
from apps.orders.models import Order
from apps.payments import services as payments
from apps.pricing import services as pricing
from apps.returns import states
from apps.returns.events import ReturnExchanged
from apps.returns.models import Payout, ReturnEvent, ReturnLine, ReturnRequest
from apps.returns.services.lifecycle import ReturnRefused, hold
from apps.returns.services.replacing import NotExchangeable, lines_to_settle, propose, write_order

_OVER = (states.CLOSED, states.DECLINED, states.CANCELLED)


def send_first(*, order: Order, row: ReturnRequest) -> Order:
    """Order the replacement before anything is back: on account, until the return is closed.

    In the caller's transaction. Raises NotExchangeable for a return without one,
    InsufficientStock, UnknownGateway.
    """
    lines = lines_to_settle(row)
    _found, quotation = propose(order=order, lines=lines, is_claim=row.is_claim)
    if quotation is None:
        raise NotExchangeable()
    made = write_order(order=order, row=row, lines=lines, quotation=quotation)
    row.replacement_order = made
    row.save(update_fields=["replacement_order", "updated_at"])
    _note(row, "send_first", made.number)
    audit.record("return.send_first", row, {"order": made.number})
    if not made.total:
        return _accept_free(made)
    return payments.accept_on_account(order=made)


def replacement_for(
    *,
    order: Order,
    row: ReturnRequest,
    lines: Sequence[ReturnLine],
    quotation: pricing.Quotation | None,
) -> Order | None:
    """The order that a return's refund is set against: the one that was sent first, or a new one.

    In the transaction that closes the return. Raises InsufficientStock.
    """
    if row.replacement_order is not None:
        return row.replacement_order
    if order.customer is not None:
        # What is left may go there.
        payments.lock_store_credit(customer=order.customer, currency=order.currency)
    if quotation is None:
        # Kept for pieces that didn't come.
        inventory.release(reference=row.reference)
        return None
    return write_order(order=order, row=row, lines=lines, quotation=quotation)


def set_against(*, order: Order, row: ReturnRequest, made: Order) -> None:
    """Pay the replacement by the return's credit, and ask for what it costs beyond.

    In the transaction that closes the return.
    """
    if row.credit_amount:
        Payout.objects.create(request=row, amount=row.credit_amount, is_credit=True)
        orders.record_credited(order=order, amount=row.credit_amount)
        made = payments.pay_by_exchange(
            order=made, amount=row.credit_amount, reference=row.credit_reference
        )
    if made.status == order_states.PENDING:
        if made.total:
            payments.create_pay_link(order=made)
        else:
            made = _accept_free(made)
    row.replacement_order = made
    publish(
        ReturnExchanged(
            return_id=str(row.public_id),
            order_number=order.number,
            replacement_number=made.number,
        )
    )


def _accept_free(made: Order) -> Order:
    return orders.record_payment(order=made, authorized=0, captured=0, refunded=0)


def give_up_replacement(*, row: ReturnRequest) -> None:
    """Nothing comes back: what was kept is free again, what hasn't shipped isn't sent.

    What has shipped is to be paid (`pay_out`). In the caller's transaction.
    """
    inventory.release(reference=row.reference)
    if row.replacement_order is not None:
        with suppress(orders.TransitionRefused):
            orders.cancel(order=row.replacement_order, reason=str(_("The return was given up.")))


def forget_cancelled(*, row: ReturnRequest) -> None:
    """A replacement that was cancelled meanwhile replaces nothing: its pieces are refunded."""
    made = row.replacement_order
    if made is not None and made.status == order_states.CANCELLED:
        row.lines.update(replacement=None)
        row.replacement_order = None
        row.save(update_fields=["replacement_order", "updated_at"])


def _note(row: ReturnRequest, kind: str, message: str = "") -> None:
    actor = current_actor().label
    ReturnEvent.objects.create(request=row, kind=kind, message=message, actor=actor)


@transaction.atomic
def refund_instead(*, request: ReturnRequest) -> ReturnRequest:
    """Send nothing in place of what comes back: its money is given back instead.

    Raises ReturnRefused once the replacement is ordered, or without one.
    """
    _order, row = hold(request)
    replaced = row.lines.exclude(replacement=None)
    if row.status in _OVER or row.replacement_order_id or not replaced.update(replacement=None):
        raise ReturnRefused(extra={"return_status": row.status})
    inventory.release(reference=row.reference)
    _note(row, "refund_instead")
    audit.record("return.refund_instead", row)
    return row
