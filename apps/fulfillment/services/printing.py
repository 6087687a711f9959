"""Papers of many shipments in one PDF: made in the background, in pieces of constant size."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO

from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.pdf import merge_pdfs
from apps.fulfillment.events import PrintQueued
from apps.fulfillment.models import Fulfillment, PrintJob, PrintRow, ShippingLabel
from apps.fulfillment.selectors import shipments_for_papers, slips_pdf

logger = logging.getLogger(__name__)
_Status = PrintJob.Status
MAX_SHIPMENTS = 500
# Shipments that are drawn together; more need more memory.
BATCH = 25
LEASE = timedelta(minutes=5)
# Files are personal data: they are deleted after a day.
KEPT = timedelta(days=1)


class NothingToPrint(DomainError):
    code = "nothing_to_print"
    message = _("Choose between 1 and 500 shipments, and what to print of them.")


class StillPrinting(Conflict):
    code = "still_printing"
    message = _("The file is still being made.")


@transaction.atomic
def print_papers(
    *, shipments: Sequence[Fulfillment], slips: bool = True, labels: bool = True
) -> PrintJob:
    """Have the packing slips (with customs papers) and labels of shipments made into one file.

    Each shipment's slip is followed by its labels; those that share a parcel have one.
    Raises NothingToPrint.
    """
    if not 0 < len(shipments) <= MAX_SHIPMENTS or not (slips or labels):
        raise NothingToPrint()
    # What shares a parcel shares its papers.
    leads = list(dict.fromkeys(each.carried_by_id or each.pk for each in shipments))
    job = PrintJob.objects.create(
        slips=slips,
        labels=labels,
        total=len(leads),
        requested_by=current_actor().label[:254],
        created_by_id=current_actor().user_id,
    )
    PrintRow.objects.bulk_create(PrintRow(job=job, fulfillment_id=pk) for pk in leads)
    audit.record("fulfillment.print", job, {"shipments": len(leads)})
    publish(PrintQueued(job_id=str(job.public_id)))
    return job


def run_print_jobs(*, now: datetime | None = None) -> int:
    """Make the files that wait, and forget those of yesterday; how many were made."""
    now = now or timezone.now()
    for old in PrintJob.objects.filter(finished_at__lt=now - KEPT).exclude(file="")[:100]:
        try:
            forget_file(job=old)
        except OSError:
            # The next turn tries again; those that wait are made meanwhile.
            logger.exception("papers stay", extra={"job": str(old.public_id)})
    waiting = PrintJob.objects.filter(
        Q(status=_Status.QUEUED) | Q(status=_Status.RUNNING, lease_until__lt=now)
    )
    made = 0
    for job in waiting.order_by("pk")[:10]:
        mine = PrintJob.objects.filter(pk=job.pk, status=job.status, lease_until=job.lease_until)
        if mine.update(status=_Status.RUNNING, lease_until=now + LEASE, done=0):
            _make(job)
            made += 1
    return made


def forget_file(*, job: PrintJob) -> None:
    """Delete the file of a job that has ended; what was printed stays known. Repeatable.

    Raises StillPrinting, and OSError if the storage doesn't do it.
    """
    if job.status not in (_Status.DONE, _Status.FAILED):
        raise StillPrinting()
    if job.file:
        job.file.delete(save=False)
        PrintJob.objects.filter(pk=job.pk).update(file="", updated_at=timezone.now())
        audit.record("fulfillment.forget_papers", job)


def expires_at(job: PrintJob) -> datetime | None:
    """Until when the file of a job is there; None without a file."""
    return job.finished_at + KEPT if job.file and job.finished_at else None


def _make(job: PrintJob) -> None:
    """One that fails is marked as failed: asking again is a new job."""
    try:
        with TemporaryFile() as target:
            pages = merge_pdfs(_parts(job), target)
            target.seek(0)
            job.file.save(f"{job.public_id}.pdf", File(target), save=False)
    except Exception:
        logger.exception("papers failed", extra={"job": str(job.public_id)})
        PrintJob.objects.filter(pk=job.pk).update(
            status=_Status.FAILED, finished_at=timezone.now(), lease_until=None
        )
        return
    PrintJob.objects.filter(pk=job.pk).update(
        status=_Status.DONE,
        file=job.file.name,
        pages=pages,
        finished_at=timezone.now(),
        lease_until=None,
    )


def _parts(job: PrintJob) -> Iterator[BinaryIO]:
    rows = list(PrintRow.objects.filter(job=job).order_by("pk").values_list("pk", "fulfillment_id"))
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        found = {s.pk: s for s in shipments_for_papers().filter(pk__in=[pk for _, pk in batch])}
        if job.slips:
            slips = slips_pdf([found[pk] for _, pk in batch], made_at=job.created_at)
            yield BytesIO(slips)
        if job.labels:
            for row, pk in batch:
                yield from _labels(row, pk)
        else:
            PrintRow.objects.filter(pk__in=[row for row, _ in batch]).update(result="ok")
        PrintJob.objects.filter(pk=job.pk).update(
            done=start + len(batch), lease_until=timezone.now() + LEASE
        )


def _labels(row: int, fulfillment_id: int) -> Iterator[BinaryIO]:
    """A shipment's labels, one at a time; how it went is written down."""
    labels = ShippingLabel.objects.filter(
        parcel__fulfillment=fulfillment_id, status=ShippingLabel.Status.BOUGHT
    ).order_by("parcel__position")
    result = "no_label"
    for label in labels.iterator(chunk_size=1):
        document = bytes(label.document)
        # A label in another language than PDF is printed from the carrier's own pages.
        if label.content_type != "application/pdf" or not document.startswith(b"%PDF-"):
            result = "unreadable_label"
            break
        result = "ok"
        yield BytesIO(document)
    PrintRow.objects.filter(pk=row).update(result=result)
