"""Tell what a promotion would have cost on the orders there are."""

from __future__ import annotations

import csv
import re
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from apps.checkout.services import Rehearsal, RehearsedOrder, rehearse
from apps.core.errors import DomainError
from apps.core.money import decimal_string
from apps.core.spreadsheet import neutral
from apps.promotions.models import Promotion
from apps.stores.models import Store


class Command(BaseCommand):
    help = (
        "Play stored orders through a promotion, active or not, and tell what it would have cost."
        " Nothing is written."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("promotion", help="The promotion's code.")
        parser.add_argument("--since", default="30d", help="How far back: 30d, 12w (30d).")
        parser.add_argument("--store", help="The code of a store (all of them).")
        parser.add_argument("--csv", type=Path, help="Write the touched orders into this file.")

    def handle(self, *args: Any, **options: Any) -> None:
        promotion = Promotion.objects.filter(code=options["promotion"]).first()
        if promotion is None:
            raise CommandError(f"There is no promotion {options['promotion']!r}.")
        store = None
        if code := options["store"]:
            store = Store.objects.filter(code=code).first()
            if store is None:
                raise CommandError(f"There is no store {code!r}.")
        since = timezone.now() - _span(options["since"])
        quiet = not sys.stderr.isatty()
        try:
            with ExitStack() as stack:
                bar = stack.enter_context(tqdm(unit=" orders", disable=quiet, leave=False))
                on_order = self._writer(stack, options["csv"])

                def show(done: int, every: int) -> None:
                    bar.total = every
                    bar.update(done - bar.n)

                found = rehearse(
                    promotion=promotion,
                    since=since,
                    store=store,
                    on_progress=show,
                    on_order=on_order,
                )
        except KeyboardInterrupt:
            raise CommandError("Interrupted; nothing was written.", returncode=130) from None
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        if file := options["csv"]:
            _partial(file).replace(file)
        self._report(found)

    def _writer(self, stack: ExitStack, file: Path | None) -> Any:
        if file is None:
            return None
        output = stack.enter_context(_partial(file).open("w", encoding="utf-8", newline=""))
        writer = csv.writer(output)
        writer.writerow(("order", "created_at", "currency", "total", "discount"))

        def write(row: RehearsedOrder) -> None:
            amounts = [decimal_string(a, row.currency) for a in (row.total, row.discount)]
            cells = (row.number, row.created_at.isoformat(), row.currency)
            writer.writerow([*map(neutral, cells), *amounts])

        return write

    def _report(self, found: Rehearsal) -> None:
        since = found.since.date().isoformat()
        self.stdout.write(f"{found.touched} of {found.orders} orders since {since}")
        for currency, total in sorted(found.sums.items()):
            discount = decimal_string(total.discount, currency)
            average = decimal_string(total.average, currency)
            self.stdout.write(
                f"{currency}: {total.orders} orders, {discount} off, {average} on average"
            )
            for row in total.top:
                of = decimal_string(row.total, currency)
                off = decimal_string(row.discount, currency)
                self.stdout.write(f"  {row.number}: {off} off {of}")
        for reason, count in found.reasons.most_common():
            self.stdout.write(f"not, {reason}: {count}")


def _partial(file: Path) -> Path:
    """Written beside and moved into place: a file that is there is whole."""
    return file.with_name(f"{file.name}.part")


def _span(text: str) -> timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,3})([dw])", text)
    if match is None:
        raise CommandError(f"{text!r} isn't a time like 30d or 12w.")
    return timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))
