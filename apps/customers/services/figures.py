"""What customers are worth, as the rooms above count it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from django.db import transaction

from apps.customers.models import Customer
from apps.customers.services.segments import refresh_customer


class Counted(TypedDict):
    """One currency of a customer; `spent` in minor units."""

    currency: str
    orders: int
    spent: int
    first_order_at: datetime | None
    last_order_at: datetime | None


@transaction.atomic
def set_figures(*, customer: Customer, counted: Iterable[Counted]) -> None:
    """Make these a customer's figures, one row a currency, and look at their segments.

    The caller holds the customer's lock since before it counted.
    """
    rows = {row["currency"]: row for row in counted}
    customer.figures.exclude(currency__in=rows).delete()
    for currency, row in rows.items():
        customer.figures.update_or_create(currency=currency, defaults=row)
    refresh_customer(customer_id=customer.pk)
