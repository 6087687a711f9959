"""When a parcel arrives."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.shipping.engines.estimates import Estimate, Plan, estimate

MADRID = ZoneInfo("Europe/Madrid")
AT_TWO = Plan(1, 2, cutoff=time(14))


def _at(text):
    return datetime.fromisoformat(text).replace(tzinfo=MADRID)


def _days(now, plan):
    found = estimate(_at(now), plan)
    return str(found.earliest), str(found.latest)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        # 2027-06-07 is a Monday.
        ("2027-06-07T13:59:59", ("2027-06-08", "2027-06-09")),
        ("2027-06-07T14:00", ("2027-06-09", "2027-06-10")),
        ("2027-06-10T13:00", ("2027-06-11", "2027-06-14")),
        ("2027-06-11T13:00", ("2027-06-14", "2027-06-15")),
        ("2027-06-11T14:00", ("2027-06-15", "2027-06-16")),
        ("2027-06-12T09:00", ("2027-06-15", "2027-06-16")),
        ("2027-06-13T23:59", ("2027-06-15", "2027-06-16")),
    ],
)
def test_cut_off_and_weekends(now, expected):
    assert _days(now, AT_TWO) == expected


def test_without_a_cut_off_today_counts():
    assert _days("2027-06-07T23:59", Plan(0, 1)) == ("2027-06-07", "2027-06-08")


def test_processing_days_come_first():
    plan = Plan(1, 1, cutoff=time(14), processing_days=2)
    assert _days("2027-06-10T10:00", plan) == ("2027-06-15", "2027-06-15")


def test_saturdays_may_be_worked():
    plan = Plan(1, 2, weekdays=frozenset(range(1, 7)))
    assert _days("2027-06-11T10:00", plan) == ("2027-06-12", "2027-06-14")


def test_year_end_and_holidays_where_it_leaves():
    # Christmas Day and New Year's Day are Fridays.
    holidays = frozenset({date(2026, 12, 25), date(2027, 1, 1)})
    plan = Plan(1, 3, time(14), holidays=holidays, closed=holidays)
    assert _days("2026-12-24T13:00", plan) == ("2026-12-28", "2026-12-30")
    assert _days("2026-12-24T15:00", plan) == ("2026-12-29", "2026-12-31")
    assert _days("2026-12-31T13:00", plan) == ("2027-01-04", "2027-01-06")


def test_holidays_where_it_goes_delay_the_arrival_alone():
    plan = Plan(1, 1, closed=frozenset({date(2027, 6, 8)}))
    assert _days("2027-06-07T10:00", plan) == ("2027-06-09", "2027-06-09")
    closed_today = Plan(0, 0, closed=frozenset({date(2027, 6, 7)}))
    assert _days("2027-06-07T10:00", closed_today) == ("2027-06-08", "2027-06-08")


@pytest.mark.parametrize(
    ("now", "earliest"),
    [
        # Clocks go forward on Sunday, 28 March 2027, and back on 31 October.
        (datetime(2027, 3, 26, 12, 59, tzinfo=UTC), "2027-03-29"),
        (datetime(2027, 3, 26, 13, 0, tzinfo=UTC), "2027-03-30"),
        (datetime(2027, 3, 29, 11, 59, tzinfo=UTC), "2027-03-30"),
        (datetime(2027, 3, 29, 12, 0, tzinfo=UTC), "2027-03-31"),
        (datetime(2027, 10, 29, 11, 59, tzinfo=UTC), "2027-11-01"),
        (datetime(2027, 11, 1, 12, 59, tzinfo=UTC), "2027-11-02"),
        (datetime(2027, 11, 1, 13, 0, tzinfo=UTC), "2027-11-03"),
    ],
)
def test_the_cut_off_is_by_the_clock_on_the_wall(now, earliest):
    assert str(estimate(now.astimezone(MADRID), AT_TWO).earliest) == earliest


def test_a_plan_without_weekdays_is_refused():
    with pytest.raises(ValueError, match="weekday"):
        estimate(_at("2027-06-07T10:00"), Plan(1, 2, weekdays=frozenset()))


days = st.dates(date(2027, 1, 1), date(2027, 12, 31))


@given(
    st.builds(datetime.combine, days, st.times(), st.just(MADRID)),
    st.builds(
        lambda low, more, processing, weekdays, holidays, cutoff: Plan(
            low, low + more, cutoff, processing, weekdays, holidays, holidays
        ),
        st.integers(0, 10),
        st.integers(0, 10),
        st.integers(0, 5),
        st.frozensets(st.integers(1, 7), min_size=1),
        st.frozensets(days, max_size=20),
        st.none() | st.times(),
    ),
)
def test_parcels_arrive_on_working_days_in_order(now, plan):
    found = estimate(now, plan)
    assert now.date() <= found.earliest <= found.latest
    for day in (found.earliest, found.latest):
        assert day.isoweekday() in plan.weekdays
        assert day not in plan.closed
    assert isinstance(found, Estimate)
