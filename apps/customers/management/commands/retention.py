"""What has had its time, by the terms of docs/privacy.md."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.customers.services.retention import apply_terms, overdue


class Command(BaseCommand):
    help = "Delete or empty what has had its time; --dry-run only counts it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        for label, days, count in overdue():
            self.stdout.write(f"{label}: {count} older than {days} days")
        if not options["dry_run"]:
            self.stdout.write(f"{apply_terms()} rows done")
