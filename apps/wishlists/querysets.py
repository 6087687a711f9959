"""Named filters of alerts."""

from __future__ import annotations

from typing import Any

from django.db import models


class AlertQuerySet(models.QuerySet[Any]):
    def waiting(self, kind: str) -> AlertQuerySet:
        """Those of a kind that are to be told yet."""
        return self.filter(status="waiting", kind=kind)
