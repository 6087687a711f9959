from apps.core.events import receives
from apps.fraud import services
from apps.orders.events import OrderPlaced


@receives(OrderPlaced)
def join_order(event: OrderPlaced) -> None:
    services.join_order(order_id=event.order_id)
