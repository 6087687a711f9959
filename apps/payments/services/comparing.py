"""Our books beside the gateways': every payment touched lately is asked for, and compared.

What differs is a to-do for staff. Nothing is booked here by itself: what is undecided is driven by
the reconciler every other minute, and news come by webhook; a difference is what both have missed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict, DomainError
from apps.core.locks import locked
from apps.core.remote import RemoteError, ask
from apps.payments.gateways import UnknownGateway, gateway_of
from apps.payments.gateways.base import Gateway, GatewayError, GatewayState, State
from apps.payments.models import Payment, Payout, ReconciliationDifference, Refund
from apps.payments.selectors import UNDECIDED
from apps.payments.services.applying import WrongPayment, apply_state, check_fits
from apps.payments.services.operations import GatewayRefused, GatewayUnreachable
from apps.payments.services.reconciling import GIVE_UP

logger = logging.getLogger(__name__)
DAYS = 7
# Each payment is compared once a night, in as many turns as it takes.
PAUSE = timedelta(hours=20)
_Kind = ReconciliationDifference.Kind
_Status = ReconciliationDifference.Status


class DifferenceClosed(Conflict):
    code = "difference_closed"
    message = _("This difference is closed.")


class NoteMissing(DomainError):
    code = "note_missing"
    message = _("Say how it was resolved.")


class StillDifferent(Conflict):
    """The books only grow: what the gateway says is less, or of another payment."""

    code = "still_different"
    message = _("The provider says less than what is booked; that can't be booked by itself.")


class _NotTold(RemoteError):
    def __init__(self, error: GatewayError, *, missing: bool) -> None:
        super().__init__(str(error), permanent=error.permanent)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Difference:
    """Sums in minor units of the currency of the payment, or payout, it is about."""

    subject: Payment | Payout
    kind: str
    ours: int
    theirs: int


@dataclass(slots=True)
class Comparison:
    """How many payments gave an answer, and how many none; what differs, and what was closed."""

    asked: int = 0
    unanswered: int = 0
    closed: int = 0
    found: list[Difference] = field(default_factory=list)


def compare_due(*, now: datetime | None = None, max_seconds: float = 300.0) -> Comparison:
    """Compare, for so long, the payments of the last week that weren't since yesterday."""
    now = now or timezone.now()
    due = Q(compared_at__isnull=True) | Q(compared_at__lt=now - PAUSE)
    payments = touched_payments(days=DAYS, now=now).filter(due)
    return _compare(payments, now=now, until=time.monotonic() + max_seconds)


def compare_payments(
    *,
    days: int = DAYS,
    dry_run: bool = False,
    now: datetime | None = None,
    on_progress: Callable[[], None] = lambda: None,
) -> Comparison:
    """Compare all payments that changed within so many days, and those with an open difference.

    A dry run writes nothing. Who doesn't answer is left alone, and its payments are counted. Not
    for use in a transaction.
    """
    now = now or timezone.now()
    payments = touched_payments(days=days, now=now)
    return _compare(payments, now=now, dry_run=dry_run, on_progress=on_progress)


def touched_payments(*, days: int, now: datetime | None = None) -> QuerySet[Payment]:
    """What there is to compare; the undecided ones of late are the reconciler's."""
    now = now or timezone.now()
    open_ones = ReconciliationDifference.objects.filter(is_open=True, payment__isnull=False)
    return (
        Payment.objects.filter(gateway__in=_remote_codes(), provider_id__isnull=False)
        .filter(
            Q(updated_at__gte=now - timedelta(days=days)) | Q(pk__in=open_ones.values("payment_id"))
        )
        .exclude(status__in=UNDECIDED, created_at__gt=now - GIVE_UP)
        .exclude(captures__is_open=True)
        .order_by(F("compared_at").asc(nulls_first=True), "pk")
    )


def _remote_codes() -> list[str]:
    kinds: dict[str, type[Gateway]] = {
        code: import_string(path) for code, path in settings.PAYMENT_GATEWAYS.items()
    }
    return [code for code, kind in kinds.items() if kind.is_remote]


def _compare(
    payments: QuerySet[Payment],
    *,
    now: datetime,
    dry_run: bool = False,
    until: float | None = None,
    on_progress: Callable[[], None] = lambda: None,
) -> Comparison:
    done = Comparison()
    left_alone: set[tuple[str, int | None]] = set()
    for pk in list(payments.values_list("pk", flat=True)):
        if until is not None and time.monotonic() > until:
            break
        payment = Payment.objects.select_related("order", "account").get(pk=pk)
        account = payment.gateway, payment.account_id
        try:
            if account in left_alone:
                raise RemoteError("It didn't answer before.", permanent=False)
            state = _fetch(payment)
        except (RemoteError, UnknownGateway) as error:
            done.unanswered += 1
            if not isinstance(error, _NotTold):
                # Not set up, or the breaker is open.
                left_alone.add(account)
            elif error.permanent and not dry_run:
                # One that is refused doesn't keep the others waiting.
                Payment.objects.filter(pk=pk).update(compared_at=now)
            logger.warning("no answer: %s", error, extra={"payment": str(payment.public_id)})
        else:
            done.asked += 1
            _take(done, payment, state, now=now, dry_run=dry_run)
        on_progress()
    return done


def _take(
    done: Comparison,
    payment: Payment,
    state: GatewayState | None,
    *,
    now: datetime,
    dry_run: bool,
) -> None:
    if dry_run:
        done.found += _differences(payment, state)
        return
    found, closed = _write(payment, state, now)
    done.found += found
    done.closed += closed


