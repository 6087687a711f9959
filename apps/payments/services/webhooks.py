"""Gateways' webhooks: verified and stored at once, acted on afterwards, by asking again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.outbox import retry_delay
from apps.core.ratelimit import Limit, caller
from apps.orders import services as orders
from apps.payments.events import ProviderEventReceived
from apps.payments.gateways import UnknownGateway, gateway
from apps.payments.gateways.base import (
    DisputeState,
    Gateway,
    GatewayError,
    InvalidSignature,
    WebhookEvent,
)
from apps.payments.models import Dispute, GatewayAccount, Payment, ProviderEvent
from apps.payments.selectors import accounts_of
from apps.payments.services.applying import WrongPayment, apply_state
from apps.payments.services.asking import take_approved
from apps.payments.services.operations import GatewayUnreachable
from apps.payments.services.saved_methods import look_at_method

logger = logging.getLogger(__name__)
_Status = ProviderEvent.Status
# A webhook may come before our own answer is written; after this it is staff's to look at.
MAX_ATTEMPTS = 6
# Of one network, in so many seconds; beyond it nobody is asked.
FORGED = Limit("webhook-forged", by="gateway and network", most=10, seconds=600)
_NAMELESS = "names no payment"


class ForgedWebhook(DomainError):
    code = "invalid_signature"
    message = _("The signature isn't valid.")


class NotProcessed(Conflict):
    code = "event_not_processed"
    message = _("The event still doesn't fit.")


def receive_webhook(*, gateway_code: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Verify and store a webhook; False if it had been stored before.

    Raises ForgedWebhook (nothing is stored), UnknownGateway, and GatewayUnreachable where the
    gateway has to be asked: it will send the webhook again; RateLimited for a network that sent
    many such a gateway hadn't signed, before it is asked.
    """
    _refuse_forger(gateway_code)
    try:
        event, account = _verified(gateway_code, headers, body)
        status = _status_of(gateway(gateway_code, account), event)
    except (InvalidSignature, ValueError) as error:
        logger.warning("forged webhook", extra={"gateway": gateway_code})
        _count_forged(gateway_code)
        raise ForgedWebhook() from error
    except GatewayError as error:
        if error.permanent:
            _count_forged(gateway_code)
        raise GatewayUnreachable() from error
    dispute = event.dispute
    payload = {
        **(event.payload or {}),
        **({"method": event.method_id} if event.method_id else {}),
        **({"dispute": _dispute_json(dispute)} if dispute else {}),
    }
    try:
        with transaction.atomic():
            ProviderEvent.objects.create(
                gateway=gateway_code,
                account=account,
                event_id=event.event_id[:120],
                type=event.type[:80],
                provider_id=event.provider_id[:120],
                status=status,
                note="" if status == _Status.PENDING else _NAMELESS,
                due_at=timezone.now() + timedelta(minutes=2),
                payload=payload,
            )
            if status == _Status.PENDING:
                publish(ProviderEventReceived(gateway=gateway_code, event_id=event.event_id))
    except IntegrityError:
        return False
    return True


def _refuse_forger(code: str) -> None:
    """Each look may be a call to the gateway: nobody gets many of them for nothing."""
    if _asks_to_verify(code):
        FORGED.check(f"{code}:{caller()}")


def _count_forged(code: str) -> None:
    if _asks_to_verify(code):
        FORGED.hit(f"{code}:{caller()}")


def _asks_to_verify(code: str) -> bool:
    path = settings.PAYMENT_GATEWAYS.get(code)
    return bool(path and import_string(path).asks_to_verify)


def _status_of(source: Gateway, event: WebhookEvent) -> str:
    """News of money that names no payment is for staff; other news is of no interest."""
    if event.provider_id or event.method_id:
        return _Status.PENDING
    return _Status.REVIEW if event.type.startswith(source.money_events) else _Status.IGNORED


def _verified(
    code: str, headers: Mapping[str, str], body: bytes
) -> tuple[WebhookEvent, GatewayAccount | None]:
    """The event, and whose account it is for. Raises InvalidSignature, UnknownGateway."""
    forged: InvalidSignature | None = None
    for account in accounts_of(code):
        try:
            return gateway(code, account).parse_webhook(headers, body), account
        except InvalidSignature as error:
            forged = error
        except UnknownGateway:
            # Not set up here; another account may be.
            continue
    raise forged or UnknownGateway(field="gateway")


