"""Reads of orders."""

from __future__ import annotations

import hmac

from django.db.models import Q, QuerySet

from apps.core.errors import NotFound
from apps.core.scopes import scoped
from apps.orders.models import Order


def orders_for_reading() -> QuerySet[Order]:
    """Orders with everything the API shows of one, in a constant number of queries."""
    return Order.objects.select_related("store", "customer", "split_from").prefetch_related(
        "lines", "payments", "fulfillments__lines__order_line", "timeline"
    )


def orders_for_staff() -> QuerySet[Order]:
    """The same with what staff see besides, of those that the acting staff may see."""
    return scoped(orders_for_reading().select_related("assignee").prefetch_related("tags"))


def order_for_staff(number: str) -> Order:
    """An order that the acting staff may see, with its store. Raises NotFound."""
    order = scoped(Order.objects.select_related("store")).filter(number=number[:30]).first()
    if order is None:
        raise NotFound()
    return order


def order_for_shopper(*, number: str, customer_id: int | None, token: str) -> Order:
    """An own order: a customer's by being signed in, a guest's by its token.

    Raises NotFound for anything else, so that numbers can't be probed. A token opens orders of
    guests only: a signed-in customer's order is that customer's.
    """
    order = orders_for_reading().filter(number=number).first()
    if order is None:
        raise NotFound()
    if order.customer_id is not None and order.customer_id == customer_id:
        return order
    guest = order.customer is None or order.customer.user_id is None
    if guest and token and hmac.compare_digest(order.token.encode(), token.encode()):
        return order
    raise NotFound()


def split_off_of(order: Order) -> list[Order]:
    """The orders that were split off an order, and off those, the oldest first."""
    found: list[Order] = []
    parents = [order.pk]
    while rows := list(Order.objects.filter(split_from__in=parents).order_by("pk")):
        found += rows
        parents = [row.pk for row in rows]
    return sorted(found, key=lambda row: row.pk)


def has_ordered(*, email_key: str, customer_id: int | None, before: int | None = None) -> bool:
    """Whether this mailbox, or this customer, has an order that wasn't cancelled.

    With `before`, the primary key of an order: one that is older.
    """
    mine = Q(email_key=email_key) if email_key else Q(pk__in=[])
    if customer_id is not None:
        mine |= Q(customer_id=customer_id)
    earlier = Q(pk__lt=before) if before else Q()
    return Order.objects.filter(mine, earlier).exclude(status=Order.Status.CANCELLED).exists()


def is_being_packed(order: Order) -> bool:
    """Whether pieces of it are set aside in shipments that wait.

    Shipments stand above; they are read by the names of their relations and states.
    """
    return bool(order.fulfillments.filter(status__in=("planned", "labelled")).exists())
