"""Reads on customers."""

from __future__ import annotations

from typing import Any

from apps.customers.models import Customer
from apps.stores.models import Store
from apps.stores.selectors import default_store


def welcome_context(customer: Customer, store_code: str) -> dict[str, Any]:
    """What the welcome mail tells; a store that is gone leaves its place to the default one."""
    store = Store.objects.filter(code=store_code).first() or default_store()
    return {
        "store_name": store.name,
        "store_email": store.email,
        "first_name": customer.first_name,
    }
