"""Everything the shop knows of somebody, as a file on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.customers.services.exporting import write_export
from apps.customers.services.people import everybody_at, is_known


class Command(BaseCommand):
    help = "Write a zip file of what is known of an address, its accounts and its guest orders."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--output", type=Path, default=Path("person.zip"))

    def handle(self, *args: Any, **options: Any) -> None:
        person = everybody_at(options["email"])
        if not is_known(person):
            raise CommandError("Nothing is known of this address.")
        with options["output"].open("wb") as stream:
            write_export(stream, person)
        self.stdout.write(f"Written: {options['output']}")
