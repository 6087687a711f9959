"""Return labels: bought once, mailed, followed until the parcel is here, given back unused.

The intent is written first; the carrier is called outside of any transaction, under the label's own
key.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.events import publish
from apps.core.remote import RemoteError
from apps.fulfillment import services as fulfillment
from apps.fulfillment.models import Parcel
from apps.inventory.models import Location
from apps.inventory.selectors import locations_of
from apps.returns import states
from apps.returns.events import (
    ReturnArrived,
    ReturnInTransit,
    ReturnLabelBought,
    ReturnLabelUnwanted,
)
from apps.returns.models import ReturnEvent, ReturnLabel, ReturnPolicy, ReturnRequest
from apps.returns.selectors import label_request, terms_of
from apps.returns.services.lifecycle import ReturnRefused, hold
from apps.shipping.carriers import label_carriers
from apps.shipping.carriers.base import TrackingEvent

logger = logging.getLogger(__name__)
_Status = ReturnLabel.Status
_NEWS = {
    Parcel.Status.IN_TRANSIT: ("in_transit", ReturnInTransit),
    Parcel.Status.DELIVERED: ("arrived", ReturnArrived),
}


def buy_label(
    *, request: ReturnRequest, carrier: str, service: str, location: Location | None = None
) -> ReturnLabel:
    """Buy the label by which an approved return is sent to `location`, or where the store sends
    from first; the one it has, if there is one.

    A label whose answer doesn't come is still pending, and bought or refused later. Raises
    UnknownCarrier, ReturnRefused, LabelRefused. Not for use in a transaction.
    """
    wanted = _intend(request, carrier, service, location)
    label = drive_label(label=wanted)
    if label.status == _Status.REFUSED:
        raise fulfillment.LabelRefused(extra={"reason": label.error})
    return label


def buy_by_policy(*, return_id: str) -> None:
    """Buy the label that the policy of an approved return names, once; what is refused is the
    staff's to buy elsewhere."""
    request = ReturnRequest.objects.select_related("order__store").get(public_id=UUID(return_id))
    policy = _policy_of(request)
    if not policy.label_carrier or request.is_claim or request.labels.exists():
        return
    with suppress(ReturnRefused, fulfillment.UnknownCarrier, fulfillment.LabelRefused):
        buy_label(request=request, carrier=policy.label_carrier, service=policy.label_service)


def _policy_of(request: ReturnRequest) -> ReturnPolicy:
    """Of its lines' policies the first one that says who brings it."""
    lines = set(request.lines.values_list("order_line_id", flat=True))
    found = [one.policy for one in terms_of(request.order) if one.line.pk in lines]
    return next((policy for policy in found if policy.label_carrier), found[0])


@transaction.atomic
def _intend(
    request: ReturnRequest, carrier: str, service: str, location: Location | None
) -> ReturnLabel:
    if carrier not in label_carriers():
        raise fulfillment.UnknownCarrier(field="carrier")
    order, row = hold(request)
    if row.status != states.APPROVED or row.is_claim:
        raise ReturnRefused(extra={"return_status": row.status})
    if living := row.labels.filter(is_alive=True).first():
        return living
    place = location or locations_of(order.store_id).first()
    if place is None:
        raise ReturnRefused(_("There is no location that it could be sent to."))
    pays = row.shipping_paid_by == ReturnPolicy.Payer.CUSTOMER
    label = ReturnLabel.objects.create(
        request=row,
        location=place,
        carrier=carrier,
        service=service,
        is_deducted=pays and _policy_of(row).deducts_label,
    )
    audit.record("return.label", row, {"carrier": carrier, "service": service})
    return label


def drive_label(*, label: ReturnLabel, now: datetime | None = None) -> ReturnLabel:
    """Call the carrier about a label that is being bought or given back, unless somebody does.

    Raises nothing for a carrier: what isn't known stays as it is.
    """
    answer = fulfillment.call_carrier(label=label, request_of=label_request, now=now)
    if answer is None:
        return ReturnLabel.objects.get(pk=label.pk)
    return _record(ReturnLabel.objects.get(pk=label.pk), answer)


@transaction.atomic
def _record(label: ReturnLabel, answer: fulfillment.Answer) -> ReturnLabel:
    order, row = hold(label.request)
    if answer.refusal:
        audit.record("return.label_refused", row, {"reason": answer.refusal})
        if label.status == _Status.VOIDING:
            return fulfillment.change_label(label, _Status.BOUGHT, error=answer.refusal)
        _note(row, "label_refused", answer.refusal)
        gone = {"is_alive": None, "error": answer.refusal}
        return fulfillment.change_label(label, _Status.REFUSED, **gone)
    if answer.sold is None:
        audit.record("return.label_voided", row)
        return fulfillment.change_label(label, _Status.VOIDED, is_alive=None, error="")
    label = fulfillment.change_label(
        label,
        _Status.BOUGHT,
        ask_at=timezone.now() + timedelta(hours=1),
        **fulfillment.sold_fields(answer.sold),
    )
    if row.status != states.APPROVED:
        # It was given up, or arrived, while the carrier was asked.
        give_label_back(row=row)
        return ReturnLabel.objects.get(pk=label.pk)
    _note(row, "label", label.tracking_number)
    publish(
        ReturnLabelBought(
            return_id=str(row.public_id),
            order_number=order.number,
            label_id=str(label.public_id),
        )
    )
    return label


