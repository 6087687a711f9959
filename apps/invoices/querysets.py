"""Named filters of invoices."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models


class InvoiceQuerySet(models.QuerySet[Any]):
    """What was issued stays as it is: many can't be changed or deleted either."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError("Invoices are append-only.")

    def delete(self) -> NoReturn:
        raise TypeError("Invoices are append-only.")

    def for_reading(self) -> InvoiceQuerySet:
        """With the rows that are shown with one."""
        return self.select_related("store", "order", "corrects")
