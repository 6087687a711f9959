"""Import duty rates from a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.shipping.services import MAX_DUTY_FILE, InvalidDuty, import_duties


class Command(BaseCommand):
    help = "Import duty rates from CSV: country, region, hs_prefix, origin, percent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The file, in UTF-8.")
        parser.add_argument("--dry-run", action="store_true", help="Count, but write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as file:
                # A byte more than is accepted, so that a larger file is refused and not cut.
                body = file.read(MAX_DUTY_FILE + 1)
            done = import_duties(body=body, dry_run=options["dry_run"])
        except (OSError, InvalidDuty) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.created} created, {done.updated} updated, {done.unchanged} unchanged"
            + (" (dry run: nothing written)" if options["dry_run"] else "")
        )
