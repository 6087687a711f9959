"""Writes of methods, their rates and surcharges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.audit import assign, note
from apps.core.errors import Conflict, DomainError
from apps.core.money import MAX_AMOUNT, MoneyError, exponent
from apps.shipping.carriers import is_carrier
from apps.shipping.models import ShippingMethod, ShippingRate, ShippingSurcharge
from apps.shipping.services.zones import clean_patterns

MAX_PRICE = MAX_AMOUNT // 1_000_000
_BOUNDS = ("weight", "value", "pieces")


class InvalidRates(DomainError):
    code = "invalid_rates"
    message = _("The bands of a currency must be in order and not overlap.")


class InvalidSurcharges(DomainError):
    code = "invalid_surcharges"
    message = _("A surcharge is an amount in a currency, or a percentage from 0 to 100.")


class InvalidMethod(DomainError):
    code = "invalid_method"


class MethodTaken(Conflict):
    code = "shipping_method_taken"
    message = _("The store has a shipping method with this code already.")


@dataclass(frozen=True, slots=True)
class RateData:
    """A price for parcels within bounds, in minor units and grams: see ShippingRate."""

    currency: str
    price: int
    min_weight: int = 0
    max_weight: int | None = None
    free_above: int | None = None
    free_max_weight: int | None = None
    per_kg: int = 0
    min_value: int = 0
    max_value: int | None = None
    min_pieces: int = 0
    max_pieces: int | None = None


@dataclass(frozen=True, slots=True)
class SurchargeData:
    """Either `amount` (minor units of `currency`) or `percent`: see ShippingSurcharge."""

    name: str
    currency: str = ""
    amount: int | None = None
    percent: Decimal | None = None
    places: tuple[str, ...] = ()
    over_weight: int | None = None


def check_rates(rates: Sequence[RateData]) -> None:
    """Raises InvalidRates unless each currency's bands are possible and don't overlap."""
    for rate in rates:
        _check_currency(rate.currency, InvalidRates, "rates")
        amounts = (rate.price, rate.per_kg, rate.min_value, rate.max_value, rate.free_above)
        numbers = (rate.min_weight, rate.min_pieces, rate.free_max_weight)
        if not all(0 <= (amount or 0) <= MAX_PRICE for amount in amounts):
            raise InvalidRates(_("This isn't a possible price."), field="rates")
        if any((number or 0) < 0 for number in numbers):
            raise InvalidRates(_("This isn't a possible weight or number."), field="rates")
        for name in _BOUNDS:
            low, high = _bounds(rate, name)
            if high is not None and high <= low:
                raise InvalidRates(field="rates")
    if any(_overlap(one, other) for one, other in combinations(rates, 2)):
        raise InvalidRates(field="rates")


def _bounds(rate: RateData, name: str) -> tuple[int, int | None]:
    return getattr(rate, f"min_{name}"), getattr(rate, f"max_{name}")


def _overlap(one: RateData, other: RateData) -> bool:
    if one.currency != other.currency:
        return False
    for name in _BOUNDS:
        (low, high), (below, above) = _bounds(one, name), _bounds(other, name)
        if (high is not None and high <= below) or (above is not None and above <= low):
            return False
    return True


def check_surcharges(surcharges: Sequence[SurchargeData]) -> None:
    """Raises InvalidSurcharges, and InvalidPlaces for what isn't a pattern of places."""
    for surcharge in surcharges:
        if (surcharge.amount is None) == (surcharge.percent is None):
            raise InvalidSurcharges(field="surcharges")
        if surcharge.amount is not None:
            _check_currency(surcharge.currency, InvalidSurcharges, "surcharges")
            if not 0 <= surcharge.amount <= MAX_PRICE:
                raise InvalidSurcharges(_("This isn't a possible price."), field="surcharges")
        elif not 0 <= (surcharge.percent or 0) <= 100 or surcharge.currency:
            raise InvalidSurcharges(field="surcharges")
        clean_patterns(list(surcharge.places), field="surcharges")


def _check_currency(currency: str, error: Callable[..., DomainError], field: str) -> None:
    try:
        exponent(currency)
    except MoneyError as wrong:
        raise error(str(wrong), field=field) from wrong


def check_method(*, method: ShippingMethod) -> None:
    """Raises InvalidMethod for days that make no sense, or a carrier that isn't set up."""
    if method.min_days > method.max_days:
        raise InvalidMethod(_("At least is more than at most."), field="min_days")
    days = method.weekdays
    numbers = isinstance(days, list) and all(type(day) is int and 1 <= day <= 7 for day in days)
    if not days or not numbers:
        raise InvalidMethod(_("Working days are numbers: Monday is 1."), field="weekdays")
    if not is_carrier(method.carrier):
        raise InvalidMethod(_("There is no such carrier here."), field="carrier")


@transaction.atomic
def save_method(
    *,
    method: ShippingMethod,
    changes: Mapping[str, Any],
    rates: Sequence[RateData] | None = None,
    surcharges: Sequence[SurchargeData] | None = None,
) -> ShippingMethod:
    """Make a method, or change it; `rates` and `surcharges`, where given, replace all it has.

    Raises InvalidMethod, MethodTaken, InvalidRates, InvalidSurcharges and InvalidPlaces.
    """
    adding, values = method._state.adding, dict(changes)
    before = assign(method, values)
    check_method(method=method)
    try:
        with transaction.atomic():
            method.save()
    except IntegrityError as error:
        raise MethodTaken(field="code") from error
    if rates is not None:
        check_rates(rates)
        method.rates.all().delete()
        ShippingRate.objects.bulk_create(ShippingRate(method=method, **asdict(r)) for r in rates)
        values["rates"] = [str(rate) for rate in rates]
    if surcharges is not None:
        check_surcharges(surcharges)
        method.surcharges.all().delete()
        ShippingSurcharge.objects.bulk_create(_surcharge(method, data) for data in surcharges)
        values["surcharges"] = [str(surcharge) for surcharge in surcharges]
    note(method, adding, before, values)
    return method


def _surcharge(method: ShippingMethod, data: SurchargeData) -> ShippingSurcharge:
    values = asdict(data) | {"places": clean_patterns(list(data.places), field="surcharges")}
    return ShippingSurcharge(method=method, **values)


@transaction.atomic
def delete_method(*, method: ShippingMethod) -> None:
    """Delete a method with its rates and pick-up points; orders keep its name."""
    audit.record("delete", method)
    method.delete()
