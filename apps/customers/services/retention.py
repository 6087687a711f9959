"""What has had its time, whoever's it was: the terms that each app declares (docs/privacy.md)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.core.personal import terms

BATCH = 500


def overdue(*, now: datetime | None = None) -> list[tuple[str, int, int]]:
    """What is over by now: the model, its days, and how many rows."""
    now = now or timezone.now()
    return [(term.label, term.days, term.over(now).count()) for term in terms()]


def apply_terms(*, now: datetime | None = None, limit: int = 50_000) -> int:
    """Delete or empty what is over, at most `limit` rows of each model; the number of rows."""
    now = now or timezone.now()
    done = 0
    for term in terms():
        for _batch in range(0, limit, BATCH):
            with transaction.atomic():
                pks = list(term.over(now).order_by("pk").values_list("pk", flat=True)[:BATCH])
                rows = term.model._base_manager.filter(pk__in=pks)
                if term.forgets:
                    rows.update(**term.forgets)
                else:
                    rows.delete()
            done += len(pks)
            if len(pks) < BATCH:
                break
    return done
