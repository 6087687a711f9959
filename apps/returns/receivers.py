"""What returns do about their own events, and about refunds that worked."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.core import photos
from apps.core.events import receives
from apps.payments.events import PaymentRefunded
from apps.returns import services
from apps.returns.events import (
    ContractWithdrawn,
    ReturnApproved,
    ReturnCancelled,
    ReturnDeclined,
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


@receives(ReturnPhotosAdded)
def process_soon(event: ReturnPhotosAdded) -> None:
    """To the workers of the bulk queue: decoding must not hold up the relay."""
    process_photos.delay()


@receives(ReturnApproved)
def mail_approved(event: ReturnApproved) -> None:
    services.mail_return(kind="approved", return_id=event.return_id)


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
