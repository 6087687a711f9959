"""When what a method ships arrives."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Q

from apps.shipping.engines.estimates import Estimate, Plan, estimate
from apps.shipping.engines.zones import Place
from apps.shipping.models import Holiday, ShippingMethod

# Holidays later than this don't change an estimate that anybody reads.
_AHEAD = timedelta(days=400)


class Calendar:
    """The holidays where parcels leave and where they go; one query, when it is first asked."""

    def __init__(self, origin: str, place: Place) -> None:
        self._origin, self._place = origin, place
        self._since: date | None = None
        self._days: tuple[frozenset[date], frozenset[date]] = (frozenset(), frozenset())

    def since(self, day: date) -> tuple[frozenset[date], frozenset[date]]:
        """The days from then on: where parcels leave (the whole country's), where they go."""
        if self._since != day:
            self._since, self._days = day, self._load(day)
        return self._days

    def _load(self, day: date) -> tuple[frozenset[date], frozenset[date]]:
        here = Q(country=self._origin, region="")
        there = Q(country=self._place.country, region__in=("", self._place.region))
        rows = Holiday.objects.filter(here | there, date__gte=day, date__lte=day + _AHEAD)
        found = list(rows.values_list("date", "country", "region"))
        return (
            frozenset(d for d, country, region in found if (country, region) == (self._origin, "")),
            frozenset(d for d, country, _region in found if country == self._place.country),
        )


def estimate_for(method: ShippingMethod, at: datetime) -> Estimate:
    """When something ordered at `at` (aware) arrives, in days of the store's time zone.

    For all methods of one `methods_to()` together one query, as they share their calendar.
    Without it the country's own holidays count at both ends.
    """
    local = at.astimezone(method.store.zone)
    calendar = getattr(method, "calendar", None)
    if calendar is None:
        country = method.store.country
        method.calendar = calendar = Calendar(country, Place(country))
    holidays, closed = calendar.since(local.date())
    plan = Plan(
        min_days=method.min_days,
        max_days=method.max_days,
        cutoff=method.cutoff_time,
        processing_days=method.processing_days,
        weekdays=frozenset(method.weekdays),
        holidays=holidays,
        closed=closed,
    )
    return estimate(local, plan)
