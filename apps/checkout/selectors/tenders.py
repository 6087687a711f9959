"""What gift cards and store credit pay of a cart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from apps.checkout.models import Cart
from apps.payments.selectors import Tender, plan_tenders


def tenders_of(cart: Cart, *, total: int, at: datetime) -> list[Tender]:
    """Each with its part of `total` (minor units) as it would be charged at `at`."""
    if not cart.tenders:
        return []
    return plan_tenders(
        total=total,
        currency=cart.currency,
        ids=[UUID(entry["id"]) for entry in cart.tenders],
        customer_id=cart.customer_id,
        at=at,
    )


def pays_less(cart: Cart, tenders: Sequence[Tender], total: int) -> bool:
    """Whether `tenders` pay less of `total` than by the balances that the shopper saw."""
    seen = sum(entry["seen"] for entry in cart.tenders)
    return sum(tender.amount for tender in tenders) < min(seen, total)
