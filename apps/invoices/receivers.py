from uuid import UUID

from apps.core.events import receives
from apps.fulfillment.events import FulfillmentShipped
from apps.invoices import services
from apps.invoices.events import BatchAsked, InvoiceIssued
from apps.orders.events import (
    OrderCancelled,
    OrderEdited,
    OrderPaid,
    OrderPlaced,
    OrderReleased,
    OrdersCombined,
    OrderSplit,
)
from apps.orders.models import Order
from apps.payments.events import PaymentRefunded, RefundedElsewhere
from apps.returns.events import ReturnExchanged, ReturnRefunded


@receives(OrderPlaced, OrderPaid, OrderReleased)
def invoice_order(event: OrderPlaced | OrderPaid | OrderReleased) -> None:
    services.issue_if_due(order=Order.objects.get(public_id=UUID(event.order_id)))


@receives(FulfillmentShipped)
def invoice_shipped_order(event: FulfillmentShipped) -> None:
    services.issue_if_due(order=Order.objects.get(number=event.order_number))


@receives(PaymentRefunded)
def credit_refund(event: PaymentRefunded) -> None:
    services.credit_refund(refund_id=event.refund_id)


@receives(RefundedElsewhere)
def credit_foreign_refund(event: RefundedElsewhere) -> None:
    services.bring_up_to_date(order=Order.objects.get(public_id=UUID(event.order_id)))


@receives(ReturnRefunded, ReturnExchanged)
def credit_return(event: ReturnRefunded | ReturnExchanged) -> None:
    services.credit_return(return_id=event.return_id)


@receives(OrderCancelled, OrderEdited, OrdersCombined)
def correct_invoices(event: OrderCancelled | OrderEdited | OrdersCombined) -> None:
    services.follow_edit(order=Order.objects.get(public_id=UUID(event.order_id)))


@receives(OrdersCombined)
def correct_invoices_of_the_other(event: OrdersCombined) -> None:
    services.bring_up_to_date(order=Order.objects.get(number=event.other_number))


@receives(OrderSplit)
def correct_invoices_of_both(event: OrderSplit) -> None:
    services.follow_split(
        order=Order.objects.get(public_id=UUID(event.order_id)),
        new=Order.objects.get(public_id=UUID(event.new_id)),
    )


@receives(InvoiceIssued)
def mail_invoice(event: InvoiceIssued) -> None:
    services.mail_invoice(invoice_id=event.invoice_id)


@receives(BatchAsked)
def make_batch(event: BatchAsked) -> None:
    services.make_batch(batch_id=event.batch_id)
