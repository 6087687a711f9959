"""What was searched for, and what wasn't found."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet, Sum

from apps.core.scopes import scoped
from apps.storefront.models import SearchQuery

# A report's days, unless others are asked for.
DAYS = 30


def search_report(
    *, since: date, until: date, store: str | None = None, zero: bool = False
) -> QuerySet[SearchQuery, dict[str, Any]]:
    """The searches of these days (both included), the most frequent first: store (its code),
    phrase, searches, without_result. `zero`: only such as found nothing, the most frequent of
    these first.
    """
    rows = scoped(SearchQuery.objects.all()).filter(day__gte=since, day__lte=until)
    if store:
        rows = rows.filter(store__code=store)
    if zero:
        rows = rows.filter(without_result__gt=0)
    first = "-total_without" if zero else "-total"
    return (
        rows.order_by()
        .values("store__code", "store_id", "phrase")
        .annotate(total=Sum("searches"), total_without=Sum("without_result"))
        .order_by(first, "phrase", "store_id")
    )
