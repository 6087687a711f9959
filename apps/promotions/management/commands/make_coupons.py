"""Make a batch of codes, and write it into a file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from apps.core.errors import DomainError
from apps.core.spreadsheet import csv_lines
from apps.promotions.models import Coupon, Promotion
from apps.promotions.services import make_batch


class Command(BaseCommand):
    help = (
        "Make codes that nobody can guess, each for one order. Interrupted, it goes on where it"
        " stopped when it is run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("promotion", help="The promotion's code.")
        parser.add_argument("--count", type=int, required=True, help="At most 100,000.")
        parser.add_argument("--batch", required=True, help="A name for these codes.")
        parser.add_argument("--prefix", default="", help="What every code begins with.")
        parser.add_argument("--length", type=int, default=10, help="Characters after the prefix.")
        parser.add_argument("--csv", type=Path, help="Write the batch's codes into this file.")

    def handle(self, *args: Any, **options: Any) -> None:
        promotion = Promotion.objects.filter(code=options["promotion"]).first()
        if promotion is None:
            raise CommandError(f"There is no promotion {options['promotion']!r}.")
        codes = Coupon.objects.filter(promotion=promotion, batch=options["batch"])
        before = codes.count()
        try:
            self._make(promotion, options, before)
        except DomainError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                f"Interrupted with {codes.count()} of {options['count']} codes. Run the same"
                " command again to go on.",
                returncode=130,
            ) from None
        there = codes.count()
        self.stdout.write(f"{there - before} made, {there} in the batch")
        if options["csv"]:
            self._write(options["csv"], codes)

    def _make(self, promotion: Promotion, options: dict[str, Any], before: int) -> None:
        wanted = {name: options[name] for name in ("batch", "count", "prefix", "length")}
        quiet = not sys.stderr.isatty()
        with tqdm(
            total=options["count"], initial=before, unit=" codes", disable=quiet, leave=False
        ) as bar:
            for rows in make_batch(promotion=promotion, **wanted):
                bar.update(len(rows))

    def _write(self, file: Path, codes: Any) -> None:
        rows = codes.order_by("pk").values_list("code", "batch").iterator(chunk_size=1000)
        # Written beside and moved into place: a file that is there is whole.
        partial = file.with_name(f"{file.name}.part")
        try:
            with partial.open("w", encoding="utf-8", newline="") as output:
                output.writelines(csv_lines(("code", "batch"), rows))
            partial.replace(file)
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(file))
