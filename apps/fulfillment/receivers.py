from apps.core.events import receives
from apps.fulfillment import services
from apps.fulfillment.events import (
    FulfillmentDelivered,
    FulfillmentFailed,
    FulfillmentReturned,
    FulfillmentShipped,
    LabelUnwanted,
    PrintQueued,
    TrackingAnnounced,
)
from apps.fulfillment.tasks import run_print_jobs
from apps.orders.events import OrderCancelled, OrderEdited, OrderSplit


@receives(FulfillmentShipped)
def mail_shipment(event: FulfillmentShipped) -> None:
    services.send_shipment_mail(fulfillment_id=event.fulfillment_id)


@receives(FulfillmentDelivered)
def mail_delivery(event: FulfillmentDelivered) -> None:
    services.send_news_mail(kind="delivered", fulfillment_id=event.fulfillment_id)


@receives(FulfillmentFailed)
def mail_failure(event: FulfillmentFailed) -> None:
    services.send_news_mail(kind="failed", fulfillment_id=event.fulfillment_id)


@receives(FulfillmentReturned)
def mail_return(event: FulfillmentReturned) -> None:
    services.send_news_mail(kind="returned", fulfillment_id=event.fulfillment_id)


@receives(LabelUnwanted)
def give_label_back(event: LabelUnwanted) -> None:
    services.give_back(label_id=event.label_id)


@receives(TrackingAnnounced)
def ask_carrier(event: TrackingAnnounced) -> None:
    services.ask_about(carrier=event.carrier, tracking_number=event.tracking_number)


@receives(OrderCancelled)
def cancel_shipments(event: OrderCancelled) -> None:
    services.cancel_waiting(order_id=event.order_id)


@receives(OrderEdited, OrderSplit)
def follow_edit(event: OrderEdited | OrderSplit) -> None:
    services.follow_edit(order_id=event.order_id)


@receives(PrintQueued)
def print_at_once(event: PrintQueued) -> None:
    """Without waiting for the clock."""
    run_print_jobs.delay()
