"""Which taxes a sale bears, where and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.stores.models import Store
from apps.taxes.engines.rates import PlaceRate, due
from apps.taxes.engines.supply import Buyer, Seller, Supply, supply
from apps.taxes.engines.territories import EU, NORTHERN_IRELAND, Territory, territory
from apps.taxes.models import TaxExemption, TaxRate, TaxSettings, VATCheck

# How long VIES' word is taken for a number.
CHECK_VALIDITY = timedelta(days=30)
_VAT_NUMBER = re.compile(r"([A-Z]{2})([0-9A-Z+*]{2,12})")
_MEMBERS = {*EU - {"GR"}, "EL", NORTHERN_IRELAND}
_NOTES = {
    "reverse_charge": _(
        "VAT-exempt intra-Community supply, article 138 of Directive 2006/112/EC; the recipient"
        " accounts for the VAT (reverse charge)."
    ),
    "export": _("VAT-exempt export, article 146 of Directive 2006/112/EC."),
}


@dataclass(frozen=True, slots=True)
class TaxQuestion:
    """`address` may be empty: the store's own place then. No amounts are needed."""

    store: Store
    address: Mapping[str, str]
    on: date
    customer_id: int | None = None


@dataclass(frozen=True, slots=True)
class TaxAnswer:
    """`rates` are due, by tax class; `home` are in the store's prices where those include tax.

    `reprices`: such prices must be turned from the ones into the others. `note` is the sentence
    that an invoice must carry, or "". `steps` explain it, as JSON values.
    """

    rates: Mapping[str, tuple[PlaceRate, ...]]
    home: Mapping[str, tuple[PlaceRate, ...]]
    reprices: bool
    scheme: str
    note: Any
    country: str
    region: str
    steps: tuple[tuple[str, dict[str, Any]], ...]


def decide(question: TaxQuestion) -> TaxAnswer:
    """The taxes of a sale. Reads only and asks nobody: what isn't known to be exempt is taxed.

    One query; one more each for a store read without its `tax_settings`, for a customer's
    exemptions, and for a VAT number.
    """
    store, on = question.store, question.on
    known = _settings_of(store)
    seller = _seller(store, known)
    place = territory(question.address, default=seller.home)
    buyer = Buyer(
        place,
        vat_country=_valid_vat_country(question.address.get("vat_number", ""), place),
        exempt=_is_exempt(question.customer_id, place, on),
    )
    sale = supply(seller, buyer, on)
    rows = rates_in({seller.home.country, place.country})
    home = due(rows, place=seller.home, on=on, seller_region=known.region)
    rates: Mapping[str, tuple[PlaceRate, ...]] = {}
    if sale.taxed_in is not None:
        rates = due(rows, place=sale.taxed_in, on=on, seller_region=known.region)
    return TaxAnswer(
        rates=rates,
        home=home,
        reprices=_reprices(sale, known),
        scheme=sale.scheme,
        note=_NOTES.get(sale.scheme, "") if seller.home.in_union else "",
        country=(sale.taxed_in or place).country,
        region=place.region,
        steps=(("place_of_supply", {"scheme": sale.scheme, **sale.facts}),),
    )


def rates_in(countries: Iterable[str]) -> list[PlaceRate]:
    """The rate table of some countries. One query: a change counts at once."""
    rows = TaxRate.objects.filter(country__in=countries).order_by("pk")
    return [
        PlaceRate(*row)
        for row in rows.values_list(
            "tax_class__code",
            "country",
            "region",
            "name",
            "percent",
            "valid_from",
            "valid_to",
            "level",
            "postcode_from",
            "postcode_to",
            "applies",
        )
    ]


def newest_check(country: str, number: str) -> VATCheck | None:
    """What VIES said last of a number (as it writes them: EL, XI), within its validity."""
    since = timezone.now() - CHECK_VALIDITY
    checks = VATCheck.objects.filter(country=country, number=number, created_at__gte=since)
    return checks.exclude(verdict=VATCheck.Verdict.UNKNOWN).order_by("-created_at", "-pk").first()


def split_vat_number(text: str) -> tuple[str, str] | None:
    """Country and number as VIES takes them ("GR 123456789" → EL, 123456789), or None."""
    found = _VAT_NUMBER.fullmatch(re.sub(r"[\s.\-/]+", "", text).upper())
    if found is None:
        return None
    country = "EL" if found[1] == "GR" else found[1]
    return (country, found[2]) if country in _MEMBERS else None


def _settings_of(store: Store) -> TaxSettings:
    try:
        found: TaxSettings = store.tax_settings
    except TaxSettings.DoesNotExist:
        return TaxSettings()
    return found


def _seller(store: Store, known: TaxSettings) -> Seller:
    home = territory({"country": store.country, "region": known.region})
    return Seller(
        home=home,
        oss_from=known.oss_from,
        registrations=frozenset(known.registrations),
        nexus=frozenset(known.nexus),
    )


def _valid_vat_country(vat_number: str, place: Territory) -> str:
    """The Member State of a number that VIES knows; the goods must go to a Member State too."""
    parts = split_vat_number(vat_number) if vat_number and place.in_union else None
    if parts is None:
        return ""
    check = newest_check(*parts)
    return parts[0] if check is not None and check.verdict == VATCheck.Verdict.VALID else ""


def _is_exempt(customer_id: int | None, place: Territory, on: date) -> bool:
    if customer_id is None:
        return False
    return TaxExemption.objects.filter(
        Q(region="") | Q(region=place.region),
        Q(valid_from__isnull=True) | Q(valid_from__lte=on),
        Q(valid_to__isnull=True) | Q(valid_to__gte=on),
        customer=customer_id,
        country=place.country,
        is_active=True,
    ).exists()


def _reprices(sale: Supply, known: TaxSettings) -> bool:
    """Who is exempt at a place where others pay the tax pays the price without it.

    Consumers abroad pay as the seller wants it.
    """
    if sale.scheme in ("reverse_charge", "exempt"):
        return True
    return sale.scheme in ("oss", "destination", "export") and not known.keeps_gross
