"""Asking the gateway about what is undecided: answers that never came, browsers that never did."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from apps.core.errors import DomainError
from apps.orders.models import Order
from apps.payments.gateways.base import GatewayError
from apps.payments.models import Capture, Payment, Refund
from apps.payments.selectors import UNDECIDED, open_attempt, payments_of
from apps.payments.services.applying import WrongPayment, apply_state
from apps.payments.services.asking import ask
from apps.payments.services.capturing import finish_capture
from apps.payments.services.operations import finish_refund
from apps.payments.services.starting import drive

logger = logging.getLogger(__name__)
PATIENCE = timedelta(minutes=2)
GIVE_UP = timedelta(days=15)


def reconcile(*, now: datetime | None = None, limit: int = 200) -> int:
    """Settle payments, captures and refunds that have been undecided for two minutes; how many
    payments were asked for.

    A payment without an answer is asked for under its own key, so that it exists once at the
    gateway, whatever happened to the first call.
    """
    now = now or timezone.now()
    undecided = Payment.objects.filter(
        Q(status__in=UNDECIDED), updated_at__lt=now - PATIENCE, created_at__gt=now - GIVE_UP
    ).select_related("order")
    payments = list(undecided.order_by("updated_at", "pk")[:limit])
    for payment in payments:
        # The next round begins with those that weren't asked in this one.
        Payment.objects.filter(pk=payment.pk).update(updated_at=now)
        _settle(payment)
    pending = {"status": Refund.Status.PENDING, "updated_at__lt": now - PATIENCE}
    captures = Capture.objects.filter(**pending).select_related("payment")
    refunds = Refund.objects.filter(**pending).select_related("payment__order")
    for capture in captures.order_by("pk")[:limit]:
        with _told("capture"):
            finish_capture(capture=capture)
    for refund in refunds.order_by("pk")[:limit]:
        with _told("refund"):
            finish_refund(refund=refund)
    return len(payments)


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except DomainError as error:
        logger.warning("%s refused: %s", what, error.code)


def look_again(*, order: Order) -> None:
    """Ask the gateway now about what is undecided: the shopper is back, the webhook may not be."""
    if payment := open_attempt(payments_of(order)):
        _settle(payment)


def _settle(payment: Payment) -> None:
    try:
        if payment.provider_id is None:
            drive(payment)
        else:
            apply_state(payment=payment, state=ask(payment))
    except (GatewayError, WrongPayment) as error:
        logger.warning("reconciliation: %s", error.code, extra={"payment": str(payment.public_id)})
