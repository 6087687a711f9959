"""Promotions by what they are doing now."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q


class PromotionQuerySet(models.QuerySet):
    def in_status(self, status: str, at: datetime) -> PromotionQuerySet:
        """Those whose `status_at(at)` is this: inactive, used_up, ended, scheduled or running."""
        used_up = Q(usage_limit__isnull=False, used__gte=F("usage_limit"))
        ended, scheduled = Q(ends_at__lte=at), Q(starts_at__gt=at)
        found = self.filter(is_active=status != "inactive")
        for name, rows in (("used_up", used_up), ("ended", ended), ("scheduled", scheduled)):
            if status == name:
                return found.filter(rows)
            if status != "inactive":
                found = found.exclude(rows)
        return found
