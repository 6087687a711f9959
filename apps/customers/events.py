"""What happens to customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class CustomerRegistered(Event):
    """Somebody made an account. `customer_id` is the public id, `store` a store's code."""

    name: ClassVar[str] = "customer.registered"

    customer_id: str
    store: str
