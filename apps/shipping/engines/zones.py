"""Which patterns of places an address fits, and how closely. Pure: no database, no settings.

A pattern is one of: `*` (everywhere else); a country `ES` (ISO 3166-1 alpha-2); a region `ES-GC`
(ISO 3166-2); postcodes of a country: one `ES:35001`, all that begin alike `GB:BT*`, or a range
`ES:35000-35999`. Postcodes are compared without blanks and hyphens, in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

EVERYWHERE = "*"
_COUNTRY = re.compile(r"[A-Z]{2}")
_REGION = re.compile(r"([A-Z]{2})-([A-Z0-9]{1,3})")
_CODE = re.compile(r"[A-Z0-9]{1,10}")
_BLANKS = re.compile(r"[\s-]+")
MAX_PATTERN = 40


class Level(IntEnum):
    """How closely a pattern names an address: the highest wins."""

    NOWHERE = 0
    EVERYWHERE = 1
    COUNTRY = 2
    REGION = 3
    POSTCODE = 4


class PatternError(ValueError):
    """This isn't a pattern. `code` tells why: unknown_place, invalid_region, invalid_postcodes
    or reversed_range.
    """

    def __init__(self, code: str, pattern: str) -> None:
        super().__init__(f"{code}: {pattern[:MAX_PATTERN]}")
        self.code, self.pattern = code, pattern[:MAX_PATTERN]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something goes. `region` is ISO 3166-2 without the country."""

    country: str
    region: str = ""
    postal_code: str = ""

    @classmethod
    def of(cls, address: Mapping[str, str]) -> Place:
        """The place of an address: its country, region and postcode, normalised."""
        country = str(address.get("country") or "").strip().upper()
        region = str(address.get("region") or "").strip().upper().removeprefix(f"{country}-")
        return cls(country, region, postcode(country, str(address.get("postal_code") or "")))


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, read. `low` to `high` are postcodes; all codes beginning so, if `open_end`."""

    level: Level
    country: str = ""
    region: str = ""
    low: str = ""
    high: str = ""
    open_end: bool = False

    def __str__(self) -> str:
        if self.level is Level.POSTCODE:
            codes = f"{self.low}*" if self.open_end else self.low
            return f"{self.country}:{codes if self.low == self.high else f'{codes}-{self.high}'}"
        if self.level is Level.REGION:
            return f"{self.country}-{self.region}"
        return self.country or EVERYWHERE

    def fits(self, place: Place) -> bool:
        """Whether the place lies within the pattern."""
        if self.level is Level.EVERYWHERE:
            return True
        if self.country != place.country:
            return False
        if self.level is Level.COUNTRY:
            return True
        if self.level is Level.REGION:
            return self.region == place.region
        if self.open_end:
            return place.postal_code.startswith(self.low)
        same_length = len(place.postal_code) == len(self.low)
        return same_length and self.low <= place.postal_code <= self.high


def postcode(country: str, code: str) -> str:
    """A postcode as it is compared: capitals, without blanks and hyphens.

    Of the United States' ZIP+4 only the five digits of the ZIP code stay, which name the place.
    """
    plain = _BLANKS.sub("", code).upper()
    return plain[:5] if country == "US" and plain.isdigit() else plain


@lru_cache(maxsize=10_000)
def parse(text: str) -> Pattern:
    """Read a pattern, in any case. Raises PatternError.

    A hyphen between codes of one length makes a range (35000-35999); any other stands within a
    postcode (PL:00-950). `..` always makes a range: PT:9000-000..9999-999. Whether the country
    exists is the caller's question.
    """
    typed = text.strip().upper()
    if typed == EVERYWHERE:
        return Pattern(Level.EVERYWHERE)
    if len(typed) > MAX_PATTERN:
        raise PatternError("unknown_place", text)
    country, colon, codes = typed.partition(":")
    if colon:
        if not _COUNTRY.fullmatch(country):
            raise PatternError("unknown_place", text)
        return _postcodes(country, codes.strip(), text)
    if _COUNTRY.fullmatch(typed):
        return Pattern(Level.COUNTRY, typed)
    if match := _REGION.fullmatch(typed):
        return Pattern(Level.REGION, match[1], match[2])
    raise PatternError("invalid_region" if "-" in typed else "unknown_place", text)


def _postcodes(country: str, codes: str, text: str) -> Pattern:
    open_end = codes.endswith("*")
    ends = [codes.removesuffix("*")]
    low, dots, high = codes.partition("..")
    left, hyphen, right = codes.partition("-")
    if dots:
        ends = [low, high]
    elif hyphen and len(left.strip()) == len(right.removesuffix("*").strip()):
        ends = [left, right]
    ends = [postcode(country, end) for end in ends]
    if not all(_CODE.fullmatch(end) for end in ends) or len(ends[0]) != len(ends[-1]):
        raise PatternError("invalid_postcodes", text)
    if ends[0] > ends[-1]:
        raise PatternError("reversed_range", text)
    return Pattern(Level.POSTCODE, country, "", ends[0], ends[-1], open_end)


def level(patterns: Iterable[str], place: Place, exclusions: Iterable[str] = ()) -> Level:
    """How closely the patterns name the place; NOWHERE if none does, or an exclusion does.

    Raises PatternError for what isn't a pattern.
    """
    if any(parse(text).fits(place) for text in exclusions):
        return Level.NOWHERE
    found = [pattern.level for pattern in map(parse, patterns) if pattern.fits(place)]
    return max(found, default=Level.NOWHERE)
