"""The One-Stop-Shop return of a quarter, as CSV."""

from __future__ import annotations

import csv
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import DomainError
from apps.core.money import decimal_string
from apps.orders.selectors.oss import (
    EURO,
    THRESHOLD,
    as_csv,
    cross_border_sales,
    oss_report,
    quarter_of,
)
from apps.stores.models import Store


class Command(BaseCommand):
    help = "What was sold to consumers in other EU countries in a quarter, by country and rate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--store", required=True, help="the store's code")
        parser.add_argument("--quarter", required=True, help="2026Q3")

    def handle(self, *args: Any, **options: Any) -> None:
        store = Store.objects.filter(code=options["store"]).first()
        if store is None:
            raise CommandError(f"There is no store {options['store']!r}.")
        try:
            first, last = quarter_of(options["quarter"])
        except ValueError as error:
            raise CommandError("A quarter is written like 2026Q3.") from error
        try:
            report = oss_report(store=store, first=first, last=last)
            year = cross_border_sales(store=store, year=first.year)
        except DomainError as error:
            raise CommandError(str(error)) from error
        csv.writer(self.stdout).writerows(as_csv(report))
        self.stderr.write(
            f"{first} – {last}: {len(report)} rows. Cross-border sales of {first.year} without"
            f" tax: {decimal_string(year, EURO)} of {decimal_string(THRESHOLD, EURO)} EUR."
        )
