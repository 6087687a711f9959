"""Which tax territory an address lies in. Pure.

Council Directive 2006/112/EC, articles 5 to 7, and the Protocol on Northern Ireland: parts of
Member States that the EU's VAT doesn't reach, and places outside that count as parts of one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)
NORTHERN_IRELAND = "XI"
# Article 7: transactions in Monaco are France's, those in the Isle of Man the United Kingdom's.
_PART_OF = {"MC": "FR", "IM": "GB"}
# Article 6: excluded territories, by region (ISO 3166-2) and by postcode.
_EXCLUDED_REGIONS = {
    "ES": frozenset({"GC", "TF", "CN", "CE", "ML"}),
    "FI": frozenset({"01"}),
    "FR": frozenset({"GP", "MQ", "GF", "RE", "YT", "971", "972", "973", "974", "976"}),
    "GR": frozenset({"69"}),
}
_EXCLUDED_POSTCODES = {
    # Canary Islands, Ceuta, Melilla.
    "ES": re.compile(r"35\d{3}|38\d{3}|51\d{3}|52\d{3}"),
    # Åland.
    "FI": re.compile(r"22\d{3}"),
    # Overseas departments and collectivities.
    "FR": re.compile(r"97\d{3}|98[678]\d{2}"),
    # Büsingen, Helgoland.
    "DE": re.compile(r"78266|27498"),
    # Livigno, Campione d'Italia.
    "IT": re.compile(r"23041|22061"),
    # Mount Athos.
    "GR": re.compile(r"63086"),
}
# Regulation (EU) No 952/2013, article 4: parts of Member States outside of the customs union (the
# others that VAT doesn't reach are in it).
_NO_CUSTOMS_REGIONS = {"ES": frozenset({"CE", "ML"})}
_NO_CUSTOMS_POSTCODES = {
    "ES": re.compile(r"51\d{3}|52\d{3}"),
    "DE": re.compile(r"78266|27498"),
    "IT": re.compile(r"23041"),
    "FR": re.compile(r"98[678]\d{2}"),
}
_BLANKS = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True)
class Territory:
    """`country` whose rates count; `union` is the EU's VAT area for goods, in or out."""

    country: str
    region: str
    postal_code: str
    in_union: bool
    # A part of an EU country that the EU's VAT doesn't reach.
    excluded: bool = False

    @property
    def member(self) -> str:
        """The Member State, as VAT numbers name it; "" outside."""
        if not self.in_union:
            return ""
        if self.country == "GB":
            return NORTHERN_IRELAND
        return "EL" if self.country == "GR" else self.country


def in_customs_union(place: Territory) -> bool:
    """Whether a territory is in the EU's customs union, also where its VAT isn't due."""
    if place.in_union:
        return True
    pattern = _NO_CUSTOMS_POSTCODES.get(place.country)
    outside = place.region in _NO_CUSTOMS_REGIONS.get(place.country, ()) or bool(
        pattern and pattern.fullmatch(place.postal_code)
    )
    return place.country in EU and not outside


def bears_duties(start: Territory, end: Territory) -> bool:
    """Whether goods from one place pay duties at the other: their customs areas differ."""
    if in_customs_union(start) and in_customs_union(end):
        return False
    return start.country != end.country or in_customs_union(start) != in_customs_union(end)


def territory(address: Mapping[str, str], *, default: Territory | None = None) -> Territory:
    """The territory of an address; an address without a country lies in `default`."""
    country = _PART_OF.get(address.get("country", ""), address.get("country", ""))
    if not country and default is not None:
        return default
    region = address.get("region", "")
    postal_code = normalised_postcode(address.get("postal_code", ""))
    if country == "GB":
        northern = region == "NIR" or postal_code.startswith("BT")
        return Territory(country, region, postal_code, in_union=northern)
    pattern = _EXCLUDED_POSTCODES.get(country)
    excluded = region in _EXCLUDED_REGIONS.get(country, ()) or bool(
        pattern and pattern.fullmatch(postal_code)
    )
    return Territory(country, region, postal_code, country in EU and not excluded, excluded)


def normalised_postcode(text: str) -> str:
    """A postcode as it is compared: capitals, no blanks and hyphens. "sw1a 1aa" → "SW1A1AA"."""
    return _BLANKS.sub("", text).upper()
