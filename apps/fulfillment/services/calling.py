"""Calling a carrier about a label: by one at a time, outside of any transaction, under the label's
own key. What it is for, and what follows, is its owner's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Q
from django.utils import timezone

from apps.core.failpoints import failpoint
from apps.core.remote import RemoteError, ask
from apps.fulfillment.models import CarrierLabel
from apps.shipping.carriers import carrier as carrier_of
from apps.shipping.carriers.base import CarrierError, Label, LabelRequest

logger = logging.getLogger(__name__)
# Longer than a call may take.
CLAIM = timedelta(minutes=2)
L = TypeVar("L", bound=CarrierLabel)
_Status = CarrierLabel.Status


@dataclass(frozen=True, slots=True)
class Answer:
    """What a carrier said for good: the label it sold, or why it refuses; neither where it took
    one back."""

    sold: Label | None = None
    refusal: str = ""


def call_carrier(
    *, label: L, request_of: Callable[[L], LabelRequest], now: datetime | None = None
) -> Answer | None:
    """Buy a pending label, or give one back; None where nobody knows, or somebody is at it.

    Raises nothing for a carrier: what isn't known stays as it is.
    """
    now = now or timezone.now()
    kind = type(label)
    mine = kind._default_manager.filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=now),
        pk=label.pk,
        status__in=(_Status.PENDING, _Status.VOIDING),
    ).update(claimed_until=now + CLAIM)
    if not mine:
        return None
    label.refresh_from_db()
    who = carrier_of(label.carrier)
    if who is None:
        _free(label, "unknown carrier")
        return None
    name = f"carrier:{label.carrier}:labels"
    try:
        if label.status == _Status.VOIDING:
            ask(name, lambda: who.void(label.provider_id))
            return Answer()
        request = request_of(label)
        failpoint("before-label")
        sold = ask(name, lambda: who.label(request))
        failpoint("after-label")
    except RemoteError as error:
        if isinstance(error, CarrierError) and error.permanent:
            logger.warning("label refused: %s", error, extra={"label": str(label.public_id)})
            return Answer(refusal=str(error)[:300] or "refused")
        _free(label, str(error))
        return None
    return Answer(sold)


def _free(label: CarrierLabel, error: str) -> None:
    logger.warning("label undecided: %s", error, extra={"label": str(label.public_id)})
    change_label(label, label.status, error=error[:300])


def change_label(label: L, status: str, **changes: object) -> L:
    """Move a label on from the status it was read with, and set `changes`; the label as it is."""
    rows = type(label)._default_manager
    rows.filter(pk=label.pk, status=label.status).update(
        status=status, claimed_until=None, updated_at=timezone.now(), **changes
    )
    return rows.get(pk=label.pk)


def sold_fields(found: Label) -> dict[str, object]:
    """What a label's row keeps of what was sold."""
    return {
        "provider_id": found.provider_id[:100],
        "tracking_number": found.tracking_number[:100],
        "tracking_url": found.tracking_url[:500],
        "carrier_name": found.carrier_name[:60],
        "amount": found.amount,
        "currency": found.currency,
        "document": found.document,
        "content_type": found.content_type[:80],
        "error": "",
    }
