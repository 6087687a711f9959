"""Named filters of listings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q


def visible(*, store_id: int, currency: str, at: datetime, through: str = "") -> Q:
    """What shoppers of a store see at a moment, priced in a currency.

    `through` leads to the listing: `related__listings__`.
    """
    return Q(
        Q(**{f"{through}starts_at__isnull": True}) | Q(**{f"{through}starts_at__lte": at}),
        Q(**{f"{through}ends_at__isnull": True}) | Q(**{f"{through}ends_at__gt": at}),
        **{f"{through}store": store_id, f"{through}currency": currency},
    )


class ListingQuerySet(models.QuerySet[Any]):
    def visible(self, *, store_id: int, currency: str, at: datetime) -> ListingQuerySet:
        return self.filter(visible(store_id=store_id, currency=currency, at=at))
