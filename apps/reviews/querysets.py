"""Named filters of reviews."""

from __future__ import annotations

from typing import Any

from django.db import models


class ReviewQuerySet(models.QuerySet[Any]):
    def published(self) -> ReviewQuerySet:
        """What shoppers see."""
        return self.filter(status=self.model.Status.APPROVED)

    def waiting(self) -> ReviewQuerySet:
        """The moderation queue."""
        return self.filter(status=self.model.Status.PENDING)

    def of_customer(self, customer_id: int | None) -> ReviewQuerySet:
        """A customer's own; nobody's for None, so that erased authors' match no one."""
        return self.none() if customer_id is None else self.filter(customer_id=customer_id)

    def whole(self) -> ReviewQuerySet:
        """With all that is shown of one, in a constant number of statements."""
        return self.select_related("product", "store", "answer").prefetch_related("photos")
