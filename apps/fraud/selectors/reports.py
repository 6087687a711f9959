"""Whether the rules are worth having: how often each was hit, and whether it was right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from apps.core.scopes import scoped
from apps.fraud.models import Assessment, Hit

_Decision, _Verdict = Assessment.Decision, Assessment.Verdict


@dataclass(frozen=True, slots=True)
class RuleReport:
    """Checkouts that hit a rule (or an engine): in all, refused at once, and what staff decided
    of those that were reviewed. `rule` is its public id, "" for an engine or a deleted rule."""

    kind: str
    rule: str
    hits: int
    refused: int
    fraud: int
    released: int


def rule_report(*, since: datetime) -> list[RuleReport]:
    """The rules that were hit since then, the most hit first. One query."""
    rows = (
        scoped(Hit.objects.filter(assessment__created_at__gte=since))
        .values("kind", "rule__public_id")
        .annotate(
            hits=Count("pk"),
            refused=Count("pk", filter=Q(assessment__verdict=_Verdict.REFUSE)),
            fraud=Count("pk", filter=Q(assessment__decision=_Decision.FRAUD)),
            released=Count("pk", filter=Q(assessment__decision=_Decision.RELEASED)),
        )
        .order_by("-hits", "kind", "rule_id")
    )
    return [
        RuleReport(
            row["kind"],
            str(row["rule__public_id"] or ""),
            *(row[name] for name in ("hits", "refused", "fraud", "released")),
        )
        for row in rows
    ]
