"""Writes of duty rates and thresholds, and their import from files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.addresses import is_country
from apps.core.audit import assign, note
from apps.core.errors import Conflict, DomainError
from apps.shipping.engines.duties import digits
from apps.shipping.models import DutyRate, DutyThreshold
from apps.shipping.selectors.duties import EU
from apps.shipping.services.holidays import Imported

MAX_DUTY_FILE = 5 * 1024 * 1024
MAX_BASIS_POINTS = 100_000
_COLUMNS = ("country", "region", "hs_prefix", "origin", "percent")
_NEEDED = {"country", "percent"}
_REGION = re.compile(r"[A-Z0-9]{0,3}")
_Row = DutyRate | DutyThreshold


class InvalidDuty(DomainError):
    """`extra["line"]` is the line of a file, as a text editor counts."""

    code = "invalid_duty"
    message = _("A duty rate has a destination (ISO country, or EU) and digits of an HS code.")


class DutyTaken(Conflict):
    code = "duty_exists"
    message = _("There is one for this already.")


def check_duty(*, row: _Row) -> None:
    """Raises InvalidDuty for a place, origin, HS code or rate that can't be one."""
    if row.country != EU and not is_country(row.country):
        raise InvalidDuty(field="country")
    if not _REGION.fullmatch(row.region) or (row.country == EU and row.region):
        raise InvalidDuty(field="region")
    if isinstance(row, DutyThreshold):
        return
    if row.origin and not is_country(row.origin):
        raise InvalidDuty(field="origin")
    if len(row.hs_prefix) > 10 or digits(row.hs_prefix) != row.hs_prefix:
        raise InvalidDuty(field="hs_prefix")
    if not 0 <= row.basis_points <= MAX_BASIS_POINTS:
        raise InvalidDuty(field="basis_points")


@transaction.atomic
def save_duty(*, row: _Row, changes: Mapping[str, Any]) -> _Row:
    """Make a duty rate or a threshold, or change it. Raises InvalidDuty and DutyTaken."""
    adding = row._state.adding
    before = assign(row, changes)
    check_duty(row=row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise DutyTaken(field="country") from error
    note(row, adding, before, changes)
    return row


@transaction.atomic
def delete_duty(*, row: _Row) -> None:
    """Delete a duty rate or a threshold: estimates don't know it any more."""
    audit.record("delete", row)
    row.delete()


@transaction.atomic
def import_duties(*, body: bytes, dry_run: bool = False) -> Imported:
    """Take the duty rates of a CSV file (UTF-8): country, region, hs_prefix, origin, percent.

    What is there already and not in the file stays; a second run changes nothing. Raises
    InvalidDuty, and takes nothing of the file then.
    """
    if len(body) > MAX_DUTY_FILE:
        raise InvalidDuty(_("The file is too large."), field="file")
    try:
        wanted = {_key(row): row for row in _read(body.decode("utf-8-sig"))}
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidDuty(str(error), field="file") from error
    countries = {row.country for row in wanted.values()}
    found = {_key(row): row for row in DutyRate.objects.filter(country__in=countries)}
    new = [row for key, row in wanted.items() if key not in found]
    changed = [
        (found[key], row.basis_points)
        for key, row in wanted.items()
        if key in found and found[key].basis_points != row.basis_points
    ]
    if not dry_run:
        DutyRate.objects.bulk_create(new, batch_size=500)
        for row, basis_points in changed:
            save_duty(row=row, changes={"basis_points": basis_points})
    return Imported(len(new), len(changed), len(wanted) - len(new) - len(changed))


def _key(row: DutyRate) -> tuple[str, ...]:
    return (row.country, row.region, row.hs_prefix, row.origin)


def _read(text: str) -> Iterator[DutyRate]:
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    header = set(reader.fieldnames or ())
    if not _NEEDED <= header <= set(_COLUMNS):
        raise InvalidDuty(_("The file needs the columns country and percent."), field="file")
    seen: set[tuple[str, ...]] = set()
    for cells in reader:
        try:
            row = _row({name: (cells.get(name) or "").strip() for name in _COLUMNS})
            if None in cells or _key(row) in seen:
                raise InvalidDuty(_("The row has too many cells, or was there already."))
        except InvalidDuty as error:
            raise InvalidDuty(
                _("Line %(line)d: %(reason)s") % {"line": reader.line_num, "reason": error},
                field="file",
                extra={"line": reader.line_num},
            ) from error
        seen.add(_key(row))
        yield row


def _row(cells: Mapping[str, str]) -> DutyRate:
    try:
        points = Decimal(cells["percent"].removesuffix("%").strip()) * 100
    except InvalidOperation as error:
        raise InvalidDuty(_("The percentage isn't a number."), field="percent") from error
    if not points.is_finite() or points != points.to_integral_value():
        raise InvalidDuty(_("A percentage has two decimals at most."), field="percent")
    row = DutyRate(
        country=cells["country"].upper(),
        region=cells["region"].upper(),
        hs_prefix=cells["hs_prefix"].replace(".", "").replace(" ", ""),
        origin=cells["origin"].upper(),
        basis_points=int(points),
    )
    check_duty(row=row)
    return row
