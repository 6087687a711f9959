"""How many of the found products each further filter would leave.

Each listing keeps what it counts for as text, so that one narrow statement reads everything and
the counting is done here: several times faster than grouping five joins in the database.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, QuerySet

from apps.core.money import exponent
from apps.core.prepared import Prepared
from apps.products.selectors import CategoryNode, category_tree
from apps.storefront.querysets import ListingQuerySet
from apps.storefront.selectors.filters import Wanted, find
from apps.storefront.selectors.lists import listings_of, values_of

BRAND, CATEGORY, CHOICE, NUMBER = "b", "c", "a", "n"
# Control characters that `str.split()` takes for space, so that no text can hold one.
_PART, _END = "\x1f", "\x1e"
# Values of one attribute and brands, the most frequent first.
MAX_VALUES = 50
_DECADES = 7
# Least stars that a shopper may ask for.
STEPS = (4, 3, 2, 1)
# Products that are counted one by one; of more, so many are taken for all.
MOST_COUNTED = 5_000
# How many lots there are: `Listing.lot` is below.
LOTS = 2**31


@dataclass(slots=True)
class Facets:
    """Counts of products. Prices in minor units; a band's upper bound is the last in it.

    Not `exact`: there are more than `MOST_COUNTED`. Then the counts of a list are estimated from a
    fair sample, and those of a search are of as many of its products, so that there are at least
    so many.
    """

    count: int = 0
    exact: bool = True
    # In stock or not, count.
    availability: list[tuple[bool, int]] = field(default_factory=list)
    categories: list[tuple[CategoryNode, int]] = field(default_factory=list)
    # Slug, name, count.
    brands: list[tuple[str, str, int]] = field(default_factory=list)
    # Code → name and counts by text.
    choices: dict[str, tuple[str, list[tuple[str, int]]]] = field(default_factory=dict)
    # Code → name, lowest and highest number, count.
    numbers: dict[str, tuple[str, float, float, int]] = field(default_factory=dict)
    prices: list[tuple[int, int | None, int]] = field(default_factory=list)
    # Least stars, count; only those that some product has.
    ratings: list[tuple[int, int]] = field(default_factory=list)


def facet_text(facets: Iterable[tuple[str, ...]]) -> str:
    """Facets of one product, as its listing keeps them: kind and parts."""
    return _END.join(_PART.join(" ".join(part.split()) for part in parts) for parts in facets)


def price_bands(currency: str) -> list[int]:
    """Lower bounds of price bands in minor units: 0, then 1, 2, 5, 10, 20, 50, … of the unit."""
    unit = 10 ** exponent(currency)
    steps = [step * 10**decade for decade in range(_DECADES) for step in (1, 2, 5)]
    return [0, *(step * unit for step in steps)]


def facets(wanted: Wanted) -> Facets:
    """The counts for a list, each as it would be with that filter added. Two statements."""
    tree = category_tree()
    counts: Counter[str] = Counter()
    prices: Counter[int] = Counter()
    ratings: Counter[int] = Counter()
    stock: Counter[bool] = Counter()
    rows = _rows(wanted, tree)
    exact = len(rows) <= MOST_COUNTED
    for _lot, price, in_stock, rating, text in rows[:MOST_COUNTED]:
        prices[price] += 1
        stock[in_stock] += 1
        ratings[rating] += 1
        counts.update(text.split(_END))
    if not exact and not wanted.search:
        # Lots are spread evenly: the highest of the lowest tells how many there are.
        times = LOTS / rows[-1][0]
        for counter in (counts, prices, stock, ratings):
            for key, count in counter.items():
                counter[key] = round(count * times)
    found = Facets(
        count=stock.total(),
        exact=exact,
        availability=sorted(stock.items(), reverse=True),
        prices=_bands(prices, price_bands(wanted.currency)),
        ratings=_steps(ratings),
    )
    by_path = {node.path: node for node in tree.values()}
    for key, count in counts.items():
        kind, *parts = key.split(_PART)
        if kind == CATEGORY and parts[0] in by_path:
            found.categories.append((by_path[parts[0]], count))
        elif kind == BRAND:
            found.brands.append((parts[0], parts[1], count))
        elif kind == CHOICE:
            found.choices.setdefault(parts[0], (parts[1], []))[1].append((parts[2], count))
        elif kind == NUMBER:
            _add_number(found, parts[0], parts[1], float(parts[2]), count)
    return _sorted(found)


def _rows(
    wanted: Wanted, tree: Mapping[str, CategoryNode]
) -> list[tuple[int, int, bool, int, str]]:
    """Lot, price, stock, rating and facets of the products to count, and of one more, if any."""
    if wanted.is_plain:
        return _plain(MOST_COUNTED + 1, **values_of(wanted, tree))
    found = _drawn(find(wanted, tree=tree), bool(wanted.category), by_lot=not wanted.search)
    return list(found[: MOST_COUNTED + 1])


def _drawn(listings: ListingQuerySet, is_category: bool, *, by_lot: bool) -> QuerySet[Any, Any]:
    drawn = listings.annotate(drawn=F("place__lot" if is_category else "lot"))
    drawn = drawn.order_by("drawn") if by_lot else drawn.order_by()
    columns = ("drawn", "price", "in_stock", "rating", "facets")
    return drawn.values_list(*columns)


def _drawn_plain(size: int, **values: Any) -> QuerySet[Any, Any]:
    return _drawn(listings_of(**values), "category" in values, by_lot=True)[:size]


_plain = Prepared(_drawn_plain)


def counted(wanted: Wanted) -> tuple[int, bool]:
    """How many products a list has, and whether these are all: at most so many are counted."""
    count = find(wanted).order_by()[: MOST_COUNTED + 1].count()
    return min(count, MOST_COUNTED), count <= MOST_COUNTED


def _bands(prices: Counter[int], bounds: list[int]) -> list[tuple[int, int | None, int]]:
    counts: Counter[int] = Counter()
    for price, count in prices.items():
        counts[bisect_right(bounds, price) - 1] += count
    last = [bound - 1 for bound in bounds[1:]]
    return [
        (bounds[i], last[i] if i < len(last) else None, count)
        for i, count in sorted(counts.items())
    ]


def _steps(ratings: Counter[int]) -> list[tuple[int, int]]:
    counts = [
        (stars, sum(n for rating, n in ratings.items() if rating >= stars * 100)) for stars in STEPS
    ]
    return [(stars, count) for stars, count in counts if count]


def _add_number(found: Facets, code: str, name: str, number: float, count: int) -> None:
    _name, low, high, before = found.numbers.get(code, (name, number, number, 0))
    found.numbers[code] = (name, min(low, number), max(high, number), before + count)


def _sorted(found: Facets) -> Facets:
    found.categories.sort(key=lambda entry: entry[0].path)
    found.brands = sorted(found.brands, key=lambda entry: (-entry[2], entry[1]))[:MAX_VALUES]
    for _label, values in found.choices.values():
        values.sort(key=lambda entry: (-entry[1], entry[0]))
        del values[MAX_VALUES:]
    return found
