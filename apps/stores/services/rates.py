"""Exchange rates: read from the European Central Bank's files, or entered by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.events import publish
from apps.core.http import fetch
from apps.core.money import CURRENCIES
from apps.stores.engines import ecb
from apps.stores.events import RatesChanged
from apps.stores.models import ExchangeRate
from apps.stores.selectors import EURO, expected_day, newest_day

# The whole history since 1999 is a third of it; the day's file has 2 kB.
MAX_FILE, MAX_ANSWER = 32 * 1024 * 1024, 1024 * 1024
_BATCH = 1000
_KNOWN = frozenset(CURRENCIES)


class InvalidRates(DomainError):
    code = "invalid_rates"
    message = _("This isn't a file of the European Central Bank's reference rates.")


@dataclass(slots=True)
class RatesImport:
    """What became of a file; `skipped` counts the rates of currencies that are no more."""

    first: date
    last: date
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


@transaction.atomic
def import_rates(*, body: bytes, dry_run: bool = False) -> RatesImport:
    """Keep the rates of a file: the day's, 90 days' or the whole history. Safe to run again.

    All or nothing; a dry run only counts. Raises InvalidRates.
    """
    if len(body) > MAX_FILE:
        raise InvalidRates(_("The file is too large."))
    try:
        found = ecb.read(body)
    except ecb.RatesUnreadable as error:
        raise InvalidRates(str(error)) from error
    days = [rate.date for rate in found]
    done = RatesImport(min(days), max(days))
    done.skipped.update(rate.currency for rate in found if rate.currency not in _KNOWN)
    # One rate for a currency and day, the file's last.
    rates = iter({(r.date, r.currency): r for r in found if r.currency in _KNOWN}.values())
    while batch := list(islice(rates, _BATCH)):
        changed = _changed(batch, done)
        if not dry_run:
            _write(changed)
    if (done.created or done.updated) and not dry_run:
        publish(RatesChanged(date=done.last.isoformat()))
    return done


def fetch_rates() -> RatesImport:
    """Fetch the file at `EXCHANGE_RATES_URL` and import it. Raises FetchError, InvalidRates."""
    answer = fetch(settings.EXCHANGE_RATES_URL, max_bytes=MAX_ANSWER, accept="application/xml")
    return import_rates(body=answer.body)


def fetch_due_rates(*, now: datetime) -> RatesImport | None:
    """Fetch, if the bank has published a day that isn't known yet. Raises as `fetch_rates()`."""
    newest = newest_day()
    due = newest is None or newest < expected_day(now)
    return fetch_rates() if due and settings.EXCHANGE_RATES_URL else None


@transaction.atomic
def save_rate(*, rate: ExchangeRate) -> None:
    """Keep a rate that somebody entered or corrected."""
    rate.save()
    publish(RatesChanged(date=rate.date.isoformat()))


@transaction.atomic
def remove_rate(*, rate: ExchangeRate) -> None:
    """Delete a rate: the one before it counts again."""
    day = rate.date.isoformat()
    rate.delete()
    publish(RatesChanged(date=day))


def _changed(batch: Sequence[ecb.ReferenceRate], done: RatesImport) -> list[ExchangeRate]:
    """The rows to write, and the counts of a batch."""
    known = {
        (day, currency): value
        for day, currency, value in ExchangeRate.objects.filter(
            base=EURO, date__in={rate.date for rate in batch}
        ).values_list("date", "currency", "rate")
    }
    rows = []
    for rate in batch:
        before = known.get((rate.date, rate.currency))
        if before == rate.value:
            done.unchanged += 1
            continue
        done.created += before is None
        done.updated += before is not None
        row = ExchangeRate(base=EURO, currency=rate.currency, rate=rate.value, date=rate.date)
        rows.append(row)
    return rows


def _write(rows: Sequence[ExchangeRate]) -> None:
    # Somebody else may be importing the same day.
    targeted = connection.features.supports_update_conflicts_with_target
    ExchangeRate.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=["rate"],
        unique_fields=["base", "currency", "date"] if targeted else None,
    )