def _fetch(payment: Payment) -> GatewayState | None:
    """The payment as its gateway knows it; None if there is no such payment.

    Raises RemoteError, also if it is left alone for now, and UnknownGateway.
    """
    gateway = gateway_of(payment)

    def call() -> GatewayState:
        try:
            return gateway.fetch(payment.provider_id or "")
        except GatewayError as error:
            raise _NotTold(error, missing=error.code in gateway.missing_codes) from error

    try:
        return ask(f"gateway:{payment.gateway}:{payment.account_id or ''}", call)
    except _NotTold as error:
        if error.missing:
            return None
        raise


def _differences(payment: Payment, state: GatewayState | None) -> list[Difference]:
    kept = payment.captured_amount
    is_open = payment.status == Payment.Status.AUTHORIZED
    open_part = payment.authorized_amount - kept if is_open else 0
    if state is None:
        # Gateways forget what nobody paid.
        ours = max(kept, open_part)
        return [Difference(payment, _Kind.MISSING, ours, 0)] if ours else []
    try:
        check_fits(payment, state)
    except WrongPayment:
        return [Difference(payment, _Kind.MISMATCH, payment.amount, state.amount)]
    is_open_there = state.state == State.AUTHORIZED
    theirs_open = state.authorized - state.captured if is_open_there else 0
    pending = payment.refunds.filter(status=Refund.Status.PENDING).aggregate(n=Sum("amount"))["n"]
    refunded = payment.refunded_amount
    if refunded <= state.refunded <= refunded + (pending or 0):
        # On its way: the reconciler finishes what was asked for.
        refunded = state.refunded
    sums = (
        (_Kind.AUTHORIZED, open_part, theirs_open),
        (_Kind.CAPTURED, kept, state.captured),
        (_Kind.REFUNDED, refunded, state.refunded),
    )
    return [Difference(payment, kind, a, b) for kind, a, b in sums if a != b]


@transaction.atomic
def _write(
    payment: Payment, state: GatewayState | None, now: datetime
) -> tuple[list[Difference], int]:
    """What differs, as rows, and how many rows were closed. Who moved meanwhile waits for another
    night."""
    row = locked(Payment.objects.filter(pk=payment.pk)).get()
    if row.updated_at != payment.updated_at:
        return [], 0
    Payment.objects.filter(pk=row.pk).update(compared_at=now)
    found = _differences(row, state)
    return found, note_differences(row, found)


def note_differences(subject: Payment | Payout, found: Sequence[Difference]) -> int:
    """Open what differs, and close what doesn't any more; how many were closed.

    `found` are all there are of `subject`, whose row is locked.
    """
    _open(subject, found)
    now = timezone.now()
    gone = ReconciliationDifference.objects.filter(**_of(subject), is_open=True).exclude(
        kind__in=[each.kind for each in found]
    )
    return gone.update(status=_Status.EQUAL, is_open=None, closed_at=now, updated_at=now)


def _of(subject: Payment | Payout) -> dict[str, Any]:
    return {"payment" if isinstance(subject, Payment) else "payout": subject}


def _open(subject: Payment | Payout, found: Sequence[Difference]) -> None:
    """What staff have resolved as it is stays resolved."""
    for each in found:
        rows = ReconciliationDifference.objects.filter(**_of(subject), kind=each.kind)
        last = rows.order_by("-pk").first()
        sums = {"ours": each.ours, "theirs": each.theirs}
        if last is not None and last.status != _Status.EQUAL:
            if (last.ours, last.theirs) == (each.ours, each.theirs):
                continue
            if last.is_open:
                rows.filter(pk=last.pk).update(**sums, updated_at=timezone.now())
                continue
        rows.get_or_create(is_open=True, kind=each.kind, defaults=sums, **_of(subject))


@transaction.atomic
def resolve_difference(
    *, difference: ReconciliationDifference, note: str
) -> ReconciliationDifference:
    """Staff have seen to it, and say how; it isn't opened again while the sums stay as they are.

    Raises NoteMissing, DifferenceClosed.
    """
    if not note.strip():
        raise NoteMissing(field="note")
    now = timezone.now()
    if not ReconciliationDifference.objects.filter(pk=difference.pk, is_open=True).update(
        status=_Status.RESOLVED,
        is_open=None,
        note=note.strip()[:500],
        decided_by=current_actor().label[:254],
        closed_at=now,
        updated_at=now,
    ):
        raise DifferenceClosed()
    difference.refresh_from_db()
    audit.record("payment.difference", difference, {"status": "resolved", "note": note[:500]})
    return difference


def adopt_difference(*, difference: ReconciliationDifference) -> ReconciliationDifference:
    """Book what the gateway says now, as if its webhook had come; the difference closes.

    Raises DifferenceClosed, StillDifferent, WrongPayment, GatewayRefused, GatewayUnreachable. Not
    for use in a transaction. A payout's can't be booked: StillDifferent.
    """
    if not ReconciliationDifference.objects.filter(pk=difference.pk, is_open=True).exists():
        raise DifferenceClosed()
    if difference.payment_id is None:
        raise StillDifferent()
    payment = Payment.objects.select_related("order", "account").get(pk=difference.payment_id)
    try:
        state = _fetch(payment)
    except RemoteError as error:
        raise (GatewayRefused if error.permanent else GatewayUnreachable)() from error
    if state is None:
        raise StillDifferent()
    _write(apply_state(payment=payment, state=state), state, timezone.now())
    difference.refresh_from_db()
    if difference.is_open:
        raise StillDifferent()
    audit.record("payment.difference", difference, {"status": "adopted"})
    return difference
