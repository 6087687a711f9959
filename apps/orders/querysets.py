"""Named filters of orders."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q


class OrderQuerySet(models.QuerySet[Any]):
    def for_customer(self, customer_id: int | None) -> OrderQuerySet:
        """A customer's own orders; nobody's for None, so that guests' orders match no one."""
        if customer_id is None:
            return self.none()
        return self.filter(customer_id=customer_id)

    def with_lines(self) -> OrderQuerySet:
        return self.prefetch_related("lines")

    def to_ship(self) -> OrderQuerySet:
        """Accepted and not held, and something of it still lies on the shelf."""
        status = self.model.Status
        return self.filter(status__in=(status.CONFIRMED, status.PROCESSING), on_hold=False)

    def held(self) -> OrderQuerySet:
        """Sold, and kept back until somebody has looked."""
        return self.sold().filter(on_hold=True)

    def unpaid(self) -> OrderQuerySet:
        """Waiting for their first payment."""
        return self.filter(status=self.model.Status.PENDING)

    def to_capture(self) -> OrderQuerySet:
        """Money is authorized but not taken, or not all of it."""
        paid = self.model.PaymentStatus
        part = Q(payment_status=paid.PARTIALLY_PAID, authorized_amount__gt=F("captured_amount"))
        return self.exclude(status=self.model.Status.CANCELLED).filter(
            Q(payment_status=paid.AUTHORIZED) | part
        )

    def sold(self) -> OrderQuerySet:
        """What counts as sales: confirmed, and not cancelled since."""
        status = self.model.Status
        return self.exclude(status__in=(status.PENDING, status.CANCELLED))
