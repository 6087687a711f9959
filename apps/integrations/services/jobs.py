"""Imports as jobs: the file put away, the work queued, claimed and finished."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import PurePath
from typing import IO, Any

from django.core.files import File
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.spreadsheet import csv_lines
from apps.integrations.channels.registry import channel_of
from apps.integrations.events import ImportQueued
from apps.integrations.models import ImportJob
from apps.inventory.models import Location
from apps.stores.models import Store

MAX_FILE_BYTES = 2**30
# A worker that stopped without a word; longer than any batch takes.
LEASE = timedelta(minutes=2)
_CHUNK = 2**20
_Status = ImportJob.Status


class FileTooLarge(DomainError):
    code = "file_too_large"
    status = 413
    message = _("The file is too large.")


class ImportBusy(Conflict):
    code = "import_busy"
    message = _("This import is being worked on.")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file is imported. Without `update` products that exist are left alone."""

    format: str
    store: Store
    location: Location | None = None
    update: bool = False
    dry_run: bool = False


def create_job(
    *, upload: IO[bytes], name: str, options: ImportOptions, user: User | None = None
) -> ImportJob:
    """Put a file away and queue its import. Raises UnknownFormat, FileTooLarge."""
    job = _stored(upload, name, options)
    job.created_by = user
    try:
        with transaction.atomic():
            job.save()
            publish(ImportQueued(import_id=str(job.public_id)))
    except Exception:
        job.file.delete(save=False)
        raise
    return job


def _stored(upload: IO[bytes], name: str, options: ImportOptions) -> ImportJob:
    channel_of(options.format)
    digest = _digest(upload)
    job = ImportJob(
        format=options.format,
        original_name=PurePath(name.replace("\\", "/")).name[-200:] or "products.csv",
        file_hash=digest,
        store=options.store,
        location=options.location,
        update_existing=options.update,
        dry_run=options.dry_run,
    )
    job.file.save(f"{job.public_id}.csv", File(upload), save=False)
    return job


def find_or_create_job(*, upload: IO[bytes], name: str, options: ImportOptions) -> ImportJob:
    """The unfinished import of the very same file with the same options, else a new one.

    For callers that run it themselves: nobody is told.
    """
    digest = _digest(upload)
    unfinished = ImportJob.objects.filter(
        file_hash=digest,
        format=options.format,
        store=options.store,
        location=options.location,
        update_existing=options.update,
        dry_run=False,
        status__in=(_Status.QUEUED, _Status.RUNNING),
    )
    if not options.dry_run and (job := unfinished.order_by("-pk").first()):
        return job
    job = _stored(upload, name, options)
    job.save()
    return job


def _digest(upload: IO[bytes]) -> str:
    upload.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := upload.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if size > MAX_FILE_BYTES:
            raise FileTooLarge(field="file")
    upload.seek(0)
    return digest.hexdigest()


@transaction.atomic
def start_import(*, job: ImportJob) -> ImportJob:
    """After a dry run, the import itself; or a failed one again from where it stopped.

    Raises ImportBusy while it is waiting or running, Conflict when it is done already.
    """
    if job.is_waiting:
        raise ImportBusy()
    if job.status == _Status.DONE and not job.dry_run:
        raise Conflict(_("This file was imported already."))
    reset = {"offset": 0, "counts": {}, "preview": [], "refusals": [], "dry_run": False}
    changes: dict[str, Any] = {"status": _Status.QUEUED, "lease_until": None, "error": ""}
    changes |= reset if job.dry_run else {}
    again = ImportJob.objects.filter(pk=job.pk, status=job.status, dry_run=job.dry_run)
    if job.dry_run and job.error_file:
        _delete_later([job.error_file])
        changes["error_file"] = ""
    if not again.update(**changes, finished_at=None, updated_at=timezone.now()):
        raise ImportBusy()
    publish(ImportQueued(import_id=str(job.public_id)))
    job.refresh_from_db()
    return job


def claim(*, job: ImportJob, take_over: bool = False) -> bool:
    """Take a job for this worker, if no other one has it."""
    now = timezone.now()
    mine = ImportJob.objects.filter(
        pk=job.pk, status__in=(_Status.QUEUED, _Status.RUNNING), lease_until=job.lease_until
    )
    if not take_over and job.lease_until is not None and job.lease_until >= now:
        return False
    taken = mine.update(status=_Status.RUNNING, lease_until=now + LEASE, updated_at=now)
    if taken:
        job.refresh_from_db()
    return bool(taken)


@transaction.atomic
def put_back(*, job: ImportJob) -> None:
    """Stop for now: another worker, or the next run, goes on from the last batch."""
    rows = ImportJob.objects.filter(pk=job.pk, status=_Status.RUNNING)
    if rows.update(lease_until=None, updated_at=timezone.now()):
        publish(ImportQueued(import_id=str(job.public_id)))


def fail(*, job: ImportJob, reason: str) -> None:
    """The file as a whole can't be imported."""
    ImportJob.objects.filter(pk=job.pk).update(
        status=_Status.FAILED,
        error=reason[:500],
        lease_until=None,
        finished_at=timezone.now(),
        updated_at=timezone.now(),
    )
    job.refresh_from_db()


def finish(*, job: ImportJob) -> None:
    """Write the error file and close the job."""
    refused = job.refused_rows.order_by("line", "pk")
    if refused.exists():
        with tempfile.TemporaryFile("w+b") as scratch:
            header = ["line", "column", "reason", *job.header]
            rows = (
                [row.line, row.column, row.reason, *row.cells]
                for row in refused.iterator(chunk_size=500)
            )
            for line in csv_lines(header, rows):
                scratch.write(line.encode())
            scratch.seek(0)
            name = f"{job.public_id}-refused.csv"
            job.error_file.save(name, File(scratch), save=False)
    with transaction.atomic():
        job.status, job.finished_at, job.lease_until = _Status.DONE, timezone.now(), None
        job.save(update_fields=["error_file", "status", "finished_at", "lease_until", "updated_at"])
        job.refused_rows.all().delete()
        if not job.dry_run:
            audit.record("import", job, {"file": job.original_name, **job.counts})


@transaction.atomic
def delete_job(*, job: ImportJob) -> None:
    """Forget an import and its files; what it wrote stays. Raises ImportBusy while it runs."""
    if job.status == _Status.RUNNING:
        raise ImportBusy()
    files = [file for file in (job.file, job.error_file) if file]
    job.delete()
    _delete_later(files)


def _delete_later(files: Iterable[FieldFile]) -> None:
    """Once it is certain."""
    for file in files:
        transaction.on_commit(partial(file.storage.delete, file.name), robust=True)
