"""Four eyes: what costs more than the store's limit waits for another person of the staff.

A room registers what can be asked for as an `ApprovalVerb`. Its service calls `check_limit` in its
transaction, under the order's lock; whoever called the service catches ApprovalNeeded and `ask`s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict, DomainError
from apps.core.locks import locked
from apps.orders.models import Approval, ApprovalLimit, Order
from apps.orders.services.reports import record_event

_Status = Approval.Status
# Whoever doesn't answer within a week is asked anew.
LASTS = timedelta(days=7)
# Several small sums of one order within it are one sum.
WINDOW = timedelta(hours=24)
# What who asked is told.
WAITS = _("This is above the store's limit: it waits for another person's approval.")


class ApprovalNeeded(Conflict):
    code = "approval_needed"
    message = _("This is above the store's limit: another person has to approve it.")


class OwnRequest(Conflict):
    code = "own_request"
    message = _("You asked for this yourself: another person has to decide.")


class ApprovalClosed(Conflict):
    code = "approval_closed"
    message = _("This was decided already, or has expired.")


@dataclass(frozen=True, kw_only=True)
class ApprovalVerb:
    """Something that can be asked for.

    `run` does it, in the transaction of the approval and without any network; `finish` is given
    what `run` returned, after the commit. `drop` forgets what was prepared for it.
    """

    name: str
    label: Any
    run: Callable[[Approval], Any]
    finish: Callable[[Any], Any] = lambda result: None
    drop: Callable[[Approval], Any] = lambda approval: None


_verbs: dict[str, ApprovalVerb] = {}


def register_approval_verb(verb: ApprovalVerb) -> None:
    _verbs[verb.name] = verb


def verb_label(name: str) -> Any:
    """What a verb does, for staff."""
    return _verbs[name].label


def check_limit(*, order: Order, amount: int, given: Callable[[datetime], int]) -> None:
    """Raises ApprovalNeeded if staff may not give `amount` minor units of an order away alone.

    `given` tells how much of the same kind was given without approval since a moment: many small
    sums are one. Whatever isn't done by staff (shoppers, tasks, events) has no limit.
    """
    user_id = current_actor().user_id
    if amount <= 0 or user_id is None:
        return
    limits = ApprovalLimit.objects.filter(store=order.store_id, currency=order.currency)
    limit = limits.values_list("amount", flat=True).first()
    if limit is None or amount + given(timezone.now() - WINDOW) <= limit:
        return
    if User.objects.filter(pk=user_id, is_staff=True).exists():
        raise ApprovalNeeded()


@transaction.atomic
def ask(
    *, order: Order, verb: str, arguments: Mapping[str, Any], amount: int, reason: str = ""
) -> Approval:
    """Ask for another person's approval, in the name of the current actor."""
    approval = Approval.objects.create(
        order=order,
        verb=verb,
        arguments=dict(arguments),
        amount=amount,
        reason=reason[:500],
        asked_by_id=current_actor().user_id,
        expires_at=timezone.now() + LASTS,
    )
    _tell(approval, "asked")
    return approval


def approve(*, approval: Approval, user: User) -> Approval:
    """Do what was asked for, once: it is done, or failed and says why in its `note`.

    Raises OwnRequest, ApprovalClosed.
    """
    with transaction.atomic():
        row = _decide(approval, user, _Status.DONE)
        verb = _verbs[row.verb]
        result = None
        try:
            with transaction.atomic():
                result = verb.run(row)
        except DomainError as error:
            _fail(row, error)
        _tell(row, "approved")
    if row.status == _Status.DONE:
        try:
            verb.finish(result)
        except DomainError as error:
            _fail(row, error)
    return row


@transaction.atomic
def refuse(*, approval: Approval, user: User, note: str = "") -> Approval:
    """Leave things as they are. Raises OwnRequest, ApprovalClosed."""
    row = _decide(approval, user, _Status.REFUSED, note=note)
    _verbs[row.verb].drop(row)
    _tell(row, "refused")
    return row


def expire_approvals() -> int:
    """Close what nobody answered; how many that were."""
    expired = 0
    due = Approval.objects.filter(status=_Status.ASKED, expires_at__lte=timezone.now())
    for row in due.select_related("order").order_by("pk"):
        with transaction.atomic():
            if _move(row, _Status.ASKED, _Status.EXPIRED):
                _verbs[row.verb].drop(row)
                _tell(row, "expired")
                expired += 1
    return expired


def _decide(approval: Approval, user: User, status: str, note: str = "") -> Approval:
    now = timezone.now()
    # The global lock order: what is done locks the order first, too.
    list(locked(Order.objects.filter(pk=approval.order_id)))
    waiting = Approval.objects.filter(pk=approval.pk, status=_Status.ASKED, expires_at__gt=now)
    decided = waiting.exclude(asked_by=user).update(
        status=status, decided_by=user, decided_at=now, note=note, updated_at=now
    )
    if not decided:
        raise OwnRequest() if waiting.exists() else ApprovalClosed()
    return Approval.objects.select_related("order").get(pk=approval.pk)


def _fail(row: Approval, error: DomainError) -> None:
    _move(row, _Status.DONE, _Status.FAILED, note=str(error)[:500])


def _move(row: Approval, before: str, after: str, **changes: Any) -> bool:
    rows = Approval.objects.filter(pk=row.pk, status=before)
    moved = rows.update(status=after, updated_at=timezone.now(), **changes)
    row.refresh_from_db(fields=["status", "note"])
    return bool(moved)


def _tell(row: Approval, what: str) -> None:
    data = {"approval": str(row.public_id), "verb": row.verb, "amount": row.amount}
    said = row.reason if what == "asked" else row.note
    record_event(order=row.order, kind=f"approval_{what}", message=said, data=data)
    audit.record(f"approval.{what}", row, {**data, "reason": said})
