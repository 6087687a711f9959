"""How many pieces of a line come back. Why, and what becomes of them, is told above."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.orders.models import Order, OrderLine


class NothingToReturn(Conflict):
    code = "nothing_to_return"
    message = _("More pieces than were shipped and aren't returned yet.")


@transaction.atomic
def take_back(*, order: Order, quantities: Mapping[int, int]) -> None:
    """Pieces are to come back, by line primary key. Raises NothingToReturn beyond what shipped."""
    for pk, quantity in sorted(quantities.items()):
        taken = OrderLine.objects.filter(
            pk=pk, order=order, fulfilled_quantity__gte=F("returned_quantity") + quantity
        ).update(returned_quantity=F("returned_quantity") + quantity)
        if not taken:
            raise NothingToReturn()


@transaction.atomic
def record_credited(*, order: Order, amount: int) -> None:
    """Note that so many minor units more (below zero: less) of what was paid were given back
    otherwise than by refunds."""
    credited = F("credited_amount") + amount
    Order.objects.filter(pk=order.pk).update(credited_amount=credited, updated_at=timezone.now())
    order.refresh_from_db(fields=["credited_amount"])


@transaction.atomic
def leave_with_customer(*, order: Order, quantities: Mapping[int, int]) -> None:
    """Pieces don't come back after all. Raises NothingToReturn beyond what was to."""
    for pk, quantity in sorted(quantities.items()):
        left = OrderLine.objects.filter(pk=pk, order=order, returned_quantity__gte=quantity).update(
            returned_quantity=F("returned_quantity") - quantity
        )
        if not left:
            raise NothingToReturn()
