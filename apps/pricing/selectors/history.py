"""The price before a reduction, from the history that no price leaves out.

Directive 98/6/EC, article 6a (https://eur-lex.europa.eu/eli/dir/1998/6/2022-05-28): an announced
reduction shows the lowest price of the 30 days before it was applied (1, 2). Where a reduction
grows step by step without interruption, that of the 30 days before its first step (5; Commission
Notice 2021/C 526/02, 4.3). Goods that are sold for less than 30 days: of the days they had (4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial

from django.db.models import Q, QuerySet

from apps.pricing.models import PricePoint
from apps.pricing.selectors.derived import base_of, conversion_for
from apps.stores.models import Store

WINDOW = timedelta(days=30)
# How long after its beginning lists may show a promotion's price.
LATE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Point:
    """A line of the history: one price of everybody for one piece, from `created_at`."""

    created_at: datetime
    pk: int
    store_id: int | None
    valid_from: datetime | None
    valid_to: datetime | None
    amount: int | None
    compare_at: int | None
    promotion: str


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From `start` until the next one this was the price; `reduced` if it was announced so."""

    start: datetime
    amount: int | None
    reduced: bool


@dataclass(frozen=True, slots=True)
class _Promoted:
    """From `start` until before `end` (None: still) lists showed a promotion's price."""

    start: datetime
    end: datetime | None
    amount: int


_COLUMNS = (
    *("created_at", "pk", "store_id", "valid_from", "valid_to", "amount", "compare_at"),
    "promotion",
)


def reference_prices(
    *, store: Store, currency: str, variant_ids: Iterable[int], before: datetime
) -> dict[int, int]:
    """The lowest price before each reduction that is in force at `before`, in minor units.

    Counted are the prices of one piece for everybody, the store's own over all stores', and those
    that catalogue promotions made of them (`services.note_promoted`). A reduction is a price with
    a higher compare-at price, or a promotion; it began when that was first so, and a lower price
    prolongs it. What isn't reduced, or had no price in the 30 days before, is left out. Where the
    store derives its prices, the reference is the base currency's, converted as the price is. One
    query, three with derived prices.
    """
    points = _points(before).filter(
        Q(store__isnull=True) | Q(store=store),
        Q(currency=currency) | Q(currency=base_of(store=store, currency=currency)),
        variant_id__in=list(variant_ids),
    )
    own: dict[int, list[_Point]] = defaultdict(list)
    base: dict[int, list[_Point]] = defaultdict(list)
    promoted: dict[int, list[_Point]] = defaultdict(list)
    for variant_id, of, *values in points.values_list("variant_id", "currency", *_COLUMNS):
        point = _Point(*values)
        if not point.promotion:
            (own if of == currency else base)[variant_id].append(point)
        elif of == currency:
            promoted[variant_id].append(point)
    found: dict[int, int | None] = {}
    conversion = cache(partial(conversion_for, store=store, currency=currency, at=before))
    for variant_id in {*own, *base}:
        reductions = _promotions(promoted[variant_id], before)
        past = _stretches(own[variant_id], before)
        is_derived = not past or past[-1].amount is None
        if is_derived:
            past = _stretches(base[variant_id], before)
        began = _began(past, reductions)
        if began is None:
            continue
        lowest = _lowest(past, began)
        if is_derived and lowest is not None:
            rate = conversion()
            lowest = rate.amount(lowest) if rate is not None else None
        found[variant_id] = _lower(lowest, _lowest_promoted(reductions, began))
    return {variant_id: amount for variant_id, amount in found.items() if amount is not None}


def prior_prices(*, variant_id: int, at: datetime) -> dict[tuple[int | None, str], int]:
    """The same for one variant, by store (None: where a store has no price of its own, without the
    promotions of stores) and currency, without derived prices. One query."""
    known: dict[tuple[int | None, str], list[_Point]] = defaultdict(list)
    promoted: dict[tuple[int | None, str], list[_Point]] = defaultdict(list)
    rows = _points(at).filter(variant_id=variant_id)
    for currency, *values in rows.values_list("currency", *_COLUMNS):
        point = _Point(*values)
        (promoted if point.promotion else known)[point.store_id, currency].append(point)
    found = {}
    for (store_id, currency), points in known.items():
        everywhere = [] if store_id is None else known.get((None, currency), [])
        past = _stretches(sorted([*points, *everywhere], key=_age), at)
        reductions = _promotions(promoted[store_id, currency], at)
        began = _began(past, reductions)
        if began is not None:
            amount = _lower(_lowest(past, began), _lowest_promoted(reductions, began))
            if amount is not None:
                found[store_id, currency] = amount
    return found


