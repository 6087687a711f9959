from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, current_thread, main_thread
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from apps.core.errors import DomainError
from apps.integrations.channels.registry import formats
from apps.integrations.models import ImportJob
from apps.integrations.services import (
    COUNTS,
    ImportOptions,
    delete_job,
    find_or_create_job,
    run_job,
)
from apps.inventory.models import Location
from apps.stores.models import Store
from apps.stores.selectors import default_store


class Command(BaseCommand):
    subject = "products"
    help = (
        "Import products, their prices and stock from a CSV file. Interrupted, it goes on where"
        " it stopped when it is run again with the same file and options."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", required=True, choices=formats(self.subject))
        parser.add_argument("--dry-run", action="store_true", help="Tell, but write nothing.")
        parser.add_argument("--update", action="store_true", help="Change what exists, too.")
        if self.subject != "products":
            return
        parser.add_argument("--store", help="The code of the store to publish in (the default).")
        parser.add_argument("--location", help="The code of the location of the stock.")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        chosen = ImportOptions(
            format=options["format"],
            store=_store(options.get("store")),
            location=_location(options.get("location")),
            update=options["update"],
            dry_run=options["dry_run"],
        )
        try:
            with file.open("rb") as upload:
                job = find_or_create_job(upload=upload, name=file.name, options=chosen)
        except (OSError, DomainError) as error:
            raise CommandError(str(error)) from error
        if job.offset:
            self.stderr.write(f"Going on behind {job.offset} of {job.total_groups} {self.subject}.")
        job = self._run(job)
        if job.status == ImportJob.Status.FAILED:
            raise CommandError(job.error)
        self._report(job)

    def _run(self, job: ImportJob) -> ImportJob:
        quiet = not sys.stderr.isatty()
        with tqdm(unit=f" {self.subject}", disable=quiet, leave=False) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)
                if stop.is_set():
                    raise KeyboardInterrupt

            try:
                with _interrupted() as stop:
                    return run_job(job=job, on_progress=show, take_over=True)
            except KeyboardInterrupt:
                raise CommandError(
                    "Interrupted. Run the same command again to go on.", returncode=130
                ) from None
            except DomainError as error:
                raise CommandError(str(error)) from error

    def _report(self, job: ImportJob) -> None:
        for note in job.notes:
            self.stderr.write(note)
        if job.dry_run:
            for change in job.preview:
                new = f"{change['variants']} variants" if change["variants"] else "new"
                what = ", ".join(change["changes"]) or new
                self.stdout.write(f"would {change['action']} {change['slug']}: {what}")
        if job.error_file:
            path = self._errors(job)
            self.stdout.write(f"Refused rows: {path}")
        line = ", ".join(f"{name} {job.counts[name]}" for name in COUNTS[self.subject])
        self.stdout.write(("Dry run: " if job.dry_run else "") + line)
        if job.dry_run:
            # Nothing is left of it but the error file.
            job.error_file = ""
            delete_job(job=job)

    def _errors(self, job: ImportJob) -> str:
        try:
            return job.error_file.path
        except NotImplementedError:
            return job.error_file.name


@contextmanager
def _interrupted() -> Iterator[Event]:
    """Set by Ctrl-C, for which the batch under way is finished; a second one ends at once.

    As an exception anywhere it can be lost: SQLite makes an error of its own of what is raised in
    the functions that Django gives it, and errors of the database are tried again.
    """
    asked = Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if current_thread() is not main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def _store(code: str | None) -> Store:
    try:
        return Store.objects.get(code=code) if code else default_store()
    except (Store.DoesNotExist, DomainError) as error:
        raise CommandError(f"There is no store {code!r}." if code else str(error)) from error


def _location(code: str | None) -> Location | None:
    if code is None:
        return None
    try:
        return Location.objects.get(code=code)
    except Location.DoesNotExist as error:
        raise CommandError(f"There is no location {code!r}.") from error
