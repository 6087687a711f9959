"""Customers as the staff name them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from apps.core.errors import NotFound
from apps.customers.models import Customer


def group_id_of(customer: Customer | None) -> int | None:
    """The group a shopper belongs to; None: to none, as a guest."""
    return customer.group_id if customer else None


def known_customers() -> QuerySet[Customer]:
    """All but those who were erased: of them nothing is shown or done any more."""
    return Customer.objects.filter(erased_at=None)


def customer_called(public_id: UUID) -> Customer:
    """Raises NotFound."""
    customer = known_customers().filter(public_id=public_id).first()
    if customer is None:
        raise NotFound()
    return customer
