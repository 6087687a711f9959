"""Tax rates imported from files: our own columns, or those of WooCommerce's export."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.locks import locked
from apps.taxes.engines.territories import normalised_postcode
from apps.taxes.models import TaxClass, TaxRate
from apps.taxes.services.rates import InvalidTaxRate, check_rate

# Rates that come with the application, by name.
BUNDLED = {
    name: Path(__file__).parents[1] / "data" / f"{name}.csv"
    for name in ("eu", "us", "ca", "in", "world")
}
_BATCH = 500
_COLUMNS = (
    *("country", "region", "postcode_from", "postcode_to", "level", "applies"),
    *("class", "name", "percent", "valid_from", "valid_to", "source"),
)
_NEEDED = {"country", "class", "name", "percent"}
_WOOCOMMERCE = {
    "country": ("Country Code", "Country code"),
    "region": ("State Code", "State code"),
    "postcode_from": ("ZIP/Postcode", "Postcode / ZIP"),
    "city": ("City",),
    "percent": ("Rate %",),
    "name": ("Tax Name", "Tax name"),
    "priority": ("Priority",),
    "compound": ("Compound",),
    "class": ("Tax Class", "Tax class"),
}
_WOOCOMMERCE_CLASSES = {"": "standard", "reduced-rate": "reduced"}
_LEVELS = {"2": "county", "3": "city", "4": "special"}
# What a row changes in the rate that it names.
_CHANGES = ("percent", "valid_to", "source")
# Control characters; what isn't UTF-8 was read as surrogates.
_UNREADABLE = re.compile("[\x00-\x1f\ud800-\udfff]")

Key = tuple[Any, ...]


class InvalidTaxFile(DomainError):
    code = "invalid_tax_file"
    message = _("This file doesn't have the columns of tax rates.")


@dataclass(frozen=True, slots=True)
class RateRow:
    """One rate as a file writes it; `cells` by our columns, or `broken`: why there are none."""

    line: int
    cells: Mapping[str, str]
    broken: Any = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class RefusedRate:
    """`line` as a text editor counts, `column` by our names or "", and the reason."""

    line: int
    column: str
    reason: str


@dataclass(slots=True)
class TaxRatesImport:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0


def read_rates(lines: Iterable[str]) -> Iterator[RateRow]:
    """The rates of a CSV file, one after the other. Raises InvalidTaxFile for a wrong header."""
    reader = csv.reader(lines)
    try:
        header = [cell.strip() for cell in next(reader, [])]
    except csv.Error as error:
        raise InvalidTaxFile() from error
    woocommerce = "Rate %" in header
    if not woocommerce and not (_NEEDED <= set(header) <= set(_COLUMNS)):
        raise InvalidTaxFile()
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RateRow(reader.line_num, {}, str(error))
            continue
        if not any(cells):
            continue
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        if len(cells) != len(header):
            reason = _("The row has more or fewer cells than the header.")
            yield RateRow(reader.line_num, {}, reason)
        elif woocommerce:
            yield from _from_woocommerce(reader.line_num, row)
        else:
            yield RateRow(reader.line_num, row)


def _from_woocommerce(line: int, row: Mapping[str, str]) -> Iterator[RateRow]:
    """The rates of a row of WooCommerce's: one for each of its postcodes.

    https://woocommerce.com/document/setting-up-taxes-in-woocommerce/ : an asterisk is everywhere
    or any ending, "..." a range; rates of different priorities add up. Which rates shipping bears
    is the store's setting here.
    """
    found = {
        ours: next((row[name] for name in names if name in row), "")
        for ours, names in _WOOCOMMERCE.items()
    }
    place = {name: "" if found[name] == "*" else found[name] for name in ("country", "region")}
    if found["compound"] not in ("", "0"):
        reason = _("Taxes on taxes (compound rates) aren't supported.")
        yield RateRow(line, {}, reason, "Compound")
        return
    if found["city"] not in ("", "*"):
        reason = _("Cities aren't known by name: give their postcodes.")
        yield RateRow(line, {}, reason, "City")
        return
    first = "state" if place["region"] else "country"
    tax_class = found["class"]
    cells = {
        **place,
        "level": first if found["priority"] in ("", "1") else _LEVELS.get(found["priority"], "?"),
        "class": _WOOCOMMERCE_CLASSES.get(tax_class, slugify(tax_class)),
        "name": found["name"],
        "percent": found["percent"],
    }
    for code in found["postcode_from"].split(";"):
        low, _dots, high = (part.strip() for part in code.partition("..."))
        low = low if high else low.removesuffix("*")
        if "*" in low + high:
            reason = _("An asterisk stands at the end of a postcode only.")
            yield RateRow(line, {}, reason, "ZIP/Postcode")
            continue
        yield RateRow(line, {**cells, "postcode_from": low, "postcode_to": high})


def import_rates(
    *,
    rows: Iterable[RateRow],
    dry_run: bool = False,
    on_refusal: Callable[[RefusedRate], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> TaxRatesImport:
    """Keep the rates of a file; one bad row never stops the others. Safe to run again.

    A row of the same class, place, level, reach, name and first day as a rate of the table changes
    that rate's percent, last day and source. Classes that aren't there are made. Batches of 500
    rows, each in its own transaction: interrupted, it is run again. `on_refusal` gets each row
    that wasn't taken, `on_progress` the number of rows so far. A dry run only counts.

    Raises InvalidTaxFile if `read_rates()` does.
    """
    done, seen, total = TaxRatesImport(), set[Key](), 0
    rest = iter(rows)
    while batch := list(islice(rest, _BATCH)):
        rates: list[TaxRate] = []
        for row in batch:
            try:
                rate = _rate(row)
                if _key(rate) in seen:
                    raise InvalidTaxRate(_("The file has this rate already."))
            except (InvalidTaxRate, ValidationError) as error:
                done.refused += 1
                if on_refusal:
                    on_refusal(_refusal(row, error))
                continue
            seen.add(_key(rate))
            rates.append(rate)
        _keep(rates, done, dry_run=dry_run)
        total += len(batch)
        if on_progress:
            on_progress(total)
    return done


def _rate(row: RateRow) -> TaxRate:
    """A row as a rate whose class has only its code yet."""
    if row.broken:
        raise InvalidTaxRate(row.broken, field=row.column)
    for column, text in row.cells.items():
        if _UNREADABLE.search(text):
            raise InvalidTaxRate(_("The text has unreadable characters."), field=column)
    values: dict[str, Any] = {name: row.cells.get(name, "") for name in _COLUMNS}
    code = values.pop("class")
    tax_class = TaxClass(code=code, name=code.replace("-", " ").capitalize())
    tax_class.clean_fields()
    for name in ("country", "region"):
        values[name] = values[name].upper()
    for name in ("postcode_from", "postcode_to"):
        values[name] = normalised_postcode(values[name])
    for name in ("valid_from", "valid_to"):
        values[name] = values[name] or None
    values["level"] = values["level"] or TaxRate.Level.COUNTRY.value
    values["applies"] = values["applies"] or TaxRate.Applies.ALL.value
    rate = TaxRate(tax_class=tax_class, **values)
    rate.clean_fields(exclude={"tax_class"})
    try:
        MinValueValidator(0)(rate.percent)
        MaxValueValidator(100)(rate.percent)
    except ValidationError as error:
        raise ValidationError({"percent": error.messages}) from error
    check_rate(rate)
    return rate


def _key(rate: TaxRate) -> Key:
    place = (rate.country, rate.region, rate.postcode_from, rate.postcode_to)
    return (rate.tax_class.code, *place, rate.level, rate.applies, rate.valid_from, rate.name)


def _refusal(row: RateRow, error: InvalidTaxRate | ValidationError) -> RefusedRate:
    if isinstance(error, InvalidTaxRate):
        return RefusedRate(row.line, error.field or "", str(error))
    column, messages = next(iter(error.message_dict.items()))
    return RefusedRate(row.line, "class" if column == "code" else column, messages[0])


@transaction.atomic
def _keep(rates: list[TaxRate], done: TaxRatesImport, *, dry_run: bool) -> None:
    """Write a batch (count only, if dry), in as many queries for 500 rows as for one."""
    classes = _classes({rate.tax_class.code: rate.tax_class for rate in rates})
    known: dict[Key, TaxRate] = {}
    found = TaxRate.objects.filter(
        tax_class__in=classes.values(),
        country__in={rate.country for rate in rates},
        region__in={rate.region for rate in rates},
        postcode_from__in={rate.postcode_from for rate in rates},
    ).select_related("tax_class")
    for rate in found.order_by("pk"):
        known.setdefault(_key(rate), rate)
    created, updated = [], []
    for rate in rates:
        old = known.get(_key(rate))
        if old is None:
            rate.tax_class = classes[rate.tax_class.code]
            created.append(rate)
        elif any(getattr(old, name) != getattr(rate, name) for name in _CHANGES):
            for name in _CHANGES:
                setattr(old, name, getattr(rate, name))
            old.updated_at = timezone.now()
            updated.append(old)
    TaxRate.objects.bulk_create(created)
    TaxRate.objects.bulk_update(updated, [*_CHANGES, "updated_at"])
    done.created += len(created)
    done.updated += len(updated)
    done.unchanged += len(rates) - len(created) - len(updated)
    transaction.set_rollback(dry_run)


def _classes(wanted: Mapping[str, TaxClass]) -> dict[str, TaxClass]:
    """The classes by code, made where missing, and locked: two imports don't make a rate twice."""
    TaxClass.objects.bulk_create(wanted.values(), ignore_conflicts=True)
    found = locked(TaxClass.objects.filter(code__in=wanted))
    return {tax_class.code: tax_class for tax_class in found}
