"""The withdrawal function: a consumer ends a contract by saying so.

Directive 2011/83/EU, article 11a (by Directive (EU) 2023/2673, from 19 June 2026): a statement,
its confirmation by the consumer, and at once an acknowledgement on a durable medium with what was
said and when. Nobody has to agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.emails import normalised_email
from apps.core.events import publish
from apps.core.locks import locked
from apps.core.ratelimit import ALL, NETWORK, Limit, hit_caller
from apps.orders import services as orders
from apps.orders import states
from apps.orders.models import Order
from apps.returns.events import ContractWithdrawn
from apps.returns.models import Condition, ReturnLine, ReturnRequest, Withdrawal
from apps.returns.selectors import Terms, terms_of
from apps.returns.services.deciding import approve_return
from apps.returns.services.mails import mail_no_right
from apps.returns.services.requesting import NoRightOfWithdrawal, Wish, request_return
from apps.stores.models import Store

PER_NETWORK = Limit("withdrawal", by=NETWORK, most=20, seconds=3600)
PER_ORDER = Limit("withdrawal", by="order number", most=5, seconds=3600)
OF_ALL = Limit("withdrawal", by=ALL, most=2_000, seconds=3600)


@transaction.atomic
def withdraw(
    *, order: Order, name: str, email: str, language: str, wishes: Sequence[Wish] = ()
) -> Withdrawal:
    """Withdraw from the contract about an order, or about the pieces of `wishes`.

    What was sent is to come back, without anybody's leave; an order of which nothing was sent is
    cancelled. Saying it again answers with the first statement. Raises NoRightOfWithdrawal.
    """
    order = locked(Order.objects.filter(pk=order.pk)).select_related("store").get()
    terms = terms_of(order)
    wanted = [*wishes] or [
        Wish(one.line.public_id, one.pieces, ReturnLine.Reason.CHANGED_MIND, Condition.UNUSED)
        for one in terms
        if one.may_withdraw
    ]
    said = order.withdrawals.order_by("pk").first()
    if said is not None and not wanted:
        return said
    request = None
    if wanted:
        asked = request_return(order=order, wishes=wanted, kind=ReturnRequest.Kind.WITHDRAWAL)
        request = approve_return(request=asked)
    elif not _sent_nothing(order) or not any(one.has_withdrawal for one in terms):
        raise NoRightOfWithdrawal()
    statement = Withdrawal.objects.create(
        order=order, request=request, name=name, email=email, language=language
    )
    audit.record("contract.withdraw", statement, {"order": order.number})
    _undo_unsent(order, terms, name)
    publish(ContractWithdrawn(withdrawal_id=str(statement.public_id), order_number=order.number))
    return statement


def _sent_nothing(order: Order) -> bool:
    unsent = order.fulfillment_status == Order.FulfillmentStatus.UNFULFILLED
    return unsent and order.status in states.OPEN_STATES


def _undo_unsent(order: Order, terms: Sequence[Terms], name: str) -> None:
    """Cancel what wasn't sent, if that is all of it; else the staff finds it on the timeline."""
    orders.record_event(
        order=order, kind="withdrawn", message=str(_("Withdrawn from by %s.") % name)
    )
    if _sent_nothing(order) and all(one.has_withdrawal for one in terms):
        orders.cancel(order=order, reason=str(_("The contract was withdrawn from.")))


def withdraw_by_number(*, store: Store, number: str, name: str, email: str, language: str) -> None:
    """The same for who only knows the order's number and its e-mail address.

    Answers nothing, whether there is such an order or not; what became of it goes to that address.
    Raises RateLimited.
    """
    hit_caller(PER_NETWORK, OF_ALL)
    PER_ORDER.hit(number)
    order = Order.objects.filter(number=number, store=store).first()
    if order is None or normalised_email(order.email) != normalised_email(email):
        return
    try:
        withdraw(order=order, name=name, email=order.email, language=language)
    except NoRightOfWithdrawal:
        mail_no_right(order=order, language=language)
