"""Filters by a number: from, to. A form sends two fields; the query of the API has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from apps.storefront.selectors.facets import Facets
from apps.storefront.selectors.queries import ATTRIBUTE

LOW, HIGH = "from_", "to_"


@dataclass(frozen=True, slots=True)
class Range:
    """`low` and `high` are what there is, `chosen` what the query says, as texts."""

    code: str
    name: str
    low: str
    high: str
    chosen: tuple[str, str]


def folded(query: QueryDict) -> str | None:
    """The query with `from_x` and `to_x` as `attr_x=from..to`; None if it has no such fields."""
    codes = {
        name.removeprefix(prefix)
        for name in query
        for prefix in (LOW, HIGH)
        if name.startswith(prefix)
    }
    if not codes:
        return None
    changed = query.copy()
    for code in sorted(codes):
        low, high = (query.get(prefix + code, "").strip() for prefix in (LOW, HIGH))
        changed.pop(LOW + code, None)
        changed.pop(HIGH + code, None)
        if low or high:
            changed[ATTRIBUTE + code] = f"{low}..{high}"
    for name in [name for name in changed if not changed[name]]:
        changed.pop(name)
    return changed.urlencode()


def range_form(found: Facets, query: QueryDict) -> dict[str, Any]:
    """Price and number attributes, and what else of the query the form has to send along."""
    ranges = [
        Range(code, name, f"{low:g}", f"{high:g}", _chosen(query, code))
        for code, (name, low, high, _count) in sorted(found.numbers.items())
        if low < high or query.get(ATTRIBUTE + code)
    ]
    own = {"cursor", "price_min", "price_max", *(ATTRIBUTE + entry.code for entry in ranges)}
    kept = [(name, value) for name, value in query.items() if name not in own and value]
    return {
        "ranges": ranges,
        "kept": kept,
        "price": (query.get("price_min", ""), query.get("price_max", "")),
    }


def _chosen(query: QueryDict, code: str) -> tuple[str, str]:
    low, dots, high = query.get(ATTRIBUTE + code, "").partition("..")
    return low, high if dots else low
