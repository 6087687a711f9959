"""Named filters of listings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q


class ListingQuerySet(models.QuerySet[Any]):
    def visible(self, *, store_id: int, currency: str, at: datetime) -> ListingQuerySet:
        """What shoppers of a store see at a moment, priced in a currency."""
        return self.filter(
            Q(starts_at__isnull=True) | Q(starts_at__lte=at),
            Q(ends_at__isnull=True) | Q(ends_at__gt=at),
            store_id=store_id,
            currency=currency,
        )
