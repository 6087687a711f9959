"""The negative control: a shop that reads, checks and saves its stock, as many do.

A race test that passes with this proves nothing.
"""

from django.apps import AppConfig
from django.db.models import QuerySet


class Unguarded(AppConfig):
    name = "tests.torture"
    label = "unguarded"

    def ready(self) -> None:
        from apps.inventory.models import StockLevel
        from apps.inventory.services import holds

        def unlocked(queryset: QuerySet) -> QuerySet:
            return queryset.order_by("pk")

        def promise(level: StockLevel, quantity: int) -> None:
            row = StockLevel.objects.get(pk=level.pk)
            if row.available < quantity:
                raise holds.InsufficientStock()
            row.held += quantity
            row.save()

        holds.locked = unlocked
        holds._promise = promise
