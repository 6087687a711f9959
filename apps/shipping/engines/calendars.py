"""Files of public holidays: iCalendar (RFC 5545) and CSV. Pure: text in, days out."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_FOLD = re.compile(r"\r?\n[ \t]")
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_ESCAPED = re.compile(r"\\([\\;,nN])")
# A longer event isn't a holiday, but a mistake or a season.
MAX_DAYS = 31


class CalendarError(ValueError):
    """The file can't be read as what it should be. `line` is where, from 1; 0 if nowhere."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)


@dataclass(frozen=True, slots=True)
class Day:
    """A holiday; of a region (ISO 3166-2 without the country) if it isn't the whole country's."""

    date: date
    name: str
    region: str = ""


def read_days(text: str) -> list[Day]:
    """The holidays of an iCalendar or CSV file, told apart by how they begin.

    CSV has a header with `date` (ISO 8601) and `name`, and may have `region`. Events of several
    days become several. Repeating events (RRULE) are refused: they name no dates.
    Raises CalendarError.
    """
    plain = text.removeprefix("\ufeff").lstrip()
    return list(_events(plain) if plain.startswith("BEGIN:VCALENDAR") else _rows(plain))


def _rows(text: str) -> Iterator[Day]:
    reader = csv.DictReader(text.splitlines())
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if not {"date", "name"} <= set(names):
        raise CalendarError("The first line must name the columns date and name.")
    reader.fieldnames = names
    for row in reader:
        values = {k: (row.get(k) or "").strip() for k in ("date", "name", "region")}
        if not any(values.values()):
            continue
        try:
            day = date.fromisoformat(values["date"])
        except ValueError as error:
            message = f"{values['date'][:20]!r} isn't a date."
            raise CalendarError(message, reader.line_num) from error
        yield _day(day, values["name"], values["region"].upper(), reader.line_num)


def _events(text: str) -> Iterator[Day]:
    event: dict[str, str] | None = None
    for number, line in enumerate(_FOLD.sub("", text).splitlines(), start=1):
        name, _, value = line.partition(":")
        name = name.partition(";")[0].upper()
        if line == "BEGIN:VEVENT":
            event = {}
        elif line == "END:VEVENT" and event is not None:
            yield from _days_of(event, number)
            event = None
        elif event is not None:
            event.setdefault(name, value)


def _days_of(event: dict[str, str], line: int) -> Iterator[Day]:
    if "RRULE" in event:
        raise CalendarError("Repeating events have no dates; export single ones.", line)
    first = _date(event.get("DTSTART", ""), line)
    # The end is the day after the last one.
    after = _date(event["DTEND"], line) if "DTEND" in event else first + timedelta(days=1)
    length = max((after - first).days, 1)
    if length > MAX_DAYS:
        raise CalendarError(f"An event lasts {length} days.", line)
    name = _ESCAPED.sub(lambda m: " " if m[1] in "nN" else m[1], event.get("SUMMARY", ""))
    for number in range(length):
        yield _day(first + timedelta(days=number), name.strip(), "", line)


def _date(value: str, line: int) -> date:
    match = _DATE.match(value)
    try:
        return date(*map(int, match.groups() if match else ()))
    except (TypeError, ValueError) as error:
        raise CalendarError(f"{value[:20]!r} isn't a date.", line) from error


def _day(day: date, name: str, region: str, line: int) -> Day:
    if not name or len(name) > 120 or len(region) > 3 or "\x00" in name + region:
        raise CalendarError("A holiday needs a name of at most 120 characters.", line)
    return Day(day, name, region)
