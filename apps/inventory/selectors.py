"""Reads of stock, and the truths that must hold about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from apps.core.invariants import invariant
from apps.core.scopes import scoped
from apps.inventory.engines.allocation import allocate, distance
from apps.inventory.models import AllocationRule, Hold, Location, StockLevel, StockMovement
from apps.products.models import Product

Strategy = AllocationRule.Strategy


def locations_of(store_id: int) -> QuerySet[Location]:
    """The active locations a store sells from, the preferred one first."""
    return Location.objects.filter(
        Q(stores=store_id) | Q(stores__isnull=True), is_active=True
    ).order_by("priority", "pk")


def availability(*, store_id: int, variant_ids: Iterable[int]) -> dict[int, int]:
    """Pieces of each variant that may be sold in a store now; 0 where there is no stock row.

    Says nothing of variants whose stock isn't tracked: those are always available.
    """
    ids = list(variant_ids)
    rows = (
        StockLevel.objects.filter(
            variant_id__in=ids, location__in=locations_of(store_id).order_by().values("pk")
        )
        .values_list("variant_id")
        .annotate(free=Sum(F("on_hand") + F("backorder_limit") - F("held") - F("committed")))
    )
    return {**dict.fromkeys(ids, 0), **{variant: max(0, free) for variant, free in rows}}


def committed_to(reference: str) -> dict[int, int]:
    """Pieces of each variant that are committed to a reference and haven't shipped."""
    rows = Hold.objects.filter(reference=reference, state=Hold.State.COMMITTED)
    return dict(
        rows.values_list("level__variant_id").annotate(rest=Sum(F("quantity") - F("shipped")))
    )


@dataclass(frozen=True, slots=True)
class Source:
    """A location that sends goods; `country` as in ISO 3166-1."""

    code: str
    country: str


def levels_of(store_id: int, variant_ids: Iterable[int]) -> QuerySet[StockLevel]:
    """Where a store's variants lie, with `.place` (of the location) and `.strategy`.

    By subqueries: a joined row would be locked as well on MariaDB.
    """

    def place(field: str) -> Subquery:
        return Subquery(Location.objects.filter(pk=OuterRef("location_id")).values(field))

    rule = AllocationRule.objects.filter(store_id=store_id).values("strategy")
    return StockLevel.objects.filter(
        variant_id__in=list(variant_ids),
        location__in=locations_of(store_id).order_by().values("pk"),
    ).annotate(
        strategy=Subquery(rule),
        priority=place("priority"),
        code=place("code"),
        country=place("country"),
        address=place("address"),
    )


def plan(
    wanted: Mapping[int, int], levels: Iterable[Any], destination: Mapping[str, str]
) -> tuple[list[tuple[int, Any, int]], dict[int, int]]:
    """Which level (of `levels_of`) gives how many pieces, and what is left of what is short."""
    levels = list(levels)
    strategy = levels[0].strategy if levels else None
    preferred: dict[int, tuple[int, int, int]] = {}
    for level in levels:
        origin = {**(level.address or {}), "country": level.country}
        near = strategy == Strategy.NEAREST and destination
        far = distance(origin, destination) if near else 0
        preferred[level.location_id] = (far, level.priority, level.location_id)
    order = sorted(preferred, key=preferred.__getitem__)
    by_place = {(level.variant_id, level.location_id): level for level in levels}
    free = {
        variant: [
            (place, by_place[variant, place].available)
            for place in order
            if (variant, place) in by_place
        ]
        for variant in wanted
    }
    takes, short = allocate(wanted, free, fewest=strategy == Strategy.FEWEST)
    return [(variant, by_place[variant, place], n) for variant, place, n in takes], short


def sources(
    *, store_id: int, wanted: Mapping[int, int], destination: Mapping[str, str] | None = None
) -> list[tuple[int, Source, int]]:
    """Which location would send how many pieces of each wanted variant now, as a hold takes them.

    Variants that are short, or have no stock rows, are left out. One query.
    """
    takes, _short = plan(wanted, levels_of(store_id, wanted), destination or {})
    return [(variant, Source(level.code, level.country), n) for variant, level, n in takes]


def low_levels() -> QuerySet[StockLevel]:
    """Levels at or below their threshold, the emptiest first."""
    return (
        StockLevel.objects.filter(
            low_stock_threshold__gt=0,
            on_hand__lte=F("low_stock_threshold") + F("held") + F("committed"),
        )
        .select_related("variant__product", "location")
        .order_by("on_hand", "pk")
    )


def stock_of(product: Product) -> list[StockLevel]:
    """The stock of every variant of a product at every active location, and wherever else it lies,
    as far as the acting staff may see.

    Ordered by variant, then location. Where there is no row yet, an unsaved empty one stands in.
    """
    variants = list(product.variants.all())
    known = {
        (level.variant_id, level.location_id): level
        for level in scoped(StockLevel.objects.filter(variant__product=product))
    }
    used = {location_id for _variant, location_id in known}
    shown = Q(is_active=True) | Q(pk__in=used)
    places = scoped(Location.objects.filter(shown)).order_by("priority", "pk")
    table = []
    for variant in variants:
        for place in places:
            level = known.get((variant.pk, place.pk))
            if level is None:
                if not place.is_active:
                    continue
                level = StockLevel()
            level.variant, level.location = variant, place
            table.append(level)
    return table


@invariant("stock equals the sum of its movements, on hand and in quarantine")
def _movements() -> Iterator[str]:
    for column, delta in (("on_hand", "delta"), ("quarantined", "quarantined_delta")):
        moved = (
            StockMovement.objects.filter(level=OuterRef("pk"))
            .order_by()
            .values("level")
            .annotate(total=Sum(delta))
            .values("total")
        )
        levels = StockLevel.objects.annotate(moved=Coalesce(Subquery(moved), Value(0)))
        for level in levels.exclude(**{column: F("moved")}):
            yield f"level {level.pk}: {column} {getattr(level, column)}, movements {level.moved}"


@invariant("held and committed stock equal the living holds")
def _promises() -> Iterator[str]:
    for column, state in (("held", Hold.State.HELD), ("committed", Hold.State.COMMITTED)):
        promised = (
            Hold.objects.filter(level=OuterRef("pk"), state=state)
            .order_by()
            .values("level")
            .annotate(total=Sum(F("quantity") - F("shipped")))
            .values("total")
        )
        levels = StockLevel.objects.annotate(promised=Coalesce(Subquery(promised), Value(0)))
        for level in levels.exclude(**{column: F("promised")}):
            yield f"level {level.pk}: {column} {getattr(level, column)}, holds {level.promised}"


@invariant("stock is never negative and promises are covered")
def _covered() -> Iterator[str]:
    bad = StockLevel.objects.filter(
        Q(on_hand__lt=0) | Q(on_hand__lt=F("held") + F("committed") - F("backorder_limit"))
    )
    for level in bad:
        yield f"level {level.pk}: {level.on_hand} on hand, {level.held}+{level.committed} promised"
