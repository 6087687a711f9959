"""What carriers tell of parcels: heard by webhook or asked for, kept once, never undone."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.events import publish
from apps.core.remote import RemoteError, ask
from apps.fulfillment import states
from apps.fulfillment.events import TrackingAnnounced
from apps.fulfillment.models import Fulfillment, Parcel, ShippingLabel
from apps.fulfillment.models import TrackingEvent as Row
from apps.fulfillment.services.labels import UnknownCarrier
from apps.fulfillment.services.moving import locked_together
from apps.fulfillment.services.shipping import follow_parcels
from apps.shipping.carriers import carrier as carrier_of
from apps.shipping.carriers.base import InvalidSignature, TrackingEvent

logger = logging.getLogger(__name__)
# Parcels are asked about so often, and for so long after they left.
PACE, FOLLOWED = timedelta(hours=3), timedelta(days=60)
_Status = Parcel.Status
# A parcel only moves on to a later one of these; the last two are ends.
_RANKS: dict[str, int] = {
    _Status.NONE: 0,
    _Status.IN_TRANSIT: 1,
    _Status.OUT_FOR_DELIVERY: 2,
    _Status.FAILED: 3,
    _Status.DELIVERED: 4,
    _Status.RETURNED: 4,
}
ENDS = (_Status.DELIVERED, _Status.RETURNED)


class ForgedWebhook(DomainError):
    code = "invalid_signature"
    message = _("The signature isn't valid.")


def receive_webhook(*, carrier: str, headers: Mapping[str, str], body: bytes) -> int:
    """Take a carrier's webhook; of how many parcels it has news.

    Whoever knows one asks about it afterwards: what the webhook itself says isn't believed. Raises
    ForgedWebhook and UnknownCarrier. Not for use in a transaction.
    """
    who = carrier_of(carrier)
    if who is None:
        raise UnknownCarrier()
    try:
        numbers = who.parse_webhook(headers, body)
    except (InvalidSignature, ValueError) as error:
        logger.warning("forged webhook", extra={"carrier": carrier})
        raise ForgedWebhook() from error
    told = sorted({number[:100] for number in numbers if number})[:100]
    with transaction.atomic():
        for number in told:
            publish(TrackingAnnounced(carrier=carrier, tracking_number=number))
    return len(told)


def ask_about(*, carrier: str, tracking_number: str) -> None:
    """Ask a carrier about the parcels of a number. Raises CarrierError if it doesn't answer."""
    parcels = Parcel.objects.filter(carrier=carrier, tracking_number=tracking_number)
    for parcel in parcels.order_by("pk"):
        record(parcel=parcel, events=_events(parcel))


def ask_due(*, now: datetime | None = None, limit: int = 200) -> int:
    """Ask about parcels under way whose time has come; how many were asked about."""
    now = now or timezone.now()
    due = Parcel.objects.filter(
        ask_at__lte=now, fulfillment__status__in=(*states.UNDER_WAY, states.LABELLED)
    )
    asked = 0
    for parcel in due.select_related("fulfillment").order_by("ask_at", "pk")[:limit]:
        left = parcel.fulfillment.shipped_at
        later = None if left and left < now - FOLLOWED else now + PACE
        # Who is first has it; and the next round begins with others.
        if not Parcel.objects.filter(pk=parcel.pk, ask_at=parcel.ask_at).update(ask_at=later):
            continue
        asked += 1
        try:
            record(parcel=parcel, events=_events(parcel))
        except RemoteError as error:
            logger.warning("tracking: %s", error, extra={"parcel": str(parcel.public_id)})
    return asked


def _events(parcel: Parcel) -> Sequence[TrackingEvent]:
    label = ShippingLabel.objects.filter(parcel=parcel, is_alive=True).defer("document").first()
    return ask_carrier(
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        provider_id=label.provider_id if label else "",
    )


def ask_carrier(*, carrier: str, tracking_number: str, provider_id: str) -> Sequence[TrackingEvent]:
    """What happened to a parcel, in any order; nothing where there is no such carrier.

    Raises RemoteError. Not for use in a transaction.
    """
    who = carrier_of(carrier)
    if who is None:
        return ()
    return ask(
        f"carrier:{carrier}:track",
        lambda: who.track(tracking_number, provider_id=provider_id),
    )


def furthest(status: str, told: Iterable[str]) -> str:
    """How far a parcel of `status` is that a carrier `told` so of, the first news first.

    It never goes back; of two ends the first stays.
    """
    for seen in told:
        if _RANKS.get(seen, 0) > _RANKS[status]:
            status = seen
    return status


@transaction.atomic
def record(*, parcel: Parcel, events: Sequence[TrackingEvent]) -> Fulfillment:
    """Keep what a carrier told, each news once, and move parcel and shipment on, never back."""
    Row.objects.bulk_create(
        [
            Row(
                parcel=parcel,
                at=event.at,
                status=event.status[:16],
                message=event.message[:200],
                location=event.location[:120],
            )
            for event in events
        ],
        ignore_conflicts=True,
    )
    locked_together(parcel.fulfillment)
    now = Parcel.objects.get(pk=parcel.pk)
    # By the carrier's clock, not by the order of its answers.
    told = Row.objects.filter(parcel=parcel).order_by("at", "pk")
    status = furthest(now.status, told.values_list("status", flat=True))
    if status != now.status:
        final = {"ask_at": None} if status in ENDS else {}
        Parcel.objects.filter(pk=parcel.pk).update(status=status, **final)
    return follow_parcels(shipment=parcel.fulfillment)
