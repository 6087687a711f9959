"""Row locks, in one order, on every engine.

The global order of lock classes, to which every service keeps so that no two transactions wait
for each other: customer, wishlist, cart, order, approval, return, shipment, payment, saved method,
stored value (gift card, store credit), hold, stock level, number sequence, review, a product's
rating. Inside a class, rows are locked by ascending primary key.
"""

from __future__ import annotations

from typing import TypeVar

from django.db import connections, models, router
from django.db.models import QuerySet

M = TypeVar("M", bound=models.Model)


def locked(queryset: QuerySet[M]) -> QuerySet[M]:
    """`queryset` with its own rows locked until the transaction ends, in primary key order.

    MariaDB refuses FOR UPDATE OF; SQLite has no row locks, its write transactions are serial
    (BEGIN IMMEDIATE).
    """
    queryset = queryset.order_by("pk")
    features = connections[router.db_for_write(queryset.model)].features
    if features.has_select_for_update_of:
        return queryset.select_for_update(of=("self",))
    return queryset.select_for_update()
