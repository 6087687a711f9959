"""What customs at a destination will probably take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from apps.core.money import money_json, round_half_up, to_decimal
from apps.shipping.engines import duties
from apps.shipping.engines.duties import Duties, Goods
from apps.shipping.models import DutyRate, DutyThreshold
from apps.stores.selectors import NoRate, rate

EU = "EU"


def estimate_duties(
    *,
    goods: Sequence[Goods],
    country: str,
    region: str = "",
    in_union: bool = False,
    currency: str,
    on: date,
) -> Duties:
    """The duties of goods that enter a place, by our table; values in `currency`.

    `in_union`: what stands for the EU as a whole counts, too. A threshold in another currency is
    compared at the day's exchange rate; without one it doesn't count, and duties are estimated.
    """
    codes = [country, EU] if in_union else [country]
    places = {"country__in": codes, "region__in": ["", region]}
    worth = sum(each.value for each in goods)
    thresholds = list(DutyThreshold.objects.filter(**places))
    # That of the closest place: a region's, then a country's, then the union's.
    thresholds.sort(key=lambda each: (bool(each.region), each.country != EU))
    if thresholds and _is_below(worth, currency, thresholds[-1], on):
        return Duties(0, currency, is_free=True)
    rows = DutyRate.objects.filter(**places).order_by("pk")
    rates = [duties.Rate(row.hs_prefix, row.origin, row.region, row.basis_points) for row in rows]
    return duties.estimate(goods, rates, currency)


def _is_below(worth: int, currency: str, threshold: DutyThreshold, on: date) -> bool:
    try:
        value = rate(currency, threshold.currency, on).value
    except NoRate:
        return False
    there = to_decimal(worth, currency) * value
    minor = round_half_up(there / to_decimal(1, threshold.currency))
    return minor <= threshold.amount


def duties_json(found: Duties, terms: str) -> dict[str, Any]:
    """An estimate as the API shows it; `terms` are DDP or DAP."""
    return {
        "terms": terms,
        "is_estimate": True,
        "amount": money_json(found.amount, found.currency),
        "is_free": found.is_free,
        "unknown": list(found.unknown),
    }
