"""The facets of a list as links: each adds or takes off one filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.money import decimal_string, money_json
from apps.storefront.selectors.facets import Facets
from apps.storefront.selectors.queries import ATTRIBUTE

Group = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    label: Any
    # Products it leaves; None where that isn't counted.
    count: int | None
    query: str
    chosen: bool


def facet_groups(found: Facets, query: QueryDict, currency: str) -> list[Group]:
    """Name and choices of each facet that leaves a choice."""
    groups = [_several(_("Brand"), "brand", found.brands, query)]
    groups += [
        _several(name, ATTRIBUTE + code, [(text, text, count) for text, count in values], query)
        for code, (name, values) in sorted(found.choices.items())
    ]
    prices = list(_bands(found, query, currency))
    groups.append({"name": _("Price"), "is_price": True, "choices": prices})
    groups.append({"name": _("Stars"), "choices": list(_stars(found, query))})
    groups.append({"name": _("Availability"), "choices": list(_availability(found, query))})
    return [group for group in groups if group["choices"]]


def ordering_links(query: QueryDict, ordering: str, *, search: bool) -> list[Choice]:
    names = {
        "relevance": _("Best match"),
        "-popularity": _("Popular"),
        "-created": _("Newest"),
        "-rating": _("Best rated"),
        "price": _("Price, low to high"),
        "-price": _("Price, high to low"),
    }
    return [
        Choice(label, None, _changed(query, ordering=name), name == ordering)
        for name, label in names.items()
        if search or name != "relevance"
    ]


def with_cursor(query: QueryDict, cursor: str | None) -> str:
    """The query of a page beside this one; "" where there is none."""
    return _changed(query, cursor=cursor) if cursor else ""


def _several(
    label: str, name: str, values: Iterable[tuple[str, str, int]], query: QueryDict
) -> Group:
    chosen = [value for value in query.get(name, "").split(",") if value]
    choices = []
    for value, text, count in values:
        if "," in value:
            continue
        after = [v for v in chosen if v != value] if value in chosen else [*chosen, value]
        choices.append(
            Choice(text, count, _changed(query, **{name: ",".join(after)}), value in chosen)
        )
    return {"name": label, "choices": choices}


def _bands(found: Facets, query: QueryDict, currency: str) -> Iterator[Choice]:
    for low, high, count in found.prices:
        bounds = {
            "price_min": decimal_string(low, currency),
            "price_max": "" if high is None else decimal_string(high, currency),
        }
        chosen = all(query.get(name, "") == value for name, value in bounds.items())
        after = dict.fromkeys(bounds, "") if chosen else bounds
        # A band ends where the next one begins; people read round numbers.
        label = (
            money_json(low, currency),
            None if high is None else money_json(high + 1, currency),
        )
        yield Choice(label, count, _changed(query, **after), chosen)


def _stars(found: Facets, query: QueryDict) -> Iterator[Choice]:
    for least, count in found.ratings:
        chosen = query.get("rating_min") == str(least)
        label = ngettext("%d star or more", "%d stars or more", least) % least
        yield Choice(label, count, _changed(query, rating_min="" if chosen else least), chosen)


def _availability(found: Facets, query: QueryDict) -> Iterator[Choice]:
    counts = dict(found.availability)
    for in_stock, label in ((True, _("In stock")), (False, _("Out of stock"))):
        value = str(in_stock).lower()
        chosen = query.get("in_stock") == value
        if chosen or counts.get(in_stock):
            after = _changed(query, in_stock="" if chosen else value)
            yield Choice(label, counts.get(in_stock, 0), after, chosen)


def _changed(query: QueryDict, **values: Any) -> str:
    """The query with these values, on its first page; empty ones are left out."""
    changed = query.copy()
    for name, value in {"cursor": "", **values}.items():
        if value != "":
            changed[name] = str(value)
        else:
            changed.pop(name, None)
    return f"?{changed.urlencode()}"
