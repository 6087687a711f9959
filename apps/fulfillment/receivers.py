from apps.core.events import receives
from apps.fulfillment import services
from apps.fulfillment.events import FulfillmentShipped


@receives(FulfillmentShipped)
def mail_shipment(event: FulfillmentShipped) -> None:
    services.send_shipment_mail(fulfillment_id=event.fulfillment_id)
