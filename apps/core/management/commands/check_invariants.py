"""Prove that money, stock and orders are consistent; exit status 1 where they aren't."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.invariants import violations


class Command(BaseCommand):
    help = "Check every invariant of money, stock and orders."

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        for name, lines in violations().items():
            failed += len(lines)
            mark = "ok  " if not lines else "FAIL"
            self.stdout.write(f"{mark} {name}")
            for line in lines[:20]:
                self.stdout.write(f"       {line}")
        if failed:
            raise CommandError(f"{failed} violations.")
