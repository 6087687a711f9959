"""Labels: bought once, whatever happens to the answer, and given back if they aren't used.

The intent is written first. Only who has claimed a label calls its carrier, outside of any
transaction and under the label's own key; what stays without an answer is asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.fulfillment import states
from apps.fulfillment.models import Fulfillment, Parcel, ShippingLabel
from apps.fulfillment.selectors import in_parcel_of, label_request
from apps.fulfillment.services.calling import CLAIM, call_carrier, change_label, sold_fields
from apps.fulfillment.services.moving import ShipmentRefused, let_find, locked_together, move
from apps.fulfillment.services.shipping import give_labels_back
from apps.orders import services as orders
from apps.shipping.carriers import carrier as carrier_of
from apps.shipping.carriers.base import Label

_Status = ShippingLabel.Status
_TRACKING = ("carrier", "tracking_number", "tracking_url")


class UnknownCarrier(DomainError):
    code = "unknown_carrier"
    message = _("There is no such carrier.")


class LabelRefused(Conflict):
    """The carrier refused; `extra["reason"]` are its words."""

    code = "label_refused"
    message = _("The carrier refused the label.")


def buy_labels(*, shipment: Fulfillment, carrier: str, service: str) -> list[ShippingLabel]:
    """Buy a label for each parcel of a planned shipment that has none; all that count. Those that
    share a parcel share its label.

    A label whose answer doesn't come is still pending, and bought or refused later. Raises
    UnknownCarrier, ShipmentRefused, LabelRefused, and OrderOnHold. Not for use in a transaction.
    """
    for label in request_labels(shipment=shipment, carrier=carrier, service=service):
        drive(label=label)
    lead = in_parcel_of(shipment.pk)[0]
    labels = ShippingLabel.objects.filter(parcel__fulfillment=lead).order_by("pk")
    living = list(labels.filter(is_alive=True))
    if len(living) < lead.parcels.count():
        refused = labels.filter(status=_Status.REFUSED).last()
        raise LabelRefused(extra={"reason": refused.error if refused else ""})
    return living


@transaction.atomic
def request_labels(*, shipment: Fulfillment, carrier: str, service: str) -> list[ShippingLabel]:
    """Write down that labels are to be bought; those that wait for their carrier."""
    if carrier_of(carrier) is None:
        raise UnknownCarrier(field="carrier")
    together = locked_together(shipment)
    if any(each.order.on_hold for each in together):
        raise orders.OrderOnHold()
    shipment = together[0]
    if shipment.status not in states.WAITING:
        raise ShipmentRefused(extra={"shipment_status": shipment.status})
    bare = Parcel.objects.filter(fulfillment=shipment).exclude(labels__is_alive=True)
    for parcel in bare:
        label = ShippingLabel.objects.create(parcel=parcel, carrier=carrier, service=service)
        audit.record("fulfillment.label", label, {"carrier": carrier, "service": service})
    pending = ShippingLabel.objects.filter(parcel__fulfillment=shipment, status=_Status.PENDING)
    return list(pending.order_by("pk"))


def drive(*, label: ShippingLabel, now: datetime | None = None) -> ShippingLabel:
    """Call the carrier about a label that is being bought or given back, unless somebody does.

    Raises nothing for a carrier: what isn't known stays as it is.
    """
    answer = call_carrier(label=label, request_of=label_request, now=now)
    label = ShippingLabel.objects.get(pk=label.pk)
    if answer is None:
        return label
    if answer.refusal:
        return _refuse(label, answer.refusal)
    return _bought(label, answer.sold) if answer.sold else _voided(label)


def _lock(label: ShippingLabel) -> list[Fulfillment]:
    """All that goes under a label, the one that has its parcel first."""
    return locked_together(Fulfillment.objects.get(parcels=label.parcel_id))


@transaction.atomic
def _refuse(label: ShippingLabel, error: str) -> ShippingLabel:
    """A refused purchase bought nothing; a label that can't be given back is kept."""
    _lock(label)
    audit.record("fulfillment.label_refused", label, {"reason": error})
    if label.status == _Status.PENDING:
        return change_label(label, _Status.REFUSED, is_alive=None, error=error)
    label = change_label(label, _Status.BOUGHT, error=error)
    _attach(label)
    return label


@transaction.atomic
def _bought(label: ShippingLabel, found: Label) -> ShippingLabel:
    _lock(label)
    label = change_label(label, _Status.BOUGHT, **sold_fields(found))
    shipment = Fulfillment.objects.get(parcels=label.parcel_id)
    if shipment.status == states.CANCELLED:
        # It was given up while the carrier was asked.
        give_labels_back(shipment)
        return ShippingLabel.objects.get(pk=label.pk)
    _attach(label)
    return label


def _attach(label: ShippingLabel) -> None:
    """A bought label's number is its parcel's; with the last one the shipment is labelled."""
    together = _lock(label)
    Parcel.objects.filter(pk=label.parcel_id).update(
        carrier=label.carrier,
        tracking_number=label.tracking_number,
        ask_at=timezone.now() + timedelta(hours=1),
    )
    bare = together[0].parcels.exclude(labels__status=_Status.BOUGHT)
    for shipment in together:
        if not shipment.tracking_number:
            shipment.carrier = label.carrier_name or label.carrier
            shipment.tracking_number = label.tracking_number
            shipment.tracking_url = label.tracking_url
            shipment.save(update_fields=[*_TRACKING, "updated_at"])
        let_find(shipment)
        if shipment.status == states.PLANNED and not bare.exists():
            move(shipment=shipment, event="label")


@transaction.atomic
def _voided(label: ShippingLabel) -> ShippingLabel:
    audit.record("fulfillment.label_voided", label)
    return change_label(label, _Status.VOIDED, is_alive=None, error="")


def void_labels(*, shipment: Fulfillment) -> Fulfillment:
    """Give a shipment's labels back; it can have others. Raises ShipmentRefused once it left.

    A carrier that doesn't answer is asked again later. Not for use in a transaction.
    """
    for label in _unwant(shipment):
        drive(label=label)
    return Fulfillment.objects.get(pk=shipment.pk)


@transaction.atomic
def _unwant(shipment: Fulfillment) -> Sequence[ShippingLabel]:
    together = locked_together(shipment)
    shipment = together[0]
    if shipment.status not in states.WAITING:
        raise ShipmentRefused(extra={"shipment_status": shipment.status})
    Parcel.objects.filter(fulfillment=shipment).update(carrier="", tracking_number="", ask_at=None)
    for each in together:
        if each.status == states.LABELLED:
            move(shipment=each, event="void", **dict.fromkeys(_TRACKING, ""))
    give_labels_back(shipment)
    return list(ShippingLabel.objects.filter(parcel__fulfillment=shipment, status=_Status.VOIDING))


def give_back(*, label_id: str) -> None:
    """Give one label back that is no longer wanted."""
    drive(label=ShippingLabel.objects.get(public_id=UUID(label_id)))


def reconcile_labels(*, now: datetime | None = None, limit: int = 100) -> int:
    """Ask the carriers again about labels without an answer for two minutes; how many."""
    now = now or timezone.now()
    undecided = ShippingLabel.objects.filter(
        status__in=(_Status.PENDING, _Status.VOIDING), updated_at__lt=now - CLAIM
    ).order_by("updated_at", "pk")
    labels = list(undecided.defer("document")[:limit])
    for label in labels:
        drive(label=label, now=now)
    return len(labels)
