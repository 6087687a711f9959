"""Where a sale is taxed, and why. Pure.

For the European Union: Council Directive 2006/112/EC as amended for e-commerce from 1 July 2021
(articles 33, 59c, 138, 146, 369a to 369k).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from apps.taxes.engines.territories import Territory


@dataclass(frozen=True, slots=True)
class Seller:
    """What the tax offices know of the seller.

    `oss_from`: in the One-Stop-Shop since that day, by choice or beyond the threshold of article
    59c. `registrations`: further countries with a tax number of the seller's. `nexus`: states of
    the home country where it must collect; empty where that isn't asked (outside of the US).
    """

    home: Territory
    oss_from: date | None = None
    registrations: frozenset[str] = frozenset()
    nexus: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Buyer:
    """`vat_country`: the Member State of a VAT number that is known to be valid; or ""."""

    place: Territory
    vat_country: str = ""
    exempt: bool = False


@dataclass(frozen=True, slots=True)
class Supply:
    """`taxed_in` is the place whose rates are due; None: no tax is."""

    scheme: str
    taxed_in: Territory | None
    facts: dict[str, str] = field(default_factory=dict)


def supply(seller: Seller, buyer: Buyer, on: date) -> Supply:
    """Which tax a sale of goods bears. Schemes:

    domestic, origin (to a consumer in another Member State, below the threshold), oss,
    destination (where the seller is registered), reverse_charge, export, exempt, none (no nexus).
    """
    home, place = seller.home, buyer.place
    facts = {"from": home.country, "to": place.country, "region": place.region}
    if buyer.exempt:
        return Supply("exempt", None, facts)
    if place.country == home.country and place.excluded == home.excluded:
        if seller.nexus and place.region not in seller.nexus:
            return Supply("none", None, facts | {"nexus": "no"})
        return Supply("domestic", place, facts)
    if home.in_union and place.in_union:
        return _within_the_union(seller, buyer, on, facts)
    if place.country in seller.registrations:
        return Supply("destination", place, facts)
    if place.excluded and place.country == home.country:
        # Its own tax, where the merchant's table has one: the Canary Islands' IGIC.
        return Supply("export", place, facts | {"territory": "excluded"})
    return Supply("export", None, facts)


def _within_the_union(seller: Seller, buyer: Buyer, on: date, facts: dict[str, str]) -> Supply:
    place = buyer.place
    if buyer.vat_country and buyer.vat_country != seller.home.member:
        return Supply("reverse_charge", None, facts | {"vat_country": buyer.vat_country})
    if place.country in seller.registrations:
        return Supply("destination", place, facts)
    if seller.oss_from is not None and seller.oss_from <= on:
        return Supply("oss", place, facts | {"oss_from": seller.oss_from.isoformat()})
    return Supply("origin", seller.home, facts | {"threshold": "below"})
