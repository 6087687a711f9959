"""An import at work: batch by batch, each whole or not at all, resumed where it stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

from django.db import OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.context import Actor, acting
from apps.core.errors import DomainError
from apps.core.failpoints import failpoint
from apps.integrations.channels.base import Channel, Context, Parsed, Refusal
from apps.integrations.channels.registry import channel_of
from apps.integrations.channels.sheet import UnreadableFile
from apps.integrations.channels.spool import Group, Spool
from apps.integrations.models import ImportJob, RefusedRow, WaitingRelation
from apps.integrations.services.applying import Applier, Outcome
from apps.integrations.services.customers import CustomerApplier
from apps.integrations.services.jobs import LEASE, ImportBusy, claim, fail, finish, put_back
from apps.integrations.services.relating import relate_waiting

logger = logging.getLogger(__name__)

BATCH_GROUPS, BATCH_ROWS, BATCH_BYTES = 100, 600, 8 * 2**20
# Changes and refusals that the pages of a job show.
SHOWN = 100
# An error file is for spreadsheets: Excel's longest cell.
MAX_CELL = 32_767
_TRIES = 3
_FATE = ("created", "updated", "unchanged", "refused")
COUNTS = {
    "products": ("rows", "products", "variants", "images", *_FATE),
    "customers": ("rows", "customers", *_FATE),
}
_APPLIERS: Mapping[str, Callable[[ImportJob, Channel], Any]] = {
    "products": Applier,
    "customers": CustomerApplier,
}

Progress = Callable[[int, int], None]


def run_job(
    *,
    job: ImportJob,
    max_seconds: float | None = None,
    on_progress: Progress | None = None,
    take_over: bool = False,
) -> ImportJob:
    """Work on an import until it is done or `max_seconds` are over.

    Every batch of products is one transaction together with the job's own progress, so that it
    may be killed at any moment: the next run goes on behind the last batch, and no row is applied
    twice. A group that the database refuses is tried alone and, refused again, reported.
    A dry run knows of SKUs it would have given away in its own turn, not in one before an
    interruption. `on_progress` gets the groups done and all.

    Raises ImportBusy if another worker has the job (`take_over` takes it from one that seems to
    be there still).
    """
    if not claim(job=job, take_over=take_over):
        raise ImportBusy()
    actor = job.created_by.get_username() if job.created_by else "import"
    with acting(Actor(label=actor, user_id=job.created_by_id)):
        try:
            with _opened(job) as stream, Spool(stream, channel_of(job.format)) as spool:
                done = _Run(job, spool).go(max_seconds, on_progress)
        except DomainError as error:
            if isinstance(error, ImportBusy):
                raise
            fail(job=job, reason=str(error))
            return job
        except BaseException:
            # Ctrl-C, a lost database: the lease must not make the next run wait.
            _release(job)
            raise
        if done:
            finish(job=job)
        else:
            put_back(job=job)
    job.refresh_from_db()
    return job


@contextmanager
def _opened(job: ImportJob) -> Iterator[BinaryIO]:
    try:
        opened = job.file.storage.open(job.file.name, "rb")
    except FileNotFoundError as error:
        raise UnreadableFile(_("The file is gone.")) from error
    with opened:
        yield opened.file


def _release(job: ImportJob) -> None:
    try:
        ImportJob.objects.filter(pk=job.pk, offset=job.offset).update(lease_until=None)
    except Exception:
        logger.exception("lease of import %s not released", job.pk)


class _Run:
    """One worker's turn at a job."""

    def __init__(self, job: ImportJob, spool: Spool) -> None:
        self.job = job
        self.spool = spool
        self.channel = spool.channel
        self.applier = _APPLIERS[spool.channel.subject](job, spool.channel)
        self.context = Context(
            currency=job.store.default_currency, decimal_comma=spool.delimiter == ";"
        )

    def go(self, max_seconds: float | None, on_progress: Progress | None) -> bool:
        """True when all is done."""
        started = time.monotonic()
        self._begin()
        for batch in self._batches():
            self._apply(batch)
            if on_progress:
                on_progress(self.job.offset, self.job.total_groups)
            late = max_seconds is not None and time.monotonic() - started > max_seconds
            if late and self.job.offset < self.job.total_groups:
                return False
        while self._relate():
            if on_progress:
                on_progress(self.job.offset, self.job.total_groups)
        return True

    def _begin(self) -> None:
        job, spool = self.job, self.spool
        changes: dict[str, Any] = {
            "total_rows": spool.total_rows,
            "total_groups": spool.total_groups,
            "notes": self._notes(),
            "header": [name.strip()[:200] for name in spool.header[:500]],
        }
        if job.offset == 0:
            job.refused_rows.all().delete()
            job.waiting_relations.all().delete()
            counts = dict.fromkeys(COUNTS[spool.channel.subject], 0)
            changes |= {"preview": [], "refusals": [], "counts": counts}
        self._save(changes)
        self._keep(changes)

    def _notes(self) -> list[str]:
        notes = self.spool.notes()
        return notes + self.applier.notes()

    def _save(self, changes: dict[str, Any]) -> None:
        """Write progress, if nobody else did meanwhile. Raises ImportBusy."""
        now = timezone.now()
        mine = ImportJob.objects.filter(
            pk=self.job.pk, offset=self.job.offset, status=ImportJob.Status.RUNNING
        )
        if not mine.update(**changes, lease_until=now + LEASE, updated_at=now):
            raise ImportBusy()

    def _keep(self, changes: dict[str, Any]) -> None:
        """Remember what is written for certain."""
        for name, value in changes.items():
            setattr(self.job, name, value)

    def _batches(self) -> Iterator[list[Group]]:
        batch: list[Group] = []
        rows = size = 0
        for group in self.spool.groups(after=self.job.offset):
            full = len(batch) >= BATCH_GROUPS or rows + len(group.rows) > BATCH_ROWS
            if batch and (full or size + group.size > BATCH_BYTES):
                yield batch
                batch, rows, size = [], 0, 0
            batch.append(group)
            rows += len(group.rows)
            size += group.size
        if batch:
            yield batch

    def _apply(self, batch: Sequence[Group]) -> None:
        """All of a batch; if the database refuses it, each group for itself."""
        try:
            self._commit(batch)
        except (ImportBusy, OperationalError):
            raise
        except Exception as error:
            self.applier.forget()
            if len(batch) > 1:
                for group in batch:
                    self._apply([group])
                return
            logger.warning("import group refused", exc_info=True)
            self._commit(batch, refused=_reason(error))

    def _commit(self, batch: Sequence[Group], refused: str = "") -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                with transaction.atomic():
                    changes = self._write(batch, refused)
                    failpoint("import.batch")
            except OperationalError:
                # A lock that took too long, a deadlock, a connection that was cut.
                self.applier.forget()
                if attempt == _TRIES:
                    raise
                time.sleep(0.2 * attempt)
            else:
                self._keep(changes)
                return

    def _write(self, batch: Sequence[Group], refused: str) -> dict[str, Any]:
        """Apply a batch and note the progress; what is to be remembered after the commit."""
        parsed = [self.channel.parse(group.rows, self.context) for group in batch]
        if refused:
            (only,) = parsed
            refusals = [*only.refusals, Refusal(only.line, "", refused)]
            outcomes: Sequence[Any] = [Outcome(Parsed(only.line), refusals=refusals)]
        else:
            outcomes = self.applier.apply(parsed)
        counts, preview = dict(self.job.counts), list(self.job.preview)
        rows: list[RefusedRow] = []
        waiting: list[WaitingRelation] = []
        for group, outcome in zip(batch, outcomes, strict=True):
            counts["rows"] += len(group.rows)
            for name, number in outcome.counts().items():
                counts[name] += number
            _complete(group, outcome)
            rows += self._refused(group, outcome)
            if len(preview) < SHOWN and (change := outcome.preview()):
                preview.append(change)
            waiting += self._waiting(group, outcome)
        WaitingRelation.objects.bulk_create(waiting, batch_size=200)
        changes = {
            "offset": batch[-1].ordinal,
            "preview": preview,
            **self._refuse(rows, counts),
        }
        self._save(changes)
        return changes

    def _refuse(self, rows: Sequence[RefusedRow], counts: dict[str, int]) -> dict[str, Any]:
        """Put rows into the error file; what the job tells of it."""
        counts["refused"] += len(rows)
        shown = list(self.job.refusals)
        shown += [
            {"line": row.line, "column": row.column, "reason": row.reason}
            for row in rows[: max(0, SHOWN - len(shown))]
        ]
        RefusedRow.objects.bulk_create(rows, batch_size=200)
        return {"counts": counts, "refusals": shown}

    def _waiting(self, group: Group, outcome: Any) -> list[WaitingRelation]:
        if outcome.related is None or outcome.result is None or outcome.result.product is None:
            return []
        product = outcome.result.product
        line = outcome.parsed.line
        cells = [cell[:MAX_CELL] for cell in group.raw[line]]
        return [
            WaitingRelation(
                job=self.job, line=line, slug=product.slug, related=outcome.related, cells=cells
            )
        ]

    def _relate(self) -> bool:
        """Relate some of the products that wait for it; False when none does."""
        with transaction.atomic():
            rows = list(self.job.waiting_relations.order_by("pk")[:BATCH_GROUPS])
            if not rows:
                return False
            column = self.spool.heading(self.channel.key_of("related"))
            claims = self.applier.claims if self.applier.dry_run else None
            refused = relate_waiting(rows, claims=claims, column=column)
            changes = self._refuse(refused, dict(self.job.counts))
            self.job.waiting_relations.filter(pk__in=[row.pk for row in rows]).delete()
            self._save(changes)
        self._keep(changes)
        return True

    def _refused(self, group: Group, outcome: Outcome) -> list[RefusedRow]:
        """A row for each line, however much of it is refused."""
        by_line: dict[int, list[Refusal]] = {}
        for refusal in outcome.refusals:
            by_line.setdefault(refusal.line, []).append(refusal)
        return [
            RefusedRow(
                job=self.job,
                line=line,
                column=", ".join(
                    dict.fromkeys(self.spool.heading(r.column) for r in refusals if r.column)
                )[:200],
                reason=" ".join(dict.fromkeys(str(r.reason) for r in refusals))[:300],
                cells=[cell[:MAX_CELL] for cell in group.raw[line]],
            )
            for line, refusals in sorted(by_line.items())
        ]


def _complete(group: Group, outcome: Outcome) -> None:
    """With a product all its rows are refused."""
    if outcome.accepted:
        return
    told = {refusal.line for refusal in outcome.refusals}
    reason = _("Line %d, to which it belongs, was refused.") % outcome.parsed.line
    outcome.refusals += [
        Refusal(row.line, "", reason) for row in group.rows if row.line not in told
    ]


def _reason(error: Exception) -> str:
    if isinstance(error, DomainError):
        return str(error)
    return _("The database refused it: %s") % str(error).strip().split("\n")[0][:200]
