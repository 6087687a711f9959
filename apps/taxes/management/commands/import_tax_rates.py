"""Import tax rates from a file."""

import csv
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from apps.taxes.services import (
    BUNDLED,
    InvalidTaxFile,
    RefusedRate,
    TaxRatesImport,
    import_rates,
    read_rates,
)


class Command(BaseCommand):
    help = (
        "Import tax rates from a CSV file: our columns, or WooCommerce's. Interrupted, it is run"
        " again: what is there already doesn't change."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("file", type=Path, nargs="?", help="The CSV file, in UTF-8.")
        source.add_argument("--bundled", choices=BUNDLED, help="Rates that come with Commerce.")
        parser.add_argument("--dry-run", action="store_true", help="Count, but write nothing.")
        parser.add_argument("--errors", type=Path, help="A file for the refused rows (else shown).")

    def handle(self, *args: Any, **options: Any) -> None:
        path = BUNDLED[options["bundled"]] if options["bundled"] else options["file"]
        try:
            done = self._import(path, options["errors"], options["dry_run"])
        except (OSError, InvalidTaxFile) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. Run the same command again to go on.", returncode=130
            ) from None
        self.stdout.write(
            f"{done.created} created, {done.updated} updated, {done.unchanged} unchanged, "
            f"{done.refused} refused"
            + (" (dry run: nothing written)" if options["dry_run"] else "")
        )

    def _import(self, path: Path, errors: Path | None, dry_run: bool) -> TaxRatesImport:
        with ExitStack() as stack:
            # A cell that isn't UTF-8 refuses its row, not the file.
            file = stack.enter_context(
                path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
            )
            bar = stack.enter_context(
                tqdm(unit=" rates", disable=not sys.stderr.isatty(), leave=False)
            )
            table = None
            if errors:
                table = csv.writer(
                    stack.enter_context(errors.open("w", encoding="utf-8", newline=""))
                )
                table.writerow(["line", "column", "reason"])

            def refuse(row: RefusedRate) -> None:
                if table:
                    table.writerow([row.line, row.column, row.reason])
                else:
                    self.stderr.write(f"line {row.line}, {row.column or 'row'}: {row.reason}")

            def show(total: int) -> None:
                bar.update(total - bar.n)

            return import_rates(
                rows=read_rates(file),
                dry_run=dry_run,
                on_refusal=refuse,
                on_progress=show,
            )
