from uuid import UUID

from apps.accounts.events import EmailVerified
from apps.core.events import receives
from apps.orders import services
from apps.orders.events import (
    BulkQueued,
    ExportQueued,
    OrderCancelled,
    OrderEdited,
    OrderPlaced,
    OrdersCombined,
)
from apps.orders.models import Order
from apps.orders.tasks import run_bulk, run_exports


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
