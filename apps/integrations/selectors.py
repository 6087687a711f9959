"""Reads of imports: the jobs that wait, what the shop has already."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from apps.integrations.models import ImportJob
from apps.inventory.models import Location, StockLevel
from apps.inventory.selectors import locations_of
from apps.pricing.models import Price


def default_location(store_id: int) -> Location | None:
    """Where the stock of a file lies that names no location."""
    return locations_of(store_id).first()


def waiting_jobs(now: datetime) -> QuerySet[ImportJob]:
    """Jobs nobody works on at this moment, the oldest first."""
    return ImportJob.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now),
        status__in=(ImportJob.Status.QUEUED, ImportJob.Status.RUNNING),
    ).order_by("pk")


def prices_by_scope(variant_ids: Iterable[int]) -> dict[str, Price]:
    """The stored prices of variants by their scope."""
    return {price.scope: price for price in Price.objects.filter(variant_id__in=variant_ids)}


def levels_by_place(variant_ids: Iterable[int]) -> dict[tuple[int, int], StockLevel]:
    """The stock rows of variants by (variant, location)."""
    rows = StockLevel.objects.filter(variant_id__in=variant_ids)
    return {(level.variant_id, level.location_id): level for level in rows}
