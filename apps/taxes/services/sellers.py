"""Writes of what the tax offices know of a store's seller, and of its customers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.addresses import is_country
from apps.core.audit import assign, note
from apps.core.errors import DomainError
from apps.core.locks import locked
from apps.stores.models import Store
from apps.taxes.models import TaxExemption, TaxSettings
from apps.taxes.selectors import split_vat_number
from apps.taxes.services.rates import InvalidTaxRate, check_place

_REGION = re.compile(r"[A-Z0-9]{1,3}")
# More than there are countries, or states of any country.
MOST_PLACES = 260


class InvalidTaxSettings(DomainError):
    code = "invalid_tax_settings"


class InvalidExemption(DomainError):
    code = "invalid_tax_exemption"


def check_settings(*, known: TaxSettings) -> None:
    """Raises InvalidTaxSettings for what can't be a region, a VAT number, places or an engine."""
    if known.region and not _REGION.fullmatch(known.region):
        message = _("A region is ISO 3166-2 without the country: MH, not IN-MH.")
        raise InvalidTaxSettings(message, field="region")
    if known.vat_number and split_vat_number(known.vat_number) is None:
        message = _("This isn't a VAT number of the European Union with its country.")
        raise InvalidTaxSettings(message, field="vat_number")
    if not _all(known.registrations, is_country):
        message = _("These aren't all ISO 3166-1 countries: GB, CH.")
        raise InvalidTaxSettings(message, field="registrations")
    if not _all(known.nexus, _REGION.fullmatch):
        message = _("These aren't all states as ISO 3166-2 without the country: CA, NY.")
        raise InvalidTaxSettings(message, field="nexus")
    if known.engine and known.engine not in settings.TAX_ENGINES:
        raise InvalidTaxSettings(_("There is no such tax engine."), field="engine")


@transaction.atomic
def save_settings(*, store: Store, changes: Mapping[str, Any]) -> TaxSettings:
    """Change a store's tax settings; the first time makes them. Raises InvalidTaxSettings."""
    # Two first writes at once: the row is there before it is locked, whoever made it.
    _known, adding = TaxSettings.objects.get_or_create(store_id=store.pk)
    known = locked(TaxSettings.objects.filter(store=store)).get()
    before = assign(known, changes)
    check_settings(known=known)
    known.save()
    note(known, adding, before, changes)
    return known


def check_exemption(*, exemption: TaxExemption) -> None:
    """Raises InvalidExemption for an unknown place or days in the wrong order."""
    try:
        check_place(exemption.country, exemption.region)
    except InvalidTaxRate as error:
        raise InvalidExemption(str(error), field=error.field) from error
    start, end = exemption.valid_from, exemption.valid_to
    if start and end and start > end:
        raise InvalidExemption(_("It can't end before it starts."), field="valid_to")


@transaction.atomic
def save_exemption(*, exemption: TaxExemption, changes: Mapping[str, Any]) -> TaxExemption:
    """Make a customer's exemption, or change it. Raises InvalidExemption."""
    adding = exemption._state.adding
    before = assign(exemption, changes)
    check_exemption(exemption=exemption)
    exemption.save()
    note(exemption, adding, before, changes)
    return exemption


@transaction.atomic
def delete_exemption(*, exemption: TaxExemption) -> None:
    """Delete an exemption; placed orders keep what they were taxed."""
    audit.record("delete", exemption)
    exemption.delete()


def _all(places: Any, fits: Any) -> bool:
    return (
        isinstance(places, list)
        and len(places) <= MOST_PLACES
        and all(isinstance(place, str) and fits(place) for place in places)
    )