def _note(row: ReturnRequest, kind: str, message: str = "") -> None:
    actor = current_actor().label
    ReturnEvent.objects.create(request=row, kind=kind, message=message[:500], actor=actor)


def void_label(*, request: ReturnRequest) -> ReturnRequest:
    """Give a return's label back; it can have another. Raises ReturnRefused where there is none,
    or its parcel is under way.

    A carrier that doesn't answer is asked again later. Not for use in a transaction.
    """
    with transaction.atomic():
        _order, row = hold(request)
        label = give_label_back(row=row)
        if label is None:
            raise ReturnRefused(extra={"return_status": row.status})
    drive_label(label=label)
    return row


def give_label_back(*, row: ReturnRequest) -> ReturnLabel | None:
    """Have an unused label given back to its carrier after the commit; None without one.

    In the transaction that locked the return.
    """
    unused = row.labels.filter(status=_Status.BOUGHT, parcel_status=Parcel.Status.NONE)
    label = unused.defer("document").first()
    if label is None:
        return None
    unused.update(
        status=_Status.VOIDING, claimed_until=None, ask_at=None, updated_at=timezone.now()
    )
    audit.record("return.label_unwanted", row)
    publish(ReturnLabelUnwanted(label_id=str(label.public_id)))
    return label


def drive_unwanted(*, label_id: str) -> None:
    """Give one label back that is no longer wanted."""
    drive_label(label=ReturnLabel.objects.get(public_id=UUID(label_id)))


def reconcile_labels(*, now: datetime | None = None, limit: int = 100) -> int:
    """Ask the carriers again about labels without an answer for two minutes; how many."""
    now = now or timezone.now()
    undecided = ReturnLabel.objects.filter(
        status__in=(_Status.PENDING, _Status.VOIDING), updated_at__lt=now - fulfillment.CLAIM
    )
    labels = list(undecided.order_by("updated_at", "pk").defer("document")[:limit])
    for label in labels:
        drive_label(label=label, now=now)
    return len(labels)


def ask_about_return(*, carrier: str, tracking_number: str) -> None:
    """Ask a carrier about the return whose parcel has that number, if there is one.

    Raises CarrierError if it doesn't answer.
    """
    found = ReturnLabel.objects.filter(carrier=carrier, tracking_number=tracking_number)
    for label in found.filter(status=_Status.BOUGHT).defer("document").order_by("pk"):
        follow(label=label, events=_news_of(label))


def ask_due_returns(*, now: datetime | None = None, limit: int = 200) -> int:
    """Ask about returns under way whose time has come; how many were asked about."""
    now = now or timezone.now()
    due = ReturnLabel.objects.filter(ask_at__lte=now, status=_Status.BOUGHT)
    asked = 0
    for label in due.defer("document").order_by("ask_at", "pk")[:limit]:
        is_old = label.created_at < now - fulfillment.FOLLOWED
        later = None if is_old else now + fulfillment.PACE
        # Who is first has it; and the next round begins with others.
        if not ReturnLabel.objects.filter(pk=label.pk, ask_at=label.ask_at).update(ask_at=later):
            continue
        asked += 1
        try:
            follow(label=label, events=_news_of(label))
        except RemoteError as error:
            logger.warning("tracking: %s", error, extra={"label": str(label.public_id)})
    return asked


def _news_of(label: ReturnLabel) -> Sequence[TrackingEvent]:
    return fulfillment.ask_carrier(
        carrier=label.carrier,
        tracking_number=label.tracking_number,
        provider_id=label.provider_id,
    )


@transaction.atomic
def follow(*, label: ReturnLabel, events: Iterable[TrackingEvent]) -> ReturnLabel:
    """Move a return's parcel on to where its carrier says it is, never back; tell each once."""
    order, row = hold(label.request)
    label = ReturnLabel.objects.defer("document").get(pk=label.pk)
    told = [event.status for event in sorted(events, key=lambda event: event.at)]
    status = fulfillment.furthest(label.parcel_status, told)
    if status == label.parcel_status:
        return label
    was_known = label.parcel_status != Parcel.Status.NONE
    label.parcel_status = status
    label.ask_at = None if status in fulfillment.ENDS else label.ask_at
    label.save(update_fields=["parcel_status", "ask_at", "updated_at"])
    steps = [] if was_known else [Parcel.Status.IN_TRANSIT]
    if status == Parcel.Status.DELIVERED:
        steps.append(Parcel.Status.DELIVERED)
    for step in steps:
        kind, event = _NEWS[step]
        _note(row, kind, label.tracking_number)
        publish(event(return_id=str(row.public_id), order_number=order.number))
    return label
