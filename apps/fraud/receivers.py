from apps.core.events import receives
from apps.fraud import services
from apps.orders.events import OrderPlaced


@receives(OrderPlaced)
def hold_suspicious(event: OrderPlaced) -> None:
    services.hold_suspicious(order_id=event.order_id)
