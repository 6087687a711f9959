"""Cells into values, and nothing guessed: what may mean two things is refused."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.core.money import MoneyError, to_minor
from apps.integrations.channels.base import Context, Refused, Row

# What an external id has room for.
MAX_SLUG = 150
# Grams in one unit: international avoirdupois pound, 1959.
_GRAMS = {
    "g": Decimal(1),
    "kg": Decimal(1000),
    "lb": Decimal("453.59237"),
    "lbs": Decimal("453.59237"),
    "oz": Decimal("28.349523125"),
}
_MILLIMETRES = {
    "mm": Decimal(1),
    "cm": Decimal(10),
    "m": Decimal(1000),
    "in": Decimal("25.4"),
    "yd": Decimal("914.4"),
}
_PLAIN = re.compile(r"\d{1,15}(\.\d{1,10})?", re.ASCII)
_COMMA = re.compile(r"\d{1,15},\d{1,10}", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d{1,10})?", re.ASCII)
_GROUPED_DOTS = re.compile(r"\d{1,3}(\.\d{3})+(,\d{1,10})?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,12}(\.0+)?", re.ASCII)
_UNSTORABLE_JSON = re.compile(r"[\ud800-\udfff]|(?<!\\)(?:\\\\)*\\u0000")
_ESCAPED = re.compile(r"\\([\\,>])")
_BETWEEN = {
    ",": re.compile(r"(?:[^\\,]|\\.?)+", re.DOTALL),
    ">": re.compile(r"(?:[^\\>]|\\.?)+", re.DOTALL),
}
_TRUE = frozenset({"true", "1", "yes", "y"})
_FALSE = frozenset({"false", "0", "no", "n"})
_SPACES = re.compile(r"[\s\u00a0\u202f']+")


def number(text: str, context: Context, column: str) -> Decimal:
    """A number of zero or more: 1234.5, 1,234.50, 1.234,50 or 12,5.

    "1,234" may be a thousand or one and a bit: refused, as is "1.234" in a file with semicolons.
    """
    text = _SPACES.sub("", text)
    if _PLAIN.fullmatch(text):
        if context.decimal_comma and _GROUPED_DOTS.fullmatch(text):
            raise Refused(_("May mean two numbers, write it without thousands: %s") % text, column)
        return Decimal(text)
    if "." in text and "," in text:
        if _GROUPED.fullmatch(text):
            return Decimal(text.replace(",", ""))
        if _GROUPED_DOTS.fullmatch(text):
            return Decimal(text.replace(".", "").replace(",", "."))
    elif _GROUPED.fullmatch(text) and text.count(",") > 1:
        return Decimal(text.replace(",", ""))
    elif _GROUPED_DOTS.fullmatch(text) and text.count(".") > 1:
        return Decimal(text.replace(".", ""))
    elif _COMMA.fullmatch(text):
        if _GROUPED.fullmatch(text):
            raise Refused(_("May mean two numbers, write it without thousands: %s") % text, column)
        return Decimal(text.replace(",", "."))
    raise Refused(_("Not a number: %s") % text[:40], column)


def money(text: str, context: Context, column: str, currency: str | None = None) -> int:
    """A price in minor units."""
    try:
        return to_minor(number(text, context, column), currency or context.currency)
    except MoneyError as error:
        raise Refused(str(error), column) from error


def price_of(row: Row, context: Context, key: str) -> int | None:
    """The price in a cell, None where it is blank."""
    text = row.text(key)
    return money(text, context, key) if text else None


def integer(text: str, column: str, *, negative: bool = False) -> int:
    """A whole number (12, also as 12.0)."""
    if not _INTEGER.fullmatch(text) or (text.startswith("-") and not negative):
        raise Refused(_("Not a whole number: %s") % text[:40], column)
    return int(text.partition(".")[0])


def pieces(text: str, column: str) -> int:
    """Stock. A shop that sold more than it had tells a negative number: nothing is there."""
    return max(0, integer(text, column, negative=True))


def boolean(text: str, column: str) -> bool | None:
    """TRUE, yes, 1 and their opposites; None for a blank cell."""
    word = text.casefold()
    if not word:
        return None
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Refused(_("Neither true nor false: %s") % text[:40], column)


def grams(text: str, unit: str, context: Context, column: str) -> int:
    """A weight in grams, to the nearest."""
    return _measure(text, _GRAMS, unit, context, column)


def millimetres(text: str, unit: str, context: Context, column: str) -> int:
    """A length in millimetres, to the nearest."""
    return _measure(text, _MILLIMETRES, unit, context, column)


def _measure(text: str, units: dict[str, Decimal], unit: str, context: Context, column: str) -> int:
    factor = units.get(unit.casefold())
    if factor is None:
        raise Refused(_("Unknown unit: %s") % unit[:20], column)
    exact = number(text, context, column) * factor
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def moment(text: str, column: str, *, end_of_day: bool = False) -> datetime | None:
    """A date or time; without a zone it is the shop's (TIME_ZONE). None for a blank cell."""
    if not text:
        return None
    try:
        day = parse_date(text) if len(text) <= 10 else None
        value = parse_datetime(text) if day is None else None
    except ValueError:
        day = value = None
    if day is not None:
        value = datetime.combine(day, time.max.replace(microsecond=0) if end_of_day else time.min)
    if value is None:
        raise Refused(_("Not a date: %s") % text[:40], column)
    if value.tzinfo is None:
        value = value.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))
    return value.astimezone(UTC)


def country(text: str, column: str) -> str:
    """An ISO 3166-1 code in capitals."""
    return text.upper()


def json_object(text: str, column: str) -> dict[str, Any]:
    """A JSON object."""
    value = json_value(text, column)
    if not isinstance(value, dict):
        raise Refused(_("A JSON object is expected."), column)
    return value


def json_value(text: str, column: str) -> Any:
    """JSON, without what a database can't keep: NUL, half characters, infinity."""
    try:
        value = json.loads(text)
        storable = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise Refused(_("This isn't JSON."), column) from error
    if _UNSTORABLE_JSON.search(storable):
        raise Refused(_("It has a character that can't be stored."), column)
    return value


def _parts(text: str, separator: str) -> list[str]:
    """What stands between separators; one behind a backslash is none."""
    return [part for part in map(str.strip, _BETWEEN[separator].findall(text)) if part]


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def words(text: str) -> list[str]:
    """A list with commas ("a, b, c\\, d"), each entry once."""
    return list(dict.fromkeys(map(_plain, _parts(text, ","))))


def path(text: str) -> tuple[str, ...]:
    """ "A > B > C" as a path."""
    return tuple(map(_plain, _parts(text, ">")))


def paths(text: str) -> list[tuple[str, ...]]:
    """ "A > B, C" as paths."""
    return list(dict.fromkeys(map(path, _parts(text, ","))))


def joined(parts: Iterable[str], separator: str) -> str:
    """A list or path that is read as what it was."""
    return separator.join(re.sub(r"([\\,>])", r"\\\1", part) for part in parts)


def slug_of(text: str) -> str:
    """A slug that is the text itself if it can be, else made of it and unmistakably its own."""
    wanted = text.strip().lower()
    slug = slugify(wanted)
    if slug == wanted and len(slug) <= MAX_SLUG:
        return slug
    code = hashlib.sha256(wanted.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug[: MAX_SLUG - 9]}-{code}".lstrip("-")
