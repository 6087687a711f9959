"""Writes of tax classes and rates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.addresses import is_country
from apps.core.audit import assign, note
from apps.core.errors import Conflict, DomainError
from apps.products.models import Product
from apps.stores.models import Store
from apps.taxes.engines.territories import normalised_postcode
from apps.taxes.models import TaxClass, TaxRate

_REGION = re.compile(r"[A-Z0-9]{1,3}")


class TaxClassTaken(Conflict):
    code = "tax_class_taken"
    message = _("There is a tax class with this code already.")


class TaxClassInUse(Conflict):
    code = "tax_class_in_use"
    message = _("Rates, products or stores use this class.")


class InvalidTaxRate(DomainError):
    code = "invalid_tax_rate"


@transaction.atomic
def save_class(*, tax_class: TaxClass, changes: Mapping[str, Any]) -> TaxClass:
    """Make a tax class, or rename it. Raises TaxClassTaken."""
    return _save(tax_class, changes)


def class_in_use(tax_class: TaxClass) -> bool:
    """Whether it has rates, or the goods of a product or the shipping of a store are of it."""
    code = tax_class.code
    return (
        tax_class.rates.exists()
        or Product.objects.filter(tax_class=code).exists()
        or Store.objects.filter(shipping_tax_class=code).exists()
    )


@transaction.atomic
def delete_class(*, tax_class: TaxClass) -> None:
    """Delete a class; raises TaxClassInUse while it has rates, or goods or shipping are of it."""
    if class_in_use(tax_class):
        raise TaxClassInUse()
    audit.record("delete", tax_class)
    tax_class.delete()


def check_rate(rate: TaxRate) -> None:
    """Raises InvalidTaxRate for an unknown place, level or reach, and for a wrong order."""
    check_place(rate.country, rate.region)
    if rate.level not in TaxRate.Level.values:
        raise InvalidTaxRate(_("There is no such level."), field="level")
    if rate.applies not in TaxRate.Applies.values:
        raise InvalidTaxRate(_("This must be all, same_region or other_region."), field="applies")
    _check_postcodes(rate)
    if rate.valid_from and rate.valid_to and rate.valid_from > rate.valid_to:
        raise InvalidTaxRate(_("A rate can't end before it starts."), field="valid_to")


def check_place(country: str, region: str) -> None:
    """Raises InvalidTaxRate for what is no ISO 3166-1 country or can't be a region's code."""
    if not is_country(country):
        message = _("This isn't an ISO 3166-1 country code.")
        raise InvalidTaxRate(message, field="country")
    if region and not _REGION.fullmatch(region):
        message = _("A region is ISO 3166-2 without the country: GC, not ES-GC.")
        raise InvalidTaxRate(message, field="region")


def _check_postcodes(rate: TaxRate) -> None:
    start, end = rate.postcode_from, rate.postcode_to
    for name, code in (("postcode_from", start), ("postcode_to", end)):
        if code != normalised_postcode(code):
            message = _("Postcodes are written in capitals, without blanks and hyphens: SW1A1AA.")
            raise InvalidTaxRate(message, field=name)
    if end and not start:
        message = _("A range of postcodes has a beginning.")
        raise InvalidTaxRate(message, field="postcode_from")
    # Codes are compared as texts, as far as the first is long.
    if end and (len(end) != len(start) or end < start):
        message = _("The last postcode is as long as the first, and not before it.")
        raise InvalidTaxRate(message, field="postcode_to")


@transaction.atomic
def save_rate(*, rate: TaxRate, changes: Mapping[str, Any]) -> TaxRate:
    """Make a rate, or change it; postcodes are kept as they are compared. Raises InvalidTaxRate."""
    codes = {
        name: normalised_postcode(changes[name])
        for name in ("postcode_from", "postcode_to")
        if name in changes
    }
    return _save(rate, {**changes, **codes})


@transaction.atomic
def delete_rate(*, rate: TaxRate) -> None:
    """Delete a rate; placed orders keep what they were taxed."""
    audit.record("delete", rate)
    rate.delete()


def _save(row: Any, changes: Mapping[str, Any]) -> Any:
    adding = row._state.adding
    before = assign(row, changes)
    if isinstance(row, TaxRate):
        check_rate(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise TaxClassTaken(field="code") from error
    note(row, adding, before, changes)
    return row
