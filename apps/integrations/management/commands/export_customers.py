from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.spreadsheet import write_lines
from apps.integrations.services import export_customers


class Command(BaseCommand):
    help = "Export all customers and their addresses into a CSV file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            write_lines(file, export_customers())
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(file))
