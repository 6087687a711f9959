"""The review queue: what is suspicious is held, until somebody looked at it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.fraud.engines.rules import RuleHit
from apps.fraud.models import Assessment, Hit
from apps.orders import services as orders
from apps.orders.models import Order
from apps.orders.selectors import split_off_of

_Decision, _Verdict = Assessment.Decision, Assessment.Verdict


class AlreadyDecided(Conflict):
    code = "already_decided"
    message = _("Somebody has decided this already, or there is nothing to decide.")


@transaction.atomic
def join_order(*, order_id: str) -> None:
    """Join an order with what was thought of its checkout.

    A suspicious one is joined and held since it was written; this holds what another request for
    the same cart found suspicious meanwhile. Repeatable: what staff released isn't held again.
    """
    order = locked(Order.objects.filter(public_id=UUID(order_id))).get()
    row = Assessment.objects.filter(source=order.source or "").first()
    if row is None:
        return
    Assessment.objects.filter(pk=row.pk, order__isnull=True).update(order=order)
    if row.verdict == _Verdict.REVIEW and row.decision == _Decision.OPEN:
        orders.hold_order(order=order, reason=reasons(row.hits.all()))


@transaction.atomic
def release(*, assessment: Assessment) -> Assessment:
    """It is no fraud: the order, and what was split off it, may be shipped. Raises
    AlreadyDecided."""
    row = _decide(assessment, _Decision.RELEASED)
    for order in _orders_of(row):
        orders.release_order(order=order)
    return row


@transaction.atomic
def call_fraud(*, assessment: Assessment, reason: str = "") -> Assessment:
    """It is fraud: the order, and what was split off it, is cancelled, its money goes back.

    `reason` is for staff. Raises AlreadyDecided and TransitionRefused.
    """
    row = _decide(assessment, _Decision.FRAUD, reason)
    for order in _orders_of(row):
        orders.release_order(order=order)
        if order.status != Order.Status.CANCELLED:
            # Shown on the customer's timeline: no reason.
            orders.cancel(order=order)
    return row


def _orders_of(row: Assessment) -> list[Order]:
    return [] if row.order is None else [row.order, *split_off_of(row.order)]


def _decide(assessment: Assessment, decision: str, reason: str = "") -> Assessment:
    if assessment.order_id is not None:
        # The global lock order begins with orders.
        list(locked(Order.objects.filter(pk=assessment.order_id)))
    decided = Assessment.objects.filter(
        pk=assessment.pk, verdict=_Verdict.REVIEW, decision=_Decision.OPEN
    ).update(
        decision=decision,
        decision_reason=reason.strip()[:200],
        decided_by=current_actor().label[:254],
        decided_at=timezone.now(),
    )
    if not decided:
        raise AlreadyDecided()
    row = Assessment.objects.select_related("order").get(pk=assessment.pk)
    said = {"score": row.score, "decision_reason": row.decision_reason}
    audit.record(f"fraud.{decision}", row, said)
    return row


def reasons(hits: Iterable[Hit | RuleHit]) -> str:
    """Why, for staff."""
    return "; ".join(f"{hit.kind}: {hit.reason}" for hit in hits)
