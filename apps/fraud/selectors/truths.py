"""The truths that must hold about suspicions."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from apps.core.invariants import invariant
from apps.fraud.models import Assessment
from apps.orders.services import HOLDABLE

_Decision = Assessment.Decision


@invariant("a checkout's points are those of its hits")
def _points() -> Iterator[str]:
    rows = Assessment.objects.annotate(points=Coalesce(Sum("hits__points"), 0))
    for row in rows.exclude(score=F("points")):
        yield f"{row.public_id}: {row.score}, hits {row.points}"


@invariant("an order that waits for a review is held")
def _waiting() -> Iterator[str]:
    waiting = Assessment.objects.filter(
        verdict=Assessment.Verdict.REVIEW, decision=_Decision.OPEN, order__status__in=HOLDABLE
    )
    for row in waiting.filter(order__on_hold=False):
        yield f"{row.public_id}: {row.source}"


@invariant("an order isn't held once staff decided on it")
def _held() -> Iterator[str]:
    decided = Assessment.objects.exclude(decision=_Decision.OPEN).filter(order__on_hold=True)
    for row in decided:
        yield f"{row.public_id}: {row.decision}"
