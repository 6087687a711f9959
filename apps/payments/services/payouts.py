"""What the providers paid out: each payout with its lines, and what of them doesn't fit.

A payout is written whole, in one transaction, after it was asked for: an import that was broken off
goes on where it was, and one that runs again writes nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from apps.core.locks import locked
from apps.core.remote import RemoteError, ask
from apps.payments.gateways import UnknownGateway, gateway
from apps.payments.gateways.base import Gateway, GatewayError, PayoutLineState, PayoutState
from apps.payments.models import GatewayAccount, Payment, Payout, PayoutLine, Refund
from apps.payments.models import ReconciliationDifference as Row
from apps.payments.selectors import accounts_of
from apps.payments.services.comparing import Difference, note_differences

logger = logging.getLogger(__name__)
# Payouts arrive some days after they are made, and may fail some days after they arrived.
PAST, AHEAD = timedelta(days=14), timedelta(days=14)


@dataclass(slots=True)
class PayoutImport:
    """How many payouts were told, new or changed; lines that are new; what doesn't fit."""

    told: int = 0
    written: int = 0
    lines: int = 0
    unanswered: int = 0
    found: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Source:
    gateway: Gateway
    account: GatewayAccount | None

    @property
    def name(self) -> str:
        return f"gateway:{self.gateway.code}:{self.account.pk if self.account else ''}"


def import_payouts(
    *,
    since: date | None = None,
    until: date | None = None,
    dry_run: bool = False,
    on_progress: Callable[[], None] = lambda: None,
) -> PayoutImport:
    """Import what arrives in these days, both included; by default two weeks back and ahead.

    Every gateway that tells its payouts is asked, by each of its accounts; who doesn't answer is
    counted, and asked another time. A dry run writes nothing. Not for use in a transaction.
    """
    today = timezone.now().date()
    done = PayoutImport()
    for source in _sources():
        try:
            for state in _told(source, since or today - PAST, until or today + AHEAD):
                _import(done, source, state, dry_run=dry_run)
                on_progress()
        except RemoteError as error:
            done.unanswered += 1
            logger.warning("payouts: %s", error, extra={"gateway": source.gateway.code})
    if not dry_run:
        _check_again()
    return done


def _check_again() -> None:
    """The payment that a line names may have become known, however old the payout is."""
    for pk in Payout.objects.filter(differences__is_open=True).values_list("pk", flat=True):
        with transaction.atomic():
            check_payout(locked(Payout.objects.filter(pk=pk)).get())


def _sources() -> Iterator[_Source]:
    for code in settings.PAYMENT_GATEWAYS:
        for account in accounts_of(code):
            try:
                found = gateway(code, account)
            except UnknownGateway:
                continue
            if found.tells_payouts:
                yield _Source(found, account)


def _told(source: _Source, since: date, until: date) -> list[PayoutState]:
    """The oldest first. Raises RemoteError."""

    def call() -> list[PayoutState]:
        with _as_remote():
            return list(source.gateway.payouts(since=since, until=until))

    return sorted(ask(source.name, call), key=lambda state: state.arrives_on)


def _lines(source: _Source, state: PayoutState) -> list[PayoutLineState]:
    def call() -> list[PayoutLineState]:
        with _as_remote():
            return list(source.gateway.payout_lines(state.provider_id))

    return ask(source.name, call)


@contextmanager
def _as_remote() -> Iterator[None]:
    """A gateway's error as a remote one, which the breaker knows."""
    try:
        yield
    except GatewayError as error:
        raise RemoteError(str(error), permanent=error.permanent) from error


def _import(done: PayoutImport, source: _Source, state: PayoutState, *, dry_run: bool) -> None:
    code = source.gateway.code
    known = Payout.objects.filter(gateway=code, provider_id=state.provider_id).first()
    done.told += 1
    lines: list[PayoutLineState] = []
    if state.is_complete and not (known and known.is_complete):
        lines = _lines(source, state)
    with transaction.atomic():
        payout, changed = _write(source, state)
        new = _write_lines(payout, lines)
        found = check_payout(payout)
        transaction.set_rollback(dry_run)
    done.written += changed
    done.lines += new
    done.found += found


def _write(source: _Source, state: PayoutState) -> tuple[Payout, bool]:
    """The row as it is then, and whether it is new or another one."""
    told = {
        "amount": state.amount,
        "currency": state.currency,
        "arrives_on": state.arrives_on,
        "status": state.status,
        "is_test": state.is_test,
    }
    payout, created = Payout.objects.get_or_create(
        gateway=source.gateway.code,
        provider_id=state.provider_id,
        defaults={**told, "account": source.account, "is_complete": state.is_complete},
    )
    payout = locked(Payout.objects.filter(pk=payout.pk)).get()
    told["is_complete"] = state.is_complete or payout.is_complete
    changed = [name for name, value in told.items() if getattr(payout, name) != value]
    for name in changed:
        setattr(payout, name, told[name])
    if changed:
        payout.save(update_fields=[*changed, "updated_at"])
    return payout, created or bool(changed)


def _write_lines(payout: Payout, lines: Sequence[PayoutLineState]) -> int:
    known = set(payout.lines.values_list("provider_id", flat=True)) if lines else set()
    new = [line for line in lines if line.provider_id not in known]
    refunds = _refunds(payout, {line.refund_id for line in new} - {""})
    rows = [
        PayoutLine(
            payout=payout,
            provider_id=line.provider_id,
            kind=line.kind,
            gross=line.gross,
            fee=line.fee,
            net=line.net,
            reference=line.payment_id[:120],
            refund=refunds.get(line.refund_id),
            description=line.description[:300],
            booked_at=line.booked_at,
        )
        for line in new
    ]
    PayoutLine.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def _refunds(payout: Payout, ids: set[str]) -> dict[str, Refund]:
    found: dict[str, Refund] = {}
    for some in _batches(sorted(ids)):
        rows = Refund.objects.filter(payment__gateway=payout.gateway, provider_id__in=some)
        found |= {row.provider_id: row for row in rows}
    return found


def _link(payout: Payout) -> None:
    """Lines and the payments they name: those that were not yet ours before may be now."""
    open_ones = payout.lines.filter(payment__isnull=True).exclude(reference="")
    for some in _batches(sorted(set(open_ones.values_list("reference", flat=True)))):
        ours = Payment.objects.filter(gateway=payout.gateway, provider_id__in=some)
        for pk, reference in ours.values_list("pk", "provider_id"):
            open_ones.filter(reference=reference).update(payment_id=pk)


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), 500):
        yield ids[start : start + 500]


def check_payout(payout: Payout) -> list[Difference]:
    """What of a payout with all its lines doesn't fit, noted as to-dos for staff; what fits again
    closes. In the payout's own transaction."""
    if not payout.is_complete:
        return []
    _link(payout)
    sums = payout.lines.aggregate(
        net=Sum("net"),
        nameless_in=Sum("gross", filter=_nameless() & Q(gross__gt=0)),
        nameless_out=Sum("gross", filter=_nameless() & Q(gross__lt=0)),
    )
    found = []
    net = sums["net"] or 0
    if net != payout.amount:
        found.append(Difference(payout, Row.Kind.PAYOUT_SUM, net, payout.amount))
    if nameless := (sums["nameless_in"] or 0) - (sums["nameless_out"] or 0):
        found.append(Difference(payout, Row.Kind.NAMELESS, 0, nameless))
    note_differences(payout, found)
    return found


def _nameless() -> Q:
    return Q(payment__isnull=True, kind__in=PayoutLine.NAMED)
