"""The negative control: a shop that reads, checks and saves its stock, as many do.

A race test that passes with this proves nothing.
"""

import time
from collections.abc import Sequence

from django.apps import AppConfig
from django.db.models import QuerySet


class Unguarded(AppConfig):
    name = "tests.torture"
    label = "unguarded"

    def ready(self) -> None:
        from apps.inventory.models import Hold, StockLevel
        from apps.inventory.services import holds

        def unlocked(queryset: QuerySet) -> QuerySet:
            return queryset.order_by("pk")

        def promise(wanted: Sequence[Hold]) -> None:
            for hold in wanted:
                row = StockLevel.objects.get(pk=hold.level_id)
                if row.available < hold.quantity:
                    raise holds.InsufficientStock()
                # Whatever a busy shop does between the look and the writing.
                time.sleep(0.05)
                row.held += hold.quantity
                row.save()

        holds.locked = unlocked
        holds._promise = promise
