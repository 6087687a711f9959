"""Locations: the places where stock lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.addresses import is_country
from apps.core.errors import Conflict, DomainError
from apps.inventory.models import Location


class LocationTaken(Conflict):
    code = "location_taken"
    message = _("There is a location with this code already.")


class LocationInUse(Conflict):
    code = "location_in_use"
    message = _("Stock is or was kept here; make the location inactive instead.")


class InvalidCountry(DomainError):
    code = "invalid_country"
    message = _("This isn't an ISO 3166-1 country code.")


@transaction.atomic
def save_location(*, location: Location, changes: Mapping[str, Any]) -> Location:
    """Make a location, or change it. `changes["stores"]` is the list of stores that sell from it.

    Raises LocationTaken and InvalidCountry.
    """
    adding = location.pk is None
    columns = {name: value for name, value in changes.items() if name != "stores"}
    before = {name: getattr(location, name) for name in columns}
    for name, value in columns.items():
        setattr(location, name, value)
    if not is_country(location.country):
        raise InvalidCountry(field="country")
    try:
        with transaction.atomic():
            location.save()
    except IntegrityError as error:
        raise LocationTaken(field="code") from error
    if "stores" in changes:
        location.stores.set(changes["stores"])
    if adding:
        audit.record("add", location)
    else:
        audit.record("change", location, {n: [before[n], v] for n, v in columns.items()})
    return location


@transaction.atomic
def delete_location(*, location: Location) -> None:
    """Delete a location that never had stock; raises LocationInUse."""
    audit.record("delete", location)
    try:
        location.delete()
    except ProtectedError as error:
        raise LocationInUse() from error
