"""What was sold to consumers in other EU countries, as the One-Stop-Shop return wants it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from apps.core.money import round_half_up, to_decimal
from apps.orders.models import Order
from apps.stores.models import Store
from apps.stores.selectors import rate

EURO = "EUR"
# Council Directive 2006/112/EC, article 59c: below it, the seller's own country may tax.
THRESHOLD = 10_000_00
BATCH = 500


@dataclass(frozen=True, slots=True)
class OSSRow:
    """Sales of a quarter to one country at one rate. Euro cents."""

    country: str
    percent: str
    net: int
    tax: int
    orders: int


def quarter_of(text: str) -> tuple[date, date]:
    """The first and the last day of "2026Q3". Raises ValueError."""
    found = re.fullmatch(r"(2\d{3})[Qq]([1-4])", text)
    if found is None:
        raise ValueError(f"{text!r} is no quarter.")
    year, quarter = int(found[1]), int(found[2])
    first = date(year, 3 * quarter - 2, 1)
    beyond = date(year + quarter // 4, 3 * quarter % 12 + 1, 1)
    return first, beyond - timedelta(days=1)


def oss_report(*, store: Store, first: date, last: date) -> list[OSSRow]:
    """Confirmed, not cancelled sales under the scheme, by country of consumption and rate.

    Converted at the European Central Bank's rate of the last day of the period, or the next one
    before it (Directive 2006/112/EC, article 369h). Sums are converted, not orders. Refunds
    belong into a later return and aren't taken off. Raises NoRate for a currency without one.
    """
    sums: dict[tuple[str, str, str], list[int]] = {}
    for order in _sold(store, first, last).filter(tax_scheme="oss").iterator(chunk_size=BATCH):
        rows: dict[str, list[int]] = {}
        for tax in order.quote["taxes"]:
            row = rows.setdefault(tax["percent"], [0, 0])
            row[0] += tax["base"]
            row[1] += tax["amount"]
        for percent, (net, tax_amount) in rows.items():
            key = order.tax_country, percent, order.currency
            total = sums.setdefault(key, [0, 0, 0])
            total[0], total[1], total[2] = total[0] + net, total[1] + tax_amount, total[2] + 1
    report: dict[tuple[str, str], list[int]] = {}
    for (country, percent, currency), (net, tax_amount, orders) in sums.items():
        value = rate(EURO, currency, last).value
        row = report.setdefault((country, percent), [0, 0, 0])
        row[0] += _euro_cents(net, currency, value)
        row[1] += _euro_cents(tax_amount, currency, value)
        row[2] += orders
    return [OSSRow(*key, *row) for key, row in sorted(report.items())]


def cross_border_sales(*, store: Store, year: int) -> int:
    """Euro cents, without tax, sold to consumers in other EU countries in a calendar year.

    What the threshold is compared with; each currency at the rate of the year's last day, or the
    newest there is.
    """
    sums: dict[str, int] = {}
    sold = _sold(store, date(year, 1, 1), date(year, 12, 31))
    for order in sold.filter(tax_scheme__in=("oss", "origin")).iterator(chunk_size=BATCH):
        without_tax = order.total - order.tax
        sums[order.currency] = sums.get(order.currency, 0) + without_tax
    day = date(year, 12, 31)
    return sum(_euro_cents(net, c, rate(EURO, c, day).value) for c, net in sums.items())


def _sold(store: Store, first: date, last: date) -> QuerySet[Order]:
    def midnight(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=store.zone).astimezone(UTC)

    return Order.objects.sold().filter(
        store=store,
        confirmed_at__gte=midnight(first),
        confirmed_at__lt=midnight(last + timedelta(days=1)),
    )


def _euro_cents(amount: int, currency: str, value: Decimal) -> int:
    """`value`: units of the currency for one euro."""
    return round_half_up(to_decimal(amount, currency) / value * 100)


def as_csv(report: list[OSSRow]) -> Iterator[list[str]]:
    """The report as rows of a sheet, amounts in euro."""
    yield ["country", "rate_percent", "net_eur", "vat_eur", "orders"]
    for row in report:
        yield [row.country, row.percent, _euro(row.net), _euro(row.tax), str(row.orders)]


def _euro(cents: int) -> str:
    return f"{to_decimal(cents, EURO):.2f}"
