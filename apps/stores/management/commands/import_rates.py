"""Import exchange rates from a file of the European Central Bank."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.stores.services import MAX_FILE, InvalidRates, import_rates


class Command(BaseCommand):
    help = "Import the ECB's reference rates: eurofxref-daily.xml, -hist-90d.xml or -hist.xml."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The XML file.")
        parser.add_argument("--dry-run", action="store_true", help="Count, but write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as file:
                # A byte more than is accepted, so that a larger file is refused and not cut.
                body = file.read(MAX_FILE + 1)
            done = import_rates(body=body, dry_run=options["dry_run"])
        except (OSError, InvalidRates) as error:
            raise CommandError(str(error)) from error
        skipped = ", ".join(f"{name} {n}" for name, n in sorted(done.skipped.items()))
        self.stdout.write(
            f"{done.first} – {done.last}: {done.created} created, {done.updated} updated, "
            f"{done.unchanged} unchanged, {done.skipped.total()} skipped"
            + (f" ({skipped})" if skipped else "")
            + (" (dry run: nothing written)" if options["dry_run"] else "")
        )
