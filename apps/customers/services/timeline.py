"""What happened to a customer, told once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.core.context import current_actor
from apps.customers.models import Customer, CustomerEvent


@transaction.atomic
def record_event(
    *,
    customer_id: int | None,
    kind: CustomerEvent.Kind,
    message: str = "",
    data: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> None:
    """Write on a customer's timeline; once for a `key`, and nothing for nobody or who is gone."""
    if customer_id is None or not Customer.objects.filter(pk=customer_id).exists():
        return
    fields = {
        "customer_id": customer_id,
        "kind": kind,
        "message": message,
        "data": dict(data or {}),
        "actor": current_actor().label,
    }
    if key is None:
        CustomerEvent.objects.create(**fields)
    else:
        CustomerEvent.objects.get_or_create(key=key, defaults=fields)


@transaction.atomic
def add_note(*, customer: Customer, message: str) -> CustomerEvent:
    """What somebody of the staff wants remembered of a customer, who never sees it."""
    return CustomerEvent.objects.create(
        customer=customer,
        kind=CustomerEvent.Kind.NOTE,
        message=message,
        actor=current_actor().label,
    )