def process_event(*, gateway_code: str, event_id: str) -> ProviderEvent:
    """Act on a stored webhook: fetch the payment from the gateway and move ours towards it."""
    event = ProviderEvent.objects.get(gateway=gateway_code, event_id=event_id)
    if event.status != _Status.PENDING:
        return event
    if event.payload.get("method"):
        return _process_method(event)
    if not event.provider_id:
        return _close(event, _Status.REVIEW, _NAMELESS)
    try:
        state = gateway(event.gateway, event.account).fetch(event.provider_id)
    except GatewayError as error:
        return _later(event, f"gateway: {error.code}")
    payment = _payment_for(event, state.reference)
    if payment is None:
        return _later(event, "no payment of ours")
    try:
        state = take_approved(payment, state)
        with transaction.atomic():
            apply_state(payment=payment, state=state)
            if dispute := event.payload.get("dispute"):
                _note_dispute(payment, DisputeState(**dispute))
    except GatewayError as error:
        return _later(event, f"gateway: {error.code}")
    except WrongPayment as error:
        return _close(event, _Status.REVIEW, str(error))
    return _close(event, _Status.DONE, "")


def _process_method(event: ProviderEvent) -> ProviderEvent:
    """News of what a gateway keeps for a customer: of ours, or of somebody else's shop."""
    try:
        is_ours = look_at_method(
            gateway_code=event.gateway, account=event.account, method_id=event.payload["method"]
        )
    except GatewayError as error:
        return _later(event, f"gateway: {error.code}")
    return _close(event, _Status.DONE if is_ours else _Status.IGNORED, "")


def process_again(*, event: ProviderEvent) -> ProviderEvent:
    """Staff have looked at a webhook that didn't fit: try it once more.

    Raises NotProcessed when it still doesn't fit, or the gateway doesn't answer. What was
    processed stays as it is.
    """
    waiting = ProviderEvent.objects.filter(pk=event.pk).exclude(status=_Status.DONE)
    if waiting.update(status=_Status.PENDING, attempts=0, due_at=timezone.now()):
        audit.record("payment.event_again", event)
    event = process_event(gateway_code=event.gateway, event_id=event.event_id)
    if event.status != _Status.DONE:
        raise NotProcessed(event.note or None)
    return event


def process_due(*, limit: int = 200) -> int:
    """Process events that are still pending after their time; the number looked at."""
    due = ProviderEvent.objects.filter(status=_Status.PENDING, due_at__lt=timezone.now())
    events = list(due.order_by("pk")[:limit])
    for event in events:
        process_event(gateway_code=event.gateway, event_id=event.event_id)
    return len(events)


def _payment_for(event: ProviderEvent, reference: str) -> Payment | None:
    ours = Payment.objects.filter(gateway=event.gateway, account=event.account)
    known = ours.filter(provider_id=event.provider_id).first()
    if known is not None or not reference:
        return known
    try:
        return ours.filter(public_id=reference).first()
    except ValueError:
        # Somebody else's metadata: not one of our ids.
        return None


def _note_dispute(payment: Payment, state: DisputeState) -> None:
    dispute, created = Dispute.objects.update_or_create(
        provider_id=state.provider_id,
        defaults={
            "payment": payment,
            "amount": state.amount,
            "reason": state.reason,
            "status": state.status,
            "fee": state.fee,
            "evidence_due_at": parse_datetime(state.due_at),
        },
    )
    orders.record_event(
        order=payment.order,
        kind="dispute_opened" if created else "dispute_updated",
        message=f"{dispute.reason}: {dispute.status}",
        data={"dispute": dispute.provider_id, "amount": dispute.amount},
    )


def _later(event: ProviderEvent, note: str) -> ProviderEvent:
    attempts = event.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        return _close(event, _Status.REVIEW, note)
    ProviderEvent.objects.filter(pk=event.pk).update(
        attempts=attempts, due_at=timezone.now() + retry_delay(attempts), note=note
    )
    event.refresh_from_db()
    return event


def _close(event: ProviderEvent, status: str, note: str) -> ProviderEvent:
    ProviderEvent.objects.filter(pk=event.pk).update(status=status, note=note[:300], due_at=None)
    event.refresh_from_db()
    return event


def _dispute_json(dispute: DisputeState) -> dict[str, object]:
    return asdict(dispute)
