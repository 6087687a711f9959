"""Writes of holidays, and their import from files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.addresses import is_country
from apps.core.audit import assign, note
from apps.core.errors import Conflict, DomainError
from apps.shipping.engines.calendars import CalendarError, Day, read_days
from apps.shipping.models import Holiday

MAX_FILE = 1024 * 1024
_REGION = re.compile(r"[A-Z0-9]{0,3}")


class HolidayTaken(Conflict):
    code = "holiday_exists"
    message = _("The place has a holiday on this day already.")


class InvalidHoliday(DomainError):
    code = "invalid_holiday"
    message = _("A holiday has an ISO country, and may have a region of it.")


@dataclass(frozen=True, slots=True)
class Imported:
    """How many holidays of a file were new, had another name, or were there already."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def check_holiday(*, holiday: Holiday) -> None:
    """Raises InvalidHoliday for a country or region that can't be one."""
    if not is_country(holiday.country):
        raise InvalidHoliday(field="country")
    if not _REGION.fullmatch(holiday.region):
        raise InvalidHoliday(field="region")


@transaction.atomic
def save_holiday(*, holiday: Holiday, changes: Mapping[str, Any]) -> Holiday:
    """Make a holiday, or change it. Raises InvalidHoliday and HolidayTaken."""
    adding = holiday._state.adding
    before = assign(holiday, changes)
    check_holiday(holiday=holiday)
    try:
        with transaction.atomic():
            holiday.save()
    except IntegrityError as error:
        raise HolidayTaken(field="date") from error
    note(holiday, adding, before, changes)
    return holiday


@transaction.atomic
def delete_holiday(*, holiday: Holiday) -> None:
    """Delete a holiday: parcels leave and arrive on it again."""
    audit.record("delete", holiday)
    holiday.delete()


@transaction.atomic
def import_holidays(
    *, country: str, body: bytes, region: str = "", dry_run: bool = False
) -> Imported:
    """Take the days of an iCalendar or CSV file (UTF-8) as holidays of a country.

    `region` stands for rows that name none. What is there already and not in the file stays;
    a second run changes nothing. Raises InvalidHoliday, and takes nothing of the file then.
    """
    if len(body) > MAX_FILE:
        raise InvalidHoliday(_("The file is too large."), field="file")
    try:
        days = read_days(body.decode())
    except (UnicodeDecodeError, CalendarError) as error:
        raise InvalidHoliday(str(error), field="file") from error
    wanted = {(day.date, day.region or region): day for day in days}
    for where in {key[1] for key in wanted} | {region}:
        check_holiday(holiday=Holiday(country=country, region=where))
    found = {
        (holiday.date, holiday.region): holiday
        for holiday in Holiday.objects.filter(country=country, date__in={d for d, _r in wanted})
    }
    return _take(country, wanted, found, dry_run)


def _take(
    country: str, wanted: Mapping[Any, Day], found: Mapping[Any, Holiday], dry_run: bool
) -> Imported:
    new = [
        Holiday(country=country, region=region, date=day, name=wanted[day, region].name)
        for day, region in wanted.keys() - found.keys()
    ]
    renamed = [found[k] for k in wanted.keys() & found.keys() if found[k].name != wanted[k].name]
    if not dry_run:
        Holiday.objects.bulk_create(new)
        for holiday in renamed:
            name = wanted[holiday.date, holiday.region].name
            save_holiday(holiday=holiday, changes={"name": name})
    return Imported(len(new), len(renamed), len(wanted) - len(new) - len(renamed))
