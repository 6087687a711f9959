"""Import what payment providers paid out."""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from apps.core.money import decimal_string
from apps.payments.services import Difference, import_payouts


class Command(BaseCommand):
    help = "Import payouts with their lines and fees; running it again writes nothing twice."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--from", dest="since", type=_day, help="First day of arrival.")
        parser.add_argument("--to", dest="until", type=_day, help="Last day of arrival.")
        parser.add_argument("--dry-run", action="store_true", help="Tell, and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = options["since"], options["until"]
        if since and until and since > until:
            raise CommandError("--from is after --to.")
        with tqdm(unit=" payouts", disable=not sys.stderr.isatty(), leave=False) as bar:
            done = import_payouts(
                since=since,
                until=until,
                dry_run=options["dry_run"],
                on_progress=lambda: bar.update() and None,
            )
        for found in done.found:
            self.stdout.write(_line(found))
        self.stdout.write(
            f"{done.told} payouts, {done.written} new or changed, {done.lines} new lines,"
            f" {len(done.found)} differences, {done.unanswered} accounts without an answer."
        )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _line(found: Difference) -> str:
    payout = found.subject
    ours, theirs = (decimal_string(sum_, payout.currency) for sum_ in (found.ours, found.theirs))
    return (
        f"{payout.gateway} {payout.provider_id}: {found.kind}"
        f" {ours} {payout.currency}, there {theirs}"
    )
