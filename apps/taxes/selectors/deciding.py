"""Which taxes a sale bears, where and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.stores.models import Store
from apps.taxes.engines.rates import PlaceRate, due
from apps.taxes.engines.supply import Buyer, Seller, Supply, supply
from apps.taxes.engines.territories import Territory, territory
from apps.taxes.models import TaxExemption, TaxRate, TaxSettings, VATCheck
from apps.taxes.selectors.external import EngineQuestion, question_of, read_answer
from apps.taxes.selectors.vat import newest_check, split_vat_number

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


@dataclass(frozen=True, slots=True)
class _Sale:
    known: TaxSettings
    home: Territory
    place: Territory
    supply: Supply


def decide(question: TaxQuestion) -> TaxAnswer:
    """The taxes of a sale. Reads only and asks nobody: what isn't known to be exempt is taxed.

    One query; one more each for a store read without its `tax_settings`, for a customer's
    exemptions, for a VAT number, and where the store has a tax engine. What such an engine isn't
    known to say, the table says; a step tells which of them did.
    """
    sale = _sale(question)
    known, home, supplied = sale.known, sale.home, sale.supply
    rows = rates_in({home.country, sale.place.country})
    steps = [("place_of_supply", {"scheme": supplied.scheme, **supplied.facts})]
    rates: Mapping[str, tuple[PlaceRate, ...]] = {}
    if supplied.taxed_in is not None:
        rates = due(rows, place=supplied.taxed_in, on=question.on, seller_region=known.region)
        if asked := _engine_question(question, sale):
            answer = read_answer(asked)
            rates = rates if answer is None else answer.rates
            steps.append(("tax_engine", asked.facts(answer)))
    return TaxAnswer(
        rates=rates,
        home=due(rows, place=home, on=question.on, seller_region=known.region),
        reprices=_reprices(supplied, known),
        scheme=supplied.scheme,
        note=_NOTES.get(supplied.scheme, "") if home.in_union else "",
        country=(supplied.taxed_in or sale.place).country,
        region=sale.place.region,
        steps=tuple(steps),
    )


def engine_question(question: TaxQuestion) -> EngineQuestion | None:
    """What the store's tax engine is to be asked for this sale, if there is anything to ask."""
    if not _settings_of(question.store).engine:
        return None
    return _engine_question(question, _sale(question))


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


def _settings_of(store: Store) -> TaxSettings:
    try:
        found: TaxSettings = store.tax_settings
    except TaxSettings.DoesNotExist:
        return TaxSettings()
    return found


def _sale(question: TaxQuestion) -> _Sale:
    known = _settings_of(question.store)
    home = territory({"country": question.store.country, "region": known.region})
    place = territory(question.address, default=home)
    seller = Seller(
        home=home,
        oss_from=known.oss_from,
        registrations=frozenset(known.registrations),
        nexus=frozenset(known.nexus),
    )
    buyer = Buyer(
        place,
        vat_country=_valid_vat_country(question.address.get("vat_number", ""), place),
        exempt=_is_exempt(question.customer_id, place, question.on),
    )
    return _Sale(known, home, place, supply(seller, buyer, question.on))


def _engine_question(question: TaxQuestion, sale: _Sale) -> EngineQuestion | None:
    taxed_in = sale.supply.taxed_in
    # Without an address nothing is ordered, and a list's prices need no engine.
    if not sale.known.engine or taxed_in is None or not question.address.get("country"):
        return None
    return question_of(
        engine=sale.known.engine,
        origin=sale.home,
        destination=taxed_in,
        address=question.address if taxed_in == sale.place else {},
        on=question.on,
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
