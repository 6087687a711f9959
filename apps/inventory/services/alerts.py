"""Staff learns once when a level becomes low."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.core.ids import uuid7
from apps.inventory.models import StockLevel
from apps.inventory.selectors import low_levels
from apps.notifications.services import notify
from apps.stores.models import Store
from apps.stores.selectors import active_stores

# More than this at once wait for the next run.
BATCH = 500


@transaction.atomic
def alert_low_stock() -> list[StockLevel]:
    """Mail every store's address which levels of its locations have become low; these levels.

    Each is told once, and again only after it has recovered.
    """
    now = timezone.now()
    StockLevel.objects.filter(low_since__isnull=False).filter(
        Q(low_stock_threshold=0)
        | Q(on_hand__gt=F("low_stock_threshold") + F("held") + F("committed"))
    ).update(low_since=None)
    low = low_levels().filter(low_since__isnull=True).prefetch_related("location__stores")
    fresh = [
        level
        for level in low[:BATCH]
        if StockLevel.objects.filter(pk=level.pk, low_since__isnull=True).update(low_since=now)
    ]
    for store in active_stores():
        _mail(store, [level for level in fresh if _sells_from(store, level)])
    return fresh


def _sells_from(store: Store, level: StockLevel) -> bool:
    stores = {row.pk for row in level.location.stores.all()}
    return not stores or store.pk in stores


def _mail(store: Store, levels: Sequence[StockLevel]) -> None:
    if not levels or not store.email:
        return
    rows: list[dict[str, Any]] = [
        {
            "sku": level.variant.sku,
            "product": level.variant.product.name,
            "location": level.location.name,
            "available": level.on_hand - level.held - level.committed,
        }
        for level in levels
    ]
    notify(
        kind="inventory/low_stock",
        recipient=store.email,
        language=store.languages[0] if store.languages else "en",
        context={"store_name": store.name, "levels": rows},
        dedupe_key=f"low_stock:{uuid7()}",
    )
