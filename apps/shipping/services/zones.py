"""Writes of zones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.addresses import is_country
from apps.core.audit import assign, note
from apps.core.errors import Conflict, DomainError
from apps.shipping.engines.zones import PatternError, parse
from apps.shipping.models import Zone

MAX_PLACES = 1000
_MESSAGES = {
    "unknown_place": _("“%s” isn't a country (ES), region (ES-GC), postcodes (ES:35*) or *."),
    "unknown_country": _("“%s” names a country that doesn't exist."),
    "invalid_region": _("“%s” isn't a region: ES-GC is one."),
    "invalid_postcodes": _("“%s” doesn't name postcodes: ES:35001, GB:BT*, ES:35000-35999."),
    "reversed_range": _("“%s” ends before it begins."),
}


class InvalidPlaces(DomainError):
    """`extra["errors"]` has the reason as its code: unknown_place, unknown_country,
    invalid_region, invalid_postcodes or reversed_range.
    """

    code = "invalid_places"
    message = _("Name countries (ES), regions (ES-GC), postcodes (ES:35*), or * for elsewhere.")


class ZoneInUse(Conflict):
    code = "zone_in_use"
    message = _("Shipping methods use this zone.")


def clean_patterns(patterns: Any, *, field: str = "places") -> list[str]:
    """Patterns in their one spelling, each once, in order. Raises InvalidPlaces."""
    if not isinstance(patterns, list) or len(patterns) > MAX_PLACES:
        raise InvalidPlaces(field=field)
    return list(dict.fromkeys(_clean_pattern(pattern, field) for pattern in patterns))


def clean_places(places: Any) -> list[str]:
    """The same for the places of a zone, of which there is at least one."""
    if not places:
        raise InvalidPlaces(field="places")
    return clean_patterns(places)


def clean_exclusions(exclusions: Any) -> list[str]:
    """The same for what doesn't belong to a zone."""
    return clean_patterns(exclusions, field="exclusions")


def _clean_pattern(text: Any, field: str) -> str:
    if not isinstance(text, str):
        raise InvalidPlaces(field=field)
    try:
        pattern = parse(text)
        if pattern.country and not is_country(pattern.country):
            raise PatternError("unknown_country", text)
    except PatternError as error:
        message = _MESSAGES[error.code] % error.pattern
        errors = [{"field": field, "code": error.code, "message": message}]
        raise InvalidPlaces(message, field=field, extra={"errors": errors}) from error
    return str(pattern)


@transaction.atomic
def save_zone(*, zone: Zone, changes: Mapping[str, Any]) -> Zone:
    """Make a zone, or change it. Raises InvalidPlaces."""
    adding, values = zone._state.adding, dict(changes)
    if "places" in values:
        values["places"] = clean_places(values["places"])
    if "exclusions" in values:
        values["exclusions"] = clean_exclusions(values["exclusions"])
    before = assign(zone, values)
    zone.save()
    note(zone, adding, before, values)
    return zone


@transaction.atomic
def delete_zone(*, zone: Zone) -> None:
    """Delete a zone without methods; raises ZoneInUse."""
    audit.record("delete", zone)
    try:
        zone.delete()
    except ProtectedError as error:
        raise ZoneInUse() from error
