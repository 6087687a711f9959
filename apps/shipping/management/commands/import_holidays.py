"""Import public holidays from a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.shipping.services import MAX_FILE, InvalidHoliday, import_holidays


class Command(BaseCommand):
    help = "Import holidays from an iCalendar file, or CSV with the columns date, name, region."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="The file, in UTF-8.")
        parser.add_argument("--country", required=True, help="ISO 3166-1: ES.")
        parser.add_argument("--region", default="", help="ISO 3166-2 without the country: GC.")
        parser.add_argument("--dry-run", action="store_true", help="Count, but write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as file:
                # A byte more than is accepted, so that a larger file is refused and not cut.
                body = file.read(MAX_FILE + 1)
            done = import_holidays(
                country=options["country"].upper(),
                region=options["region"].upper(),
                body=body,
                dry_run=options["dry_run"],
            )
        except (OSError, InvalidHoliday) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.created} created, {done.updated} updated, {done.unchanged} unchanged"
            + (" (dry run: nothing written)" if options["dry_run"] else "")
        )
