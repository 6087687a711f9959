from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from tqdm import tqdm

from apps.core.errors import DomainError
from apps.orders.models import Order
from apps.orders.models.desk import ExportFormat, ExportRows
from apps.orders.selectors.finding import chosen_orders
from apps.orders.services.export_runs import read_filters
from apps.orders.services.exports import Progress, record_export, resume_csv, write_xlsx


class Command(BaseCommand):
    help = (
        "Write orders, or their lines, to a CSV or Excel file. Interrupted, CSV goes on where it"
        " stopped when it is run again with the same file and options."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=ExportFormat.values, help="By the file's name.")
        parser.add_argument("--rows", choices=ExportRows.values, default=ExportRows.ORDERS)
        parser.add_argument(
            "--filter",
            default="",
            help='As in the list of orders of the API: "status=processing&tag=vip".',
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        file_format = options["format"] or file.suffix.removeprefix(".")
        if file_format not in ExportFormat.values:
            raise CommandError("--format is csv or xlsx.")
        try:
            filters = read_filters(options["filter"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        orders, rows = chosen_orders(filters), options["rows"]
        record_export(rows=rows, file_format=file_format, filters=filters, user=None)
        quiet = not sys.stderr.isatty()
        with tqdm(total=orders.count(), unit=" orders", disable=quiet, leave=False) as bar:

            def show(number: int) -> None:
                bar.update(number)

            try:
                if file_format == ExportFormat.CSV:
                    total = resume_csv(file, orders, rows=rows, chosen=filters, on_progress=show)
                else:
                    total = _excel(file, orders, rows, show)
            except KeyboardInterrupt:
                again = " to go on" if file_format == ExportFormat.CSV else ""
                raise CommandError(
                    f"Interrupted. Run the same command again{again}.", returncode=130
                ) from None
            except OSError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"{total} orders: {file}")


def _excel(file: Path, orders: QuerySet[Order], rows: str, show: Progress) -> int:
    """Beside it until it is whole."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as stream:
            total = write_xlsx(stream, orders, rows=rows, on_progress=show)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return total
