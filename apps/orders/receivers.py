from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.accounts.events import EmailVerified
from apps.core.events import receives
from apps.customers.events import CustomersMerged
from apps.customers.models import Customer, CustomerEvent
from apps.customers.services.timeline import record_event
from apps.orders import services
from apps.orders.events import (
    BulkQueued,
    ExportQueued,
    OrderCancelled,
    OrderEdited,
    OrderFundsChanged,
    OrderPaid,
    OrderPlaced,
    OrdersCombined,
    OrderSplit,
)
from apps.orders.models import ExportRun, Order
from apps.orders.tasks import run_bulk, run_exports


@receiver(post_delete, sender=ExportRun)
def forget_file(instance: ExportRun, **kwargs: Any) -> None:
    """Whatever took the row along: its schedule, too."""
    if instance.file:
        file = instance.file
        transaction.on_commit(lambda: file.storage.delete(file.name), robust=True)


@receives(OrderPlaced)
def mail_receipt(event: OrderPlaced) -> None:
    services.send_receipt(order_id=event.order_id)


@receives(OrderCancelled)
def mail_cancellation(event: OrderCancelled) -> None:
    if event.was_confirmed:
        services.send_cancellation(order_id=event.order_id)


@receives(OrderEdited, OrdersCombined)
def find_changed_order(event: OrderEdited | OrdersCombined) -> None:
    services.index_order(order=Order.objects.get(public_id=UUID(event.order_id)))


@receives(OrdersCombined)
def find_emptied_order(event: OrdersCombined) -> None:
    services.index_order(order=Order.objects.get(number=event.other_number))


@receives(OrderPlaced, OrderPaid, OrderFundsChanged, OrderCancelled, OrderSplit, OrdersCombined)
def count_for_customer(event: Any) -> None:
    order = Order.objects.get(public_id=UUID(event.order_id))
    if order.customer_id is not None:
        services.refresh_figures(customer_id=order.customer_id)


@receives(CustomersMerged)
def count_for_merged(event: CustomersMerged) -> None:
    customer = Customer.objects.filter(public_id=event.customer_id).first()
    if customer is not None:
        services.refresh_figures(customer_id=customer.pk)


@receives(OrderPlaced)
def note_order(event: OrderPlaced) -> None:
    _note(event, CustomerEvent.Kind.ORDERED)


@receives(OrderCancelled)
def note_cancellation(event: OrderCancelled) -> None:
    if event.was_confirmed:
        _note(event, CustomerEvent.Kind.CANCELLED)


def _note(event: OrderPlaced | OrderCancelled, kind: CustomerEvent.Kind) -> None:
    order = Order.objects.get(public_id=UUID(event.order_id))
    record_event(
        customer_id=order.customer_id,
        kind=kind,
        message=order.number,
        key=f"{event.name}:{event.order_id}",
    )


@receives(EmailVerified)
def hand_over_guest_orders(event: EmailVerified) -> None:
    services.adopt_guest_orders(user_id=event.user_id)


@receives(ExportQueued)
def write_export(event: ExportQueued) -> None:
    """Without waiting for the clock."""
    run_exports.delay()


@receives(BulkQueued)
def start_bulk(event: BulkQueued) -> None:
    """Without waiting for the clock."""
    run_bulk.delay()
