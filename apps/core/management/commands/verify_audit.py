"""Prove that the audit log is what was written; exit status 1 where it isn't."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from apps.core.audit_chain import broken
from apps.core.models import AuditSeal


class Command(BaseCommand):
    help = "Check the audit log against its chain."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head", help="A seal's digest that was noted elsewhere: it has to be in the chain."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        seals = AuditSeal.objects.order_by("number")
        shown = tqdm(seals.iterator(chunk_size=500), total=seals.count(), unit="seal", disable=None)
        found = 0
        for line in broken(shown):
            found += 1
            self.stderr.write(line)
        if options["head"] and not seals.filter(digest=options["head"]).exists():
            found += 1
            self.stderr.write("The seal that was noted isn't in the chain.")
        if found:
            raise CommandError(f"The audit log is not what was written: {found} findings.")
        last = seals.last()
        self.stdout.write(
            f"{last.number} seals fit; the head is {last.digest}." if last else "Nothing is sealed."
        )
