"""Count every customer's orders anew: after an import, or where the figures are doubted."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from apps.customers.models import Customer
from apps.orders.services import rebuild_figures


class Command(BaseCommand):
    help = "Count what every customer ordered and spent anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--after", type=int, default=0, help="Go on after this number, where it was stopped."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        done, last = 0, options["after"]
        total = Customer.objects.filter(pk__gt=last).count()
        try:
            with tqdm(total=total, unit="customer", file=self.stderr) as bar:
                for pk in rebuild_figures(after=last):
                    done, last = done + 1, pk
                    bar.update()
        except KeyboardInterrupt:
            told = f"Stopped after {done} of {total} customers; go on with --after {last}."
            raise CommandError(told) from None
        self.stdout.write(f"customers {done}")
