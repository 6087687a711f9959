"""The stock of a product as one table: what staff counted and allowed, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.inventory.models import Location, StockLevel
from apps.inventory.services.stock import check_count, level_for, set_backorder, set_on_hand
from apps.products.models import Variant


@dataclass(frozen=True, slots=True)
class LevelChange:
    """What is set for a variant at a location; None leaves a number as it is."""

    variant: Variant
    location: Location
    on_hand: int | None = None
    backorder_limit: int | None = None
    low_stock_threshold: int | None = None
    note: str = ""


@transaction.atomic
def set_levels(*, changes: Sequence[LevelChange]) -> None:
    """Set counted quantities, backorder limits and thresholds: all of them or none.

    Raises StockPromised where orders rely on more, with the row's SKU and location.
    """
    levels = [level_for(variant=c.variant, location=c.location) for c in changes]
    list(locked(StockLevel.objects.filter(pk__in=[level.pk for level in levels])))
    for change in changes:
        try:
            _set_level(change)
        except Conflict as error:
            error.extra |= {"sku": change.variant.sku, "location": change.location.code}
            raise


def _set_level(change: LevelChange) -> None:
    variant, location = change.variant, change.location
    level = StockLevel.objects.get(variant=variant, location=location)
    counted, limit = change.on_hand, change.backorder_limit
    # The one that grows goes first, so that the promises are covered at every step.
    limit_first = limit is not None and limit > level.backorder_limit
    if limit is not None and limit_first:
        set_backorder(variant=variant, location=location, limit=limit)
    if counted is not None:
        set_on_hand(variant=variant, location=location, quantity=counted, note=change.note)
    if limit is not None and not limit_first:
        set_backorder(variant=variant, location=location, limit=limit)
    if change.low_stock_threshold is not None:
        set_threshold(variant=variant, location=location, pieces=change.low_stock_threshold)


def set_threshold(*, variant: Variant, location: Location, pieces: int) -> None:
    """Warn when this few pieces are left to sell; 0 never warns."""
    check_count(pieces)
    level = level_for(variant=variant, location=location)
    StockLevel.objects.filter(pk=level.pk).exclude(low_stock_threshold=pieces).update(
        low_stock_threshold=pieces, updated_at=timezone.now()
    )
