from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.orders.services.automation import MOST_AT_ONCE, apply_rules, foresee


class Command(BaseCommand):
    help = "Let the active order rules do what is due, as beat does every minute."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Tell, but change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["dry_run"]:
            for name, number in apply_rules().items():
                self.stdout.write(f"{name}: {number}")
            return
        for outlook in foresee():
            number = f"{MOST_AT_ONCE}+" if outlook.count > MOST_AT_ONCE else outlook.count
            first = f" ({', '.join(outlook.numbers)})" if outlook.numbers else ""
            self.stdout.write(f"{outlook.rule.name}: would change {number}{first}")
