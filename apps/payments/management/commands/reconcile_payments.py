"""Hold payments against the books of their gateways."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from apps.core.money import decimal_string
from apps.payments.models import Payment
from apps.payments.services import Difference, compare_payments, touched_payments


class Command(BaseCommand):
    help = "Ask the gateways for the payments of the last days, and note what differs for staff."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--days", type=int, default=7, help="Changed within so many (7).")
        parser.add_argument("--dry-run", action="store_true", help="Tell, and write nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if not 0 < days <= 3650:
            raise CommandError("--days: 1 to 3650.")
        total, quiet = touched_payments(days=days).count(), not sys.stderr.isatty()
        with tqdm(total=total, unit=" payments", disable=quiet, leave=False) as bar:
            done = compare_payments(
                days=days, dry_run=options["dry_run"], on_progress=lambda: bar.update() and None
            )
        for found in done.found:
            self.stdout.write(_line(found))
        self.stdout.write(
            f"{done.asked} compared, {len(done.found)} differences, {done.closed} equal again,"
            f" {done.unanswered} without an answer."
        )


def _line(found: Difference) -> str:
    payment = found.subject
    assert isinstance(payment, Payment)  # noqa: S101 (payments alone are compared here)
    ours, theirs = (decimal_string(sum_, payment.currency) for sum_ in (found.ours, found.theirs))
    return (
        f"{payment.order.number} {payment.gateway} {payment.provider_id}: {found.kind}"
        f" {ours} {payment.currency}, there {theirs}"
    )
