"""When a parcel arrives. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

WEEKDAYS = frozenset({1, 2, 3, 4, 5})
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a method is handled.

    Parcels leave on `weekdays` (ISO 8601: Monday is 1) that aren't `holidays`, today's before
    `cutoff`, after `processing_days`. They are then `min_days` to `max_days` on their way,
    counted in weekdays that aren't holidays where they go (`closed`).
    """

    min_days: int
    max_days: int
    cutoff: time | None = None
    processing_days: int = 0
    weekdays: frozenset[int] = WEEKDAYS
    holidays: frozenset[date] = frozenset()
    closed: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Estimate:
    """The first and the last day on which a parcel may arrive."""

    earliest: date
    latest: date


def estimate(now_local: datetime, plan: Plan) -> Estimate:
    """When what is ordered at `now_local` (the time where it leaves) arrives.

    Raises ValueError for a plan without weekdays.
    """
    if not plan.weekdays & set(range(1, 8)):
        raise ValueError("A plan needs a weekday.")
    day = now_local.date()
    # At the cut-off itself it is too late.
    if plan.cutoff is not None and now_local.time() >= plan.cutoff:
        day += _DAY
    leaves = _later(_open(day, plan.weekdays, plan.holidays), plan.processing_days, plan)
    days = [_arrives(leaves, number, plan) for number in (plan.min_days, plan.max_days)]
    return Estimate(*days)


def _open(day: date, weekdays: frozenset[int], holidays: Collection[date]) -> date:
    """The day, or the next one on which work is done."""
    while day.isoweekday() not in weekdays or day in holidays:
        day += _DAY
    return day


def _later(day: date, days: int, plan: Plan) -> date:
    for _ in range(days):
        day = _open(day + _DAY, plan.weekdays, plan.holidays)
    return day


def _arrives(day: date, days: int, plan: Plan) -> date:
    if days == 0:
        return _open(day, plan.weekdays, plan.closed)
    for _ in range(days):
        day = _open(day + _DAY, plan.weekdays, plan.closed)
    return day
