"""The price before a reduction, from the history that no price leaves out.

Directive 98/6/EC, article 6a (https://eur-lex.europa.eu/eli/dir/1998/6/2022-05-28): an announced
reduction shows the lowest price of the 30 days before it was applied (1, 2). Where a reduction
grows step by step without interruption, that of the 30 days before its first step (5; Commission
Notice 2021/C 526/02, 4.3). Goods that are sold for less than 30 days: of the days they had (4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from apps.pricing.models import PricePoint
from apps.pricing.selectors.derived import base_of, conversion_for
from apps.stores.models import Store

WINDOW = timedelta(days=30)


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


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From `start` until the next one this was the price; `reduced` if it was announced so."""

    start: datetime
    amount: int | None
    reduced: bool


_COLUMNS = ("created_at", "pk", "store_id", "valid_from", "valid_to", "amount", "compare_at")


def reference_prices(
    *,
    store: Store,
    currency: str,
    variant_ids: Iterable[int],
    before: datetime,
    since: Mapping[int, datetime] | None = None,
) -> dict[int, int]:
    """The lowest price before each reduction that is in force at `before`, in minor units.

    Counted are the prices of one piece for everybody, the store's own over all stores'. A
    reduction is a price with a higher compare-at price; it began when that was first so, and a
    lower price prolongs it. `since` tells, by variant, when a promotion began that reduces the
    price and that the history doesn't know. What isn't reduced, or had no price in the 30 days
    before, is left out. Where the store derives its prices, the reference is the base currency's,
    converted as the price is. One query, three with derived prices.
    """
    points = _points(before).filter(
        Q(store__isnull=True) | Q(store=store),
        Q(currency=currency) | Q(currency=base_of(store=store, currency=currency)),
        variant_id__in=list(variant_ids),
    )
    own: dict[int, list[_Point]] = defaultdict(list)
    base: dict[int, list[_Point]] = defaultdict(list)
    for variant_id, of, *values in points.values_list("variant_id", "currency", *_COLUMNS):
        (own if of == currency else base)[variant_id].append(_Point(*values))
    found, derived = {}, {}
    for variant_id in {*own, *base}:
        began = since.get(variant_id) if since else None
        past = _stretches(own[variant_id], before)
        if past and past[-1].amount is not None:
            found[variant_id] = _reference(past, began)
        else:
            derived[variant_id] = _reference(_stretches(base[variant_id], before), began)
    if any(amount is not None for amount in derived.values()):
        conversion = conversion_for(store=store, currency=currency, at=before)
        for variant_id, amount in derived.items():
            if conversion is not None and amount is not None:
                found[variant_id] = conversion.amount(amount)
    return {variant_id: amount for variant_id, amount in found.items() if amount is not None}


def prior_prices(*, variant_id: int, at: datetime) -> dict[tuple[int | None, str], int]:
    """The same for one variant, by store (None: where a store has no price of its own) and
    currency, without derived prices. One query."""
    known: dict[tuple[int | None, str], list[_Point]] = defaultdict(list)
    rows = _points(at).filter(variant_id=variant_id)
    for currency, *values in rows.values_list("currency", *_COLUMNS):
        point = _Point(*values)
        known[point.store_id, currency].append(point)
    found = {}
    for (store_id, currency), points in known.items():
        everywhere = [] if store_id is None else known.get((None, currency), [])
        amount = _reference(_stretches(sorted([*points, *everywhere], key=_age), at))
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


def _reference(stretches: Sequence[_Stretch], since: datetime | None = None) -> int | None:
    """The lowest price of the 30 days before the reduction began: announced, or `since` then."""
    moments = [moment for moment in (_began(stretches), since) if moment is not None]
    if not moments:
        return None
    began = min(moments)
    lowest: int | None = None
    for index, stretch in enumerate(stretches):
        ended = index + 1 < len(stretches) and stretches[index + 1].start <= began - WINDOW
        if stretch.amount is not None and stretch.start < began and not ended:
            lowest = stretch.amount if lowest is None else min(lowest, stretch.amount)
    return lowest


def _began(stretches: Sequence[_Stretch]) -> datetime | None:
    """When the announced reduction that is in force began; None without one."""
    if not stretches or not stretches[-1].reduced:
        return None
    first = len(stretches) - 1
    while first and _prolongs(stretches[first - 1], stretches[first]):
        first -= 1
    return stretches[first].start


def _prolongs(earlier: _Stretch, later: _Stretch) -> bool:
    """Whether a reduction goes on: never interrupted, and never dearer than before."""
    return earlier.reduced and (earlier.amount or 0) >= (later.amount or 0)
