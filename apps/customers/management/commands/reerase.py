"""After a backup was restored: forget again whoever came back with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.customers.services.erasing import reerase, run_erasures


class Command(BaseCommand):
    help = "Erase again whoever stands in a file of `erasures --export`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        found = reerase(wanted=options["file"].read_text().split())
        finished = run_erasures(limit=max(found, 1))
        self.stdout.write(f"{found} came back, {finished} erased")
