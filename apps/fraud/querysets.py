"""Named filters of suspicious checkouts."""

from __future__ import annotations

from typing import Any

from django.db import models


class AssessmentQuerySet(models.QuerySet[Any]):
    def waiting(self) -> AssessmentQuerySet:
        """The review queue: orders that are held until somebody decides."""
        model = self.model
        return self.filter(
            verdict=model.Verdict.REVIEW,
            decision=model.Decision.OPEN,
            order__confirmed_at__isnull=False,
        )
