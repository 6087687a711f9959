"""Who was forgotten, as hashes: kept beside the backups, for `reerase`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.customers.services.erasing import subjects


class Command(BaseCommand):
    help = "Write the keyed hashes of everybody who was erased, one a line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--export", type=Path, required=True, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = [f"{subject}\n" for subject in subjects()]
        options["export"].write_text("".join(lines))
        self.stdout.write(f"{len(lines)} erasures")
