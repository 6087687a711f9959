"""What returns do about their own events, and about refunds that worked."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.core import photos
from apps.core.events import receives
from apps.customers.models import CustomerEvent
from apps.customers.services.timeline import record_event
from apps.fulfillment.events import TrackingAnnounced
from apps.orders.models import Order
from apps.payments.events import PaymentRefunded
from apps.returns import services
from apps.returns.events import (
    ContractWithdrawn,
    ReturnApproved,
    ReturnCancelled,
    ReturnDeclined,
    ReturnLabelBought,
    ReturnLabelUnwanted,
    ReturnPhotosAdded,
    ReturnReceived,
    ReturnRequested,
    ReturnSettled,
)
from apps.returns.models import ReturnPhoto
from apps.returns.tasks import process_photos


@receiver(post_delete, sender=ReturnPhoto)
def forget_files(instance: ReturnPhoto, **kwargs: Any) -> None:
    """Whatever took the row along: its return, or the order."""
    photos.forget_files(photo=instance)


@receives(ReturnRequested)
def mail_requested(event: ReturnRequested) -> None:
    services.mail_return(kind="requested", return_id=event.return_id)


@receives(ReturnRequested)
def note_request(event: ReturnRequested) -> None:
    order = Order.objects.get(number=event.order_number)
    record_event(
        customer_id=order.customer_id,
        kind=CustomerEvent.Kind.RETURN,
        message=order.number,
        key=f"{event.name}:{event.return_id}",
    )


@receives(ReturnPhotosAdded)
def process_soon(event: ReturnPhotosAdded) -> None:
    """To the workers of the bulk queue: decoding must not hold up the relay."""
    process_photos.delay()


@receives(ReturnApproved)
def mail_approved(event: ReturnApproved) -> None:
    services.mail_return(kind="approved", return_id=event.return_id)


@receives(ReturnApproved)
def buy_label(event: ReturnApproved) -> None:
    services.buy_by_policy(return_id=event.return_id)


@receives(ReturnLabelBought)
def mail_label(event: ReturnLabelBought) -> None:
    services.mail_label(label_id=event.label_id)


@receives(ReturnLabelUnwanted)
def give_label_back(event: ReturnLabelUnwanted) -> None:
    services.drive_unwanted(label_id=event.label_id)


@receives(TrackingAnnounced)
def ask_carrier(event: TrackingAnnounced) -> None:
    services.ask_about_return(carrier=event.carrier, tracking_number=event.tracking_number)


@receives(ReturnDeclined)
def mail_declined(event: ReturnDeclined) -> None:
    services.mail_return(kind="declined", return_id=event.return_id)


@receives(ReturnReceived)
def mail_received(event: ReturnReceived) -> None:
    services.mail_return(kind="received", return_id=event.return_id)


@receives(ReturnSettled, ReturnCancelled)
def pay_out(event: ReturnSettled | ReturnCancelled) -> None:
    services.pay_out(return_id=event.return_id)


@receives(ReturnSettled)
def mail_refunded(event: ReturnSettled) -> None:
    services.mail_return(kind="refunded", return_id=event.return_id)


@receives(PaymentRefunded)
def record_refund(event: PaymentRefunded) -> None:
    services.record_refund(refund_id=event.refund_id)


@receives(ContractWithdrawn)
def acknowledge_withdrawal(event: ContractWithdrawn) -> None:
    services.mail_withdrawal(withdrawal_id=event.withdrawal_id)
