"""Named filters of products."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q


class ProductQuerySet(models.QuerySet[Any]):
    def published(self, store_id: int, at: datetime, *, group_id: int | None) -> ProductQuerySet:
        """For sale in a store at a moment, to customers of a group; None: to everybody."""
        audience = Q(publications__members_only=False)
        if group_id is not None:
            theirs = self.model.stores.through.objects.filter(groups=group_id)
            audience |= Q(publications__in=theirs)
        return self.filter(
            audience,
            Q(publications__starts_at__isnull=True) | Q(publications__starts_at__lte=at),
            Q(publications__ends_at__isnull=True) | Q(publications__ends_at__gt=at),
            status="active",
            publications__store_id=store_id,
        )