def _points(until: datetime) -> QuerySet[PricePoint]:
    public = PricePoint.objects.filter(price_list__isnull=True, min_quantity=1)
    return public.filter(created_at__lte=until).order_by("created_at", "pk")


def _age(point: _Point) -> tuple[datetime, int]:
    return point.created_at, point.pk


def _stretches(points: Sequence[_Point], until: datetime) -> list[_Stretch]:
    """What the price was, and when, up to `until`. `points` are in the order of the history."""
    moments = {point.created_at for point in points}
    for point in points:
        moments |= {m for m in (point.valid_from, point.valid_to) if m is not None and m <= until}
    rows: dict[tuple[int | None, datetime | None], _Point] = {}
    stretches: list[_Stretch] = []
    known = 0
    for moment in sorted(moments):
        while known < len(points) and points[known].created_at <= moment:
            point = points[known]
            rows[point.store_id, point.valid_from] = point
            known += 1
        ended = [
            key
            for key, row in rows.items()
            if row.amount is None or (row.valid_to is not None and row.valid_to <= moment)
        ]
        for key in ended:
            del rows[key]
        stretches.append(_stretch(moment, rows.values()))
    return stretches


def _stretch(moment: datetime, rows: Iterable[_Point]) -> _Stretch:
    open_now = [row for row in rows if row.valid_from is None or row.valid_from <= moment]
    if not open_now:
        return _Stretch(moment, None, False)
    row = max(open_now, key=_specific)
    compare_at = row.compare_at or 0
    return _Stretch(moment, row.amount, compare_at > (row.amount or 0))


def _specific(row: _Point) -> tuple[bool, float, int]:
    start = row.valid_from.timestamp() if row.valid_from else float("-inf")
    return row.store_id is not None, start, row.pk


def _promotions(points: Sequence[_Point], until: datetime) -> list[_Promoted]:
    """The promotions' prices up to `until`, oldest first; they never overlap."""
    found: list[_Promoted] = []
    for index, point in enumerate(points):
        if point.amount is None:
            continue
        changed = points[index + 1].created_at if index + 1 < len(points) else None
        ends = [m for m in (point.valid_to, changed) if m is not None and m <= until]
        start = point.created_at
        since = points[index - 1].created_at if index else start - LATE
        if point.valid_from is not None and max(since, start - LATE) <= point.valid_from < start:
            # It is new, and lists showed it a little late.
            start = point.valid_from
        found.append(_Promoted(start, min(ends, default=None), point.amount))
    return found


def _lower(one: int | None, other: int | None) -> int | None:
    return min((amount for amount in (one, other) if amount is not None), default=None)


def _lowest(stretches: Sequence[_Stretch], began: datetime) -> int | None:
    """The lowest price of the 30 days before a reduction began."""
    lowest: int | None = None
    for index, stretch in enumerate(stretches):
        ended = index + 1 < len(stretches) and stretches[index + 1].start <= began - WINDOW
        if stretch.amount is not None and stretch.start < began and not ended:
            lowest = _lower(lowest, stretch.amount)
    return lowest


def _lowest_promoted(reductions: Sequence[_Promoted], began: datetime) -> int | None:
    amounts = [
        each.amount
        for each in reductions
        if each.start < began and (each.end is None or each.end > began - WINDOW)
    ]
    return min(amounts, default=None)


def _began(stretches: Sequence[_Stretch], reductions: Sequence[_Promoted]) -> datetime | None:
    """When the reduction in force began: announced, or a promotion's; None without one."""
    moments = []
    if stretches and stretches[-1].reduced:
        first = len(stretches) - 1
        while first and _prolongs(stretches[first - 1], stretches[first]):
            first -= 1
        moments.append(stretches[first].start)
    if reductions and reductions[-1].end is None:
        first = len(reductions) - 1
        while first and _goes_on(reductions[first - 1], reductions[first]):
            first -= 1
        moments.append(reductions[first].start)
    return min(moments, default=None)


def _prolongs(earlier: _Stretch, later: _Stretch) -> bool:
    """Whether a reduction goes on: never interrupted, and never dearer than before."""
    return earlier.reduced and (earlier.amount or 0) >= (later.amount or 0)


def _goes_on(earlier: _Promoted, later: _Promoted) -> bool:
    touches = earlier.end is not None and earlier.end >= later.start
    return touches and earlier.amount >= later.amount
