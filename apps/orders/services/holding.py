"""Holding an order back: it is sold, and nothing of it may leave until it is released."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from apps.core import audit
from apps.core.events import publish
from apps.orders import states
from apps.orders.events import OrderReleased
from apps.orders.models import Order
from apps.orders.services.reports import record_event

HOLDABLE = frozenset({states.PENDING, states.CONFIRMED, states.PROCESSING})


@transaction.atomic
def hold_order(*, order: Order, reason: str = "") -> Order:
    """Let nothing of the order be shipped. Repeating it changes nothing; neither does holding
    what has left or was cancelled."""
    return _set(order, True, "held", reason)


@transaction.atomic
def release_order(*, order: Order, reason: str = "") -> Order:
    """What was held may be shipped. Repeating it changes nothing."""
    return _set(order, False, "released", reason)


def _set(order: Order, value: bool, kind: str, reason: str) -> Order:
    rows = Order.objects.filter(pk=order.pk, on_hold=not value)
    if value:
        rows = rows.filter(status__in=HOLDABLE)
    if rows.update(on_hold=value, updated_at=timezone.now()):
        # For staff: a shopper isn't told of what.
        record_event(order=order, kind=kind, message=reason)
        audit.record(f"order.{kind}", order)
        if not value:
            publish(OrderReleased(order_id=str(order.public_id), number=order.number))
    order.refresh_from_db()
    return order
