from apps.core.events import receives
from apps.orders import services
from apps.orders.events import OrderCancelled, OrderPlaced


@receives(OrderPlaced)
def mail_receipt(event: OrderPlaced) -> None:
    services.send_receipt(order_id=event.order_id)


@receives(OrderCancelled)
def mail_cancellation(event: OrderCancelled) -> None:
    if event.was_confirmed:
        services.send_cancellation(order_id=event.order_id)
