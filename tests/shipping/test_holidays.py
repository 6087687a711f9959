"""Holidays: their files, and what they do to estimates."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.shipping.engines.calendars import CalendarError, Day, read_days
from apps.shipping.engines.estimates import Estimate
from apps.shipping.models import Holiday
from apps.shipping.selectors import estimate_for, methods_to
from apps.shipping.services import MAX_FILE, Imported, InvalidHoliday, import_holidays
from tests.factories.shipping import (
    HolidayFactory,
    ShippingMethodFactory,
    ShippingRateFactory,
    ZoneFactory,
)

CSV = "date,name,region\n2027-01-06,Epifanía del Señor,\n\n2027-09-11,Diada,ct\n"
ICS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20270106\r
DTEND;VALUE=DATE:20270107\r
SUMMARY;LANGUAGE=es:Epifanía\\, o Día\r
  de Reyes\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART:20271225T000000Z\r
SUMMARY:Navidad\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20271230\r
DTEND;VALUE=DATE:20280102\r
SUMMARY:Fin de año\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_csv_is_read():
    assert read_days("\ufeff" + CSV) == [
        Day(date(2027, 1, 6), "Epifanía del Señor"),
        Day(date(2027, 9, 11), "Diada", "CT"),
    ]


def test_icalendar_is_read():
    assert read_days(ICS) == [
        Day(date(2027, 1, 6), "Epifanía, o Día de Reyes"),
        Day(date(2027, 12, 25), "Navidad"),
        Day(date(2027, 12, 30), "Fin de año"),
        Day(date(2027, 12, 31), "Fin de año"),
        Day(date(2028, 1, 1), "Fin de año"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "day,name\n2027-01-06,x\n",
        "date,name\n06/01/2027,x\n",
        "date,name\n2027-01-06,\n",
        "date,name,region\n2027-01-06,x,Canarias\n",
        ICS.replace("20270106", "20271306"),
        ICS.replace("DTEND;VALUE=DATE:20280102", "DTEND;VALUE=DATE:20290102"),
        ICS.replace("SUMMARY:Navidad", "SUMMARY:Navidad\r\nRRULE:FREQ=YEARLY"),
    ],
)
def test_what_is_no_calendar_is_refused(text):
    with pytest.raises(CalendarError):
        read_days(text)


def test_an_import_twice_changes_nothing(db):
    HolidayFactory(name="Reyes")
    HolidayFactory(country="FR")
    body = CSV.encode()
    assert import_holidays(country="ES", body=body, dry_run=True) == Imported(1, 1, 0)
    assert Holiday.objects.count() == 2
    assert import_holidays(country="ES", body=body) == Imported(1, 1, 0)
    assert import_holidays(country="ES", body=body) == Imported(0, 0, 2)
    rows = Holiday.objects.filter(country="ES").values_list("region", "name")
    assert list(rows) == [("", "Epifanía del Señor"), ("CT", "Diada")]


@pytest.mark.parametrize(
    ("country", "region", "body"),
    [
        ("XX", "", CSV.encode()),
        ("ES", "Canarias", CSV.encode()),
        ("ES", "", b"\xff"),
        ("ES", "", b"date,name\n"[:3]),
        ("ES", "", b"x" * (MAX_FILE + 1)),
    ],
)
def test_an_import_takes_all_or_nothing(db, country, region, body):
    with pytest.raises(InvalidHoliday):
        import_holidays(country=country, region=region, body=body)
    assert not Holiday.objects.exists()


def test_the_command_imports_a_file(db, tmp_path, capsys):
    file = tmp_path / "days.ics"
    file.write_text(ICS)
    call_command("import_holidays", file, "--country", "es", "--region", "md", "--dry-run")
    call_command("import_holidays", file, "--country", "es", "--region", "md")
    assert capsys.readouterr().out.splitlines() == [
        "5 created, 0 updated, 0 unchanged (dry run: nothing written)",
        "5 created, 0 updated, 0 unchanged",
    ]
    assert set(Holiday.objects.values_list("country", "region")) == {("ES", "MD")}
    with pytest.raises(CommandError):
        call_command("import_holidays", tmp_path / "none.ics", "--country", "ES")


# A Monday, 13:30 in Madrid.
AT = datetime(2027, 6, 7, 11, 30, tzinfo=UTC)


@pytest.fixture
def madrid(store):
    store.time_zone = "Europe/Madrid"
    store.save()
    return store


def _method(store, *places, **options):
    zone = ZoneFactory(places=list(places) or ["*"])
    method = ShippingMethodFactory(
        store=store, zone=zone, **{"min_days": 1, "max_days": 2, "cutoff_time": time(14), **options}
    )
    ShippingRateFactory(method=method)
    return method


def _estimates(store, at=AT, **address):
    methods = methods_to(store=store, currency="EUR", address={"country": "ES", **address})
    return [estimate_for(method, at) for method in methods]


def _days(first, last):
    return Estimate(date(2027, 6, first), date(2027, 6, last))


def test_estimates_are_in_the_time_of_the_store(madrid):
    _method(madrid)
    assert _estimates(madrid) == [_days(8, 9)]
    assert _estimates(madrid, AT.replace(hour=12)) == [_days(9, 10)]
    # It is Tuesday in Madrid already.
    assert _estimates(madrid, AT.replace(hour=22, minute=30)) == [_days(9, 10)]


def test_holidays_of_the_store_and_of_the_address_count(madrid):
    _method(madrid)
    HolidayFactory(date=date(2027, 6, 8), country="PT")
    HolidayFactory(date=date(2027, 6, 9), country="ES", region="GC")
    assert _estimates(madrid) == [_days(8, 9)]
    assert _estimates(madrid, region="GC") == [_days(8, 10)]
    assert _estimates(madrid, country="PT") == [_days(9, 10)]
    HolidayFactory(date=date(2027, 6, 7), country="ES")
    assert _estimates(madrid, country="PT") == [_days(9, 10)]
    assert _estimates(madrid) == [_days(9, 10)]


def test_estimates_cost_one_query_for_all_methods(madrid, django_assert_num_queries):
    for number in range(4):
        _method(madrid, max_days=2 + number)
    methods = methods_to(store=madrid, currency="EUR", address={"country": "ES"})
    with django_assert_num_queries(1):
        found = [estimate_for(method, AT).latest.day for method in methods]
    assert found == [9, 10, 11, 14]


def test_a_method_by_itself_has_an_estimate(madrid):
    method = _method(madrid, processing_days=1)
    HolidayFactory(date=date(2027, 6, 8))
    assert estimate_for(method, AT) == _days(10, 11)
