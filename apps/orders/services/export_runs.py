"""Exports that run by themselves: once a period, as a private file that doesn't last."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import audit
from apps.core.errors import DomainError, NotFound
from apps.core.events import publish
from apps.core.scopes import limits_of, scoped
from apps.notifications.services import notify
from apps.orders.events import ExportQueued
from apps.orders.models import ExportRun, SavedExport
from apps.orders.selectors.finding import chosen_orders
from apps.orders.services.exports import write_csv, write_xlsx
from apps.stores.selectors import default_store

logger = logging.getLogger(__name__)

PERMISSION = "orders.export_order"
# How long a file can be fetched.
KEPT = timedelta(days=7)
# A worker that stopped without a word; far longer than a chunk takes.
LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 3
_Status = ExportRun.Status
_WRITERS = {"csv": write_csv, "xlsx": write_xlsx}


def last_period(frequency: str, today: date) -> tuple[str, date, date]:
    """The newest day, week or month that is over: its name, its first day, the day after it."""
    if frequency == SavedExport.Frequency.DAILY:
        first = today - timedelta(days=1)
        return first.isoformat(), first, today
    if frequency == SavedExport.Frequency.WEEKLY:
        end = today - timedelta(days=today.weekday())
        first = end - timedelta(days=7)
        year, week, _day = first.isocalendar()
        return f"{year}-W{week:02d}", first, end
    end = today.replace(day=1)
    first = (end - timedelta(days=1)).replace(day=1)
    return f"{first:%Y-%m}", first, end


def read_filters(text: str) -> dict[str, str]:
    """ "status=processing&tag=vip" as filters. Raises WrongFilter."""
    filters = {name: str(value) for name, value in QueryDict(text.strip().lstrip("?")).items()}
    chosen_orders(filters)
    return filters


def schedule_exports(*, now: datetime | None = None) -> int:
    """Queue what is due, each export once for each period; the number queued."""
    today = timezone.localdate(now or timezone.now())
    return sum(_schedule(export, today) for export in SavedExport.objects.filter(is_active=True))


def _schedule(export: SavedExport, today: date) -> bool:
    period, first, end = last_period(export.frequency, today)
    if export.runs.filter(period=period).exists():
        return False
    run = ExportRun(
        export=export,
        period=period,
        rows=export.rows,
        format=export.format,
        created_by=export.created_by,
    )
    try:
        run.filters = read_filters(export.filters)
    except DomainError as error:
        run.status, run.error = _Status.FAILED, str(error)[:500]
    if export.only_period:
        days = (("created_after", first), ("created_before", end))
        run.filters |= {name: _midnight(day).isoformat() for name, day in days}
    try:
        with transaction.atomic():
            run.save()
            publish(ExportQueued(run_id=str(run.public_id)))
    except IntegrityError:
        # Another beat was faster.
        return False
    return True


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def run_exports(*, now: datetime | None = None) -> int:
    """Write the file of the oldest export that waits; 1 when one was finished."""
    now = now or timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    waiting = ExportRun.objects.filter(free, status__in=(_Status.QUEUED, _Status.RUNNING))
    run = waiting.order_by("pk").first()
    if run is None:
        return 0
    if run.attempts >= MAX_ATTEMPTS:
        _fail(run, _("It was interrupted %d times.") % run.attempts)
        return 0
    if not waiting.filter(pk=run.pk, attempts=run.attempts).update(
        status=_Status.RUNNING, lease_until=now + LEASE, attempts=F("attempts") + 1
    ):
        return 0
    run.refresh_from_db()
    try:
        _work(run)
    except DomainError as error:
        _fail(run, str(error))
    return int(ExportRun.objects.filter(pk=run.pk, status=_Status.DONE).exists())


def _work(run: ExportRun) -> None:
    mine = ExportRun.objects.filter(pk=run.pk, status=_Status.RUNNING, attempts=run.attempts)

    def hold_on(number: int) -> None:
        mine.update(lease_until=timezone.now() + LEASE)

    with tempfile.TemporaryFile("w+b") as scratch:
        orders = chosen_orders(run.filters, limits_of(run.created_by))
        count = _WRITERS[run.format](scratch, orders, rows=run.rows, on_progress=hold_on)
        scratch.seek(0)
        # The attempt's own name: one that lost its lease overwrites nobody's file.
        name = f"{run.public_id}-{run.attempts}.{run.format}"
        run.file.save(name, File(scratch), save=False)
    now = timezone.now()
    with transaction.atomic():
        finished = mine.update(
            status=_Status.DONE,
            count=count,
            file=run.file.name,
            lease_until=None,
            finished_at=now,
            expires_at=now + KEPT,
        )
        if finished:
            run.refresh_from_db()
            audit.record("order.export", run, {"rows": run.rows, "filters": run.filters})
            _tell(run)
    if not finished:
        run.file.storage.delete(run.file.name)


def _fail(run: ExportRun, reason: str) -> None:
    ExportRun.objects.filter(pk=run.pk).exclude(status=_Status.DONE).update(
        status=_Status.FAILED, error=reason[:500], lease_until=None, finished_at=timezone.now()
    )
    logger.warning("order export failed", extra={"export": str(run.public_id)})


def _tell(run: ExportRun) -> None:
    """A link and nothing of the orders: mailboxes aren't where customers' data belong."""
    if run.export is None:
        return
    path = reverse("admin:orders_exportrun_file", args=[run.public_id])
    for user in run.export.recipients.filter(is_staff=True, is_active=True):
        if user.has_perm(PERMISSION):
            notify(
                kind="orders/export",
                recipient=user.email,
                language=user.language,
                context=_context(run, f"{settings.SITE_URL}{path}"),
                dedupe_key=f"export:{run.public_id}:{user.pk}",
            )


def _context(run: ExportRun, url: str) -> Mapping[str, Any]:
    store = default_store()
    return {
        "store_name": store.name,
        "name": str(run.export),
        "period": run.period,
        "count": run.count,
        "url": url,
        "days": KEPT.days,
    }


@transaction.atomic
def save_export(*, export: SavedExport, changes: Mapping[str, Any]) -> SavedExport:
    """Set the fields that `changes` name; `recipients` are users. Raises WrongFilter."""
    fields = {name: value for name, value in changes.items() if name != "recipients"}
    if "filters" in fields:
        read_filters(fields["filters"])
        fields["filters"] = fields["filters"].strip().lstrip("?")
    for name, value in fields.items():
        setattr(export, name, value)
    export.save()
    if "recipients" in changes:
        export.recipients.set(changes["recipients"])
        fields["recipients"] = [user.email for user in changes["recipients"]]
    audit.record("order.export_schedule", export, fields)
    return export


@transaction.atomic
def fetch_run(*, public_id: UUID, user: User) -> ExportRun:
    """An export whose file is still there; that `user` fetched it is written down.

    Raises NotFound.
    """
    run = scoped(ExportRun.objects.filter(public_id=public_id)).first()
    if run is None or not run.is_kept:
        raise NotFound()
    audit.record("order.export_download", run, {"by": user.email})
    return run


def prune_exports(*, now: datetime | None = None, limit: int = 500) -> int:
    """Delete files that have had their time; that they were there stays written."""
    old = ExportRun.objects.filter(expires_at__lt=now or timezone.now()).exclude(file="")
    gone = list(old.order_by("pk")[:limit])
    for run in gone:
        run.file.storage.delete(run.file.name)
        ExportRun.objects.filter(pk=run.pk).update(file="")
    return len(gone)
