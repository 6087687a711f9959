"""Asking for a return: who may, what of, and on what terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.locks import locked
from apps.inventory.services.stock import check_pieces
from apps.orders import services as orders
from apps.orders.models import Order
from apps.returns.events import ReturnRequested
from apps.returns.models import Condition, ReturnLine, ReturnPolicy, ReturnRequest
from apps.returns.selectors import Estimate, Terms, terms_of
from apps.returns.services.lifecycle import enter
from apps.returns.services.photos import attach
from apps.returns.services.replacing import (
    NotExchangeable,
    check_replacement,
    find_variants,
    propose,
)
from apps.stores.services import next_number

_Kind, _To, _Payer = ReturnRequest.Kind, ReturnRequest.RefundTo, ReturnPolicy.Payer
_WORSE = {condition: rank for rank, condition in enumerate(Condition.values)}


class UnknownLine(DomainError):
    code = "unknown_line"
    message = _("This line isn't part of the order.")


class NotReturnable(Conflict):
    code = "not_returnable"
    message = _("This isn't taken back.")


class ReturnWindowOver(Conflict):
    """`extra["until"]`: the last day on which it could be asked for."""

    code = "return_window_over"
    message = _("The time in which it could be returned is over.")


class ConditionNotAccepted(Conflict):
    code = "condition_not_accepted"
    message = _("It isn't taken back in this condition.")


class NoRightOfWithdrawal(Conflict):
    code = "no_right_of_withdrawal"
    message = _("There is no right of withdrawal (any more).")


class NoAccount(Conflict):
    code = "no_account"
    message = _("Store credit is for customers with an account.")


@dataclass(frozen=True, slots=True)
class Wish:
    """Pieces of a line (its public id) that are to come back. Lines once each.

    `exchange_for`: the SKU of which as many are wanted in their place; "" for the money.
    """

    line_id: UUID
    quantity: int
    reason: str
    condition: str = Condition.UNUSED
    exchange_for: str = ""


@transaction.atomic
def request_return(
    *,
    order: Order,
    wishes: Sequence[Wish],
    kind: str = _Kind.RETURN,
    refund_to: str = _To.ORIGINAL,
    note: str = "",
    by_staff: bool = False,
    photos: Sequence[UUID] = (),
) -> ReturnRequest:
    """Ask for a return, or claim for what was lost or arrived damaged.

    Takes the pieces from what may come back, so that no piece comes back twice. Staff aren't bound
    by the policy, and exchange for any product. Raises UnknownLine, orders.NothingToReturn,
    NotReturnable, ReturnWindowOver, ConditionNotAccepted, NoRightOfWithdrawal, NoAccount,
    NotExchangeable, InsufficientStock, TooManyPhotos, UnknownPhoto.
    """
    order = locked(Order.objects.filter(pk=order.pk)).select_related("store", "customer").get()
    terms, lines = _lines(order, wishes, kind, by_staff)
    if refund_to == _To.STORE_CREDIT and (order.customer is None or not order.customer.user_id):
        raise NoAccount(field="refund_to")
    if any(line.replacement_id for line in lines):
        # Refused now rather than when it is closed: without a price it can't be sent.
        propose(order=order, lines=lines, is_claim=kind in (_Kind.LOST, _Kind.DAMAGED))
    orders.take_back(order=order, quantities={x.order_line_id: x.quantity for x in lines})
    number = next_number(store=order.store, kind="return")
    request = ReturnRequest.objects.create(
        number=f"{order.store.order_prefix}R{number}",
        order=order,
        kind=kind,
        refund_to=refund_to,
        note=note,
        shipping_paid_by=_payer(terms, lines),
    )
    for line in lines:
        line.request = request
    ReturnLine.objects.bulk_create(lines)
    attach(request, photos)
    enter(request=request, kind="request")
    orders.record_event(order=order, kind="return_requested", message=request.number)
    audit.record("return.request", request, {"order": order.number, "kind": kind})
    publish(ReturnRequested(return_id=str(request.public_id), order_number=order.number))
    return request


def preview_return(
    *, order: Order, wishes: Sequence[Wish], kind: str = _Kind.RETURN, by_staff: bool = False
) -> Estimate:
    """What such a return would give back, were all of it accepted, and what the replacement would
    cost. Raises what asking would."""
    _terms, lines = _lines(order, wishes, kind, by_staff)
    is_claim = kind in (_Kind.LOST, _Kind.DAMAGED)
    return propose(order=order, lines=lines, is_claim=is_claim)[0]


def _lines(
    order: Order, wishes: Sequence[Wish], kind: str, by_staff: bool
) -> tuple[list[Terms], list[ReturnLine]]:
    known = {terms.line.public_id: terms for terms in terms_of(order)}
    if not wishes:
        raise orders.NothingToReturn(field="lines")
    if unknown := [str(wish.line_id) for wish in wishes if wish.line_id not in known]:
        raise UnknownLine(field="lines", extra={"unknown": unknown})
    variants = find_variants(order, [wish.exchange_for for wish in wishes])
    if variants and kind == _Kind.WITHDRAWAL:
        raise NotExchangeable(_("A contract that was withdrawn from isn't exchanged."))
    chosen, lines = [], []
    for wish in wishes:
        check_pieces(wish.quantity)
        terms = known[wish.line_id]
        line = _line(order, terms, wish, kind)
        line.replacement = variants.get(wish.exchange_for)
        if wish.quantity > terms.pieces:
            raise orders.NothingToReturn(field="lines", extra={"left": terms.pieces})
        if not by_staff:
            _check(terms, line, kind)
            check_replacement(order, line)
        chosen.append(terms)
        lines.append(line)
    return chosen, lines


def _check(terms: Terms, line: ReturnLine, kind: str) -> None:
    """Raises what stands against taking a line back."""
    if kind == _Kind.WITHDRAWAL:
        if not terms.may_withdraw:
            raise NoRightOfWithdrawal(field="lines")
        return
    # What was our fault may be told at any time: the law's guarantee outlasts every window.
    if kind != _Kind.RETURN or line.is_our_fault:
        return
    if terms.policy.is_final_sale:
        raise NotReturnable(field="lines")
    if not terms.may_return:
        raise ReturnWindowOver(field="lines", extra={"until": str(terms.return_until)})
    if _WORSE[line.condition] > _WORSE[terms.policy.condition]:
        raise ConditionNotAccepted(field="lines")


def _line(order: Order, terms: Terms, wish: Wish, kind: str) -> ReturnLine:
    line = ReturnLine(
        order_line=terms.line,
        quantity=wish.quantity,
        reason=wish.reason,
        condition=wish.condition,
    )
    line.charges_difference = terms.policy.charges_difference and not line.is_our_fault
    # Who may withdraw loses nothing by asking for a return instead (article 14(5)).
    if kind == _Kind.RETURN and not line.is_our_fault and not terms.may_withdraw:
        line.fee_percent = terms.policy.fee_percent
        if order.currency == order.store.default_currency:
            line.fee_fixed = terms.policy.fee_fixed
    return line


def _payer(terms: Sequence[Terms], lines: Sequence[ReturnLine]) -> str:
    """The store, where it pays for any of it: it is one parcel."""
    pays = any(one.policy.shipping_paid_by == _Payer.STORE for one in terms)
    return _Payer.STORE if pays or any(x.is_our_fault for x in lines) else _Payer.CUSTOMER
