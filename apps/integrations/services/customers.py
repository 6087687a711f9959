"""A batch of parsed customers into the shop, and all of them into a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.core.spreadsheet import csv_lines
from apps.customers.models import Customer
from apps.customers.services.importing import CustomerResult, upsert_customers
from apps.integrations.channels.base import Channel, Parsed, Refusal
from apps.integrations.channels.customers.channel import HEADER, rows_of
from apps.integrations.models import ImportJob

_BATCH = 500


@dataclass(slots=True)
class CustomerOutcome:
    """What became of the rows of one customer."""

    parsed: Parsed
    result: CustomerResult | None = None
    refusals: list[Refusal] = field(default_factory=list)
    related: None = None

    @property
    def accepted(self) -> bool:
        return self.result is not None and not self.result.refused

    def counts(self) -> dict[str, int]:
        """What it adds to the job's counts."""
        if self.result is None or not self.accepted:
            return {}
        changed = "updated" if self.result.changed else "unchanged"
        return {"customers": 1, "created" if self.result.created else changed: 1}

    def preview(self) -> dict[str, Any] | None:
        """What the preview tells of it, if they are new or differ."""
        result = self.result
        if result is None or not self.accepted or not (result.created or result.changed):
            return None
        customer = result.customer
        return {
            "line": self.parsed.line,
            "action": "create" if result.created else "update",
            "slug": customer.email,
            "name": f"{customer.first_name} {customer.last_name} <{customer.email}>".strip(),
            "variants": 0,
            "changes": result.changed,
        }


class CustomerApplier:
    """Applies batches of one import."""

    def __init__(self, job: ImportJob, channel: Channel) -> None:
        self.channel = channel
        self.dry_run = job.dry_run
        self.update = job.update_existing

    def forget(self) -> None:
        """After a rollback: nothing is remembered from batch to batch."""

    def notes(self) -> list[str]:
        """What the merchant should know before it begins."""
        return []

    def apply(self, batch: Sequence[Parsed]) -> list[CustomerOutcome]:
        """Write a batch, or find out what writing it would change; in one transaction."""
        outcomes = [CustomerOutcome(parsed, refusals=list(parsed.refusals)) for parsed in batch]
        chosen = [outcome for outcome in outcomes if outcome.parsed.customer is not None]
        results = upsert_customers(
            items=[outcome.parsed.customer for outcome in chosen if outcome.parsed.customer],
            update=self.update,
            dry_run=self.dry_run,
        )
        for outcome, result in zip(chosen, results, strict=True):
            outcome.result = result
            self._refuse(outcome, result)
        return outcomes

    def _refuse(self, outcome: CustomerOutcome, result: CustomerResult) -> None:
        parsed, key_of = outcome.parsed, self.channel.key_of
        if result.refused:
            outcome.refusals.append(Refusal(parsed.line, "email", result.refused))
        for name, reason in result.problems:
            outcome.refusals.append(Refusal(parsed.line, key_of(name), reason))
        for index, problems in result.address_problems.items():
            for name, reason in problems:
                line = parsed.address_lines[index]
                outcome.refusals.append(Refusal(line, f"address_{name}", reason))


def export_customers() -> Iterator[str]:
    """The lines of a CSV file with every customer and their addresses; constant memory."""
    return csv_lines(HEADER, (row for customer in _customers() for row in rows_of(customer)))


def _customers() -> Iterator[Customer]:
    rows = Customer.objects.select_related("group").prefetch_related("tags", "addresses")
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        yield from batch
        last = batch[-1].pk
