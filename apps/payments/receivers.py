from uuid import UUID

from apps.core.events import receives
from apps.core.money import money_json
from apps.customers.events import ErasureAsked
from apps.customers.models import CustomerEvent
from apps.customers.services.timeline import record_event
from apps.orders.events import (
    OrderCancelled,
    OrderEdited,
    OrderPaid,
    OrdersCombined,
    OrderSplit,
    PiecesShipped,
)
from apps.orders.models import Order
from apps.payments import services
from apps.payments.events import (
    PaymentRefunded,
    PaymentUnwanted,
    ProviderEventReceived,
    SavedMethodDeclined,
)
from apps.payments.models import Refund


@receives(ProviderEventReceived)
def process_webhook(event: ProviderEventReceived) -> None:
    services.process_event(gateway_code=event.gateway, event_id=event.event_id)


@receives(ErasureAsked)
def let_go_of_cards(event: ErasureAsked) -> None:
    services.forget_methods(customer_id=event.customer_id)


@receives(PaymentUnwanted)
def give_back(event: PaymentUnwanted) -> None:
    services.settle_unwanted(payment_id=event.payment_id)


@receives(SavedMethodDeclined)
def send_link_instead(event: SavedMethodDeclined) -> None:
    services.send_link_instead(payment_id=event.payment_id)


@receives(OrderCancelled)
def give_back_all(event: OrderCancelled) -> None:
    services.settle_edited(order_id=event.order_id)


@receives(OrderEdited)
def settle_and_tell(event: OrderEdited) -> None:
    if event.edit_id:
        services.settle_and_tell(order_id=event.order_id, edit_id=event.edit_id)
    else:
        services.settle_edited(order_id=event.order_id)


@receives(PiecesShipped, OrderEdited)
def capture_shipped(event: PiecesShipped | OrderEdited) -> None:
    """An edit may take out the last pieces that hadn't shipped."""
    services.capture_shipped(order_id=event.order_id)


@receives(OrdersCombined)
def settle_combined(event: OrdersCombined) -> None:
    services.settle_edited(order_id=event.order_id)


@receives(OrdersCombined)
def settle_emptied(event: OrdersCombined) -> None:
    """Its payments moved; whoever has its link shall not pay by it."""
    services.settle(order=Order.objects.get(number=event.other_number))


@receives(OrderSplit)
def settle_split(event: OrderSplit) -> None:
    """What was owed is owed of both."""
    services.settle_edited(order_id=event.order_id)
    services.settle_edited(order_id=event.new_id)


@receives(PaymentRefunded)
def mail_refund(event: PaymentRefunded) -> None:
    services.send_refund_mail(refund_id=event.refund_id)


@receives(OrderPaid)
def issue_gift_cards(event: OrderPaid) -> None:
    services.issue_sold_cards(order_id=event.order_id)


@receives(OrderCancelled)
def withdraw_gift_cards(event: OrderCancelled) -> None:
    services.withdraw_sold_cards(order_id=event.order_id)


@receives(PaymentRefunded)
def withdraw_refunded_gift_cards(event: PaymentRefunded) -> None:
    services.withdraw_refunded(refund_id=event.refund_id)


@receives(PaymentRefunded)
def note_refund(event: PaymentRefunded) -> None:
    refund = Refund.objects.select_related("payment__order").get(public_id=UUID(event.refund_id))
    order = refund.payment.order
    record_event(
        customer_id=order.customer_id,
        kind=CustomerEvent.Kind.REFUNDED,
        message=order.number,
        data={"amount": money_json(refund.amount, order.currency)},
        key=f"{event.name}:{event.refund_id}",
    )
