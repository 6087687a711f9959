"""Which rates of a table apply at a place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.taxes.engines.territories import Territory


@dataclass(frozen=True, slots=True)
class PlaceRate:
    """One row of the table. Rates of different levels add up; of one level the closest counts.

    `applies` is "all", "same_region" (as the seller's: India's CGST and SGST) or "other_region"
    (IGST).
    """

    tax_class: str
    country: str
    region: str
    name: str
    percent: Decimal
    valid_from: date | None = None
    valid_to: date | None = None
    level: str = "country"
    postcode_from: str = ""
    postcode_to: str = ""
    applies: str = "all"

    def is_valid(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on <= self.valid_to
        )

    def region_fits(self, region: str, seller_region: str) -> bool:
        """Whether it applies between these two regions of the country."""
        if self.applies == "all":
            return True
        return (region == seller_region) == (self.applies == "same_region")

    def closeness(self, place: Territory) -> int | None:
        """How closely it names the place: 0 its country, 1 its region, 2 its postcode; or None."""
        if self.region not in ("", place.region):
            return None
        if self.postcode_from:
            until = self.postcode_to or self.postcode_from
            code = place.postal_code[: len(self.postcode_from)]
            return 2 if code and self.postcode_from <= code <= until else None
        return 1 if self.region else 0


def due(
    rows: Iterable[PlaceRate], *, place: Territory, on: date, seller_region: str = ""
) -> Mapping[str, tuple[PlaceRate, ...]]:
    """The rates of each tax class at a place on a day.

    At a place that its country's tax doesn't reach only rows that name it apply.
    """
    found: dict[str, dict[str, tuple[int, list[PlaceRate]]]] = {}
    for row in rows:
        closeness = row.closeness(place)
        same = row.region_fits(place.region, seller_region)
        if row.country != place.country or closeness is None or not same or not row.is_valid(on):
            continue
        if place.excluded and closeness == 0:
            continue
        levels = found.setdefault(row.tax_class, {})
        best, rates = levels.get(row.level, (-1, []))
        if closeness > best:
            levels[row.level] = closeness, [row]
        elif closeness == best:
            rates.append(row)
    return {
        tax_class: tuple(rate for _closeness, rates in levels.values() for rate in rates)
        for tax_class, levels in found.items()
    }
