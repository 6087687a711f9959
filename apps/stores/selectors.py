"""Which store a request belongs to, and what one currency is worth in another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.cache import ShortCache
from apps.core.errors import DomainError, NotFound
from apps.core.metrics import gauge
from apps.core.scopes import sees
from apps.stores.models import ExchangeRate, Store

# The currency that the European Central Bank quotes all others for.
EURO = "EUR"
# Rates are out about 16:00 in Frankfurt on working days.
# https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/
_FRANKFURT, _OUT_AT = ZoneInfo("Europe/Berlin"), time(16, 15)
# Longer than any run of days without rates (Easter, Christmas).
STALE_DAYS = 5
# What a division leaves: more digits than any quoted rate has.
_DIGITS = Context(prec=12, rounding=ROUND_HALF_UP)

# Stores change rarely and are read by every request: a few seconds late is fine.
_stores: ShortCache[list[Store]] = ShortCache(
    lambda: list(Store.objects.filter(is_active=True).order_by("-is_default", "pk")),
    key="stores",
    seconds=5.0,
    enabled=lambda: settings.SHORT_CACHES,
)


class NoRate(DomainError):
    code = "no_exchange_rate"
    message = _("There is no exchange rate for these currencies.")


class UnknownCurrency(DomainError):
    code = "unknown_currency"
    message = _("This store doesn't sell in that currency.")


def active_stores() -> list[Store]:
    """All active stores, the default one first."""
    return _stores.get()


def default_store() -> Store:
    """The default store; raises NotFound in an installation without stores."""
    for store in active_stores():
        return store
    raise NotFound(_("No store is set up."))


def store_called(code: str) -> Store:
    """The active store of this code. Raises NotFound."""
    for store in active_stores():
        if store.code == code:
            return store
    raise NotFound(_("There is no such store."))


def current_store(request: HttpRequest) -> Store:
    """The store named by `X-Store` (its code), else the one of the host, else the default.

    Raises NotFound for a header that names no active store, and where staff act for a store that
    isn't among theirs.
    """
    store = _named_store(request)
    if not sees(store):
        raise NotFound()
    return store


def _named_store(request: HttpRequest) -> Store:
    if code := request.headers.get("X-Store"):
        return store_called(code)
    stores = active_stores()
    host = request.get_host().split(":")[0]
    for store in stores:
        if store.domain == host:
            return store
    return stores[0] if stores else default_store()


def currency_for(store: Store, wanted: str | None) -> str:
    """`wanted` if the store sells in it, the store's default if none is wanted.

    Raises UnknownCurrency.
    """
    if not wanted:
        return store.default_currency
    if wanted not in store.all_currencies:
        raise UnknownCurrency(field="currency")
    return wanted


@dataclass(frozen=True, slots=True)
class Rate:
    """Units of a currency for one unit of another, and the day it was quoted."""

    value: Decimal
    date: date


def rate(base: str, currency: str, on: date) -> Rate:
    """What one `base` is worth in `currency`: the latest rate on or before the day. One query.

    A quoted pair comes first, then its inverse, then the cross rate over the euro, which is as
    old as the older of its two. Inverse and cross rates have 12 significant digits, rounded half
    up. Raises NoRate.
    """
    if base == currency:
        return Rate(Decimal(1), on)
    pairs = {(base, currency), (currency, base), (EURO, base), (EURO, currency)}
    known = _latest({pair for pair in pairs if pair[0] != pair[1]}, on)
    if quoted := known.get((base, currency)):
        return quoted
    if turned := known.get((currency, base)):
        return Rate(_DIGITS.divide(Decimal(1), turned.value), turned.date)
    below, above = known.get((EURO, base)), known.get((EURO, currency))
    if below is None or above is None:
        raise NoRate()
    return Rate(_DIGITS.divide(above.value, below.value), min(below.date, above.date))


def _latest(pairs: set[tuple[str, str]], on: date) -> dict[tuple[str, str], Rate]:
    wanted = Q()
    for base, currency in sorted(pairs):
        past = ExchangeRate.objects.filter(base=base, currency=currency, date__lte=on)
        newest = Subquery(past.order_by("-date").values("date")[:1])
        wanted |= Q(base=base, currency=currency, date=newest)
    rows = ExchangeRate.objects.filter(wanted).values_list("base", "currency", "rate", "date")
    return {(base, currency): Rate(value, day) for base, currency, value, day in rows}


def newest_day() -> date | None:
    """The day of the newest euro rates; None while there are none."""
    days = ExchangeRate.objects.filter(base=EURO).order_by("-date").values_list("date", flat=True)
    return days.first()


def expected_day(now: datetime) -> date:
    """The last working day whose rates are out by `now`."""
    local = now.astimezone(_FRANKFURT)
    day = local.date() if local.time() >= _OUT_AT else local.date() - timedelta(days=1)
    return day - timedelta(days=max(0, day.weekday() - 4))


@gauge("exchange_rates_age_days", "Days since the newest euro exchange rates; 0 without any.")
def rates_age() -> int:
    """Days since the newest euro rates; 0 while there are none."""
    newest = newest_day()
    return (timezone.now().date() - newest).days if newest else 0
